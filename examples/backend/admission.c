/* admission.c: the library's callbacks that admit clients: to connect, to enter a room, to renew
 * a token.
 * The rules are in access.c; messages and echoes are in realtime.c. */
#include "admission.h"

#include <string.h>

#include "access.h"
#include "address.h"
#include "connection.h"
#include "log.h"
#include "session.h"
#include "user_agent.h"

const char admission_subprotocol[] = "bearer";

static struct connection *connection_of(ws_handshake *handshake)
{
    return ws_websocket_user_data(ws_handshake_websocket(handshake));
}

/* The library logs the refusal and its reason, but does not know the address. It also logs how
 * many such lines were left out. */
static void log_address(const struct connection *connection)
{
    static struct log_share share;
    char client[INET6_ADDRSTRLEN];
    unsigned left_out;

    if (!log_may_share(&share, WS_LOG_INFO, &left_out))
        return;
    address_format(connection_client(connection), client);
    log_line(WS_LOG_INFO, "a WebSocket from %s is refused", client);
}

static int refuse(ws_handshake *handshake, int status, const char *text)
{
    log_address(connection_of(handshake));
    ws_handshake_refuse(handshake, status, text);
    return WS_ERR_FORBIDDEN;
}

/* Begins the session that the handshake's token grants. */
static int begin_session(ws_handshake *handshake, const struct access *access,
                         struct token_claims *claims)
{
    ws_websocket *websocket = ws_handshake_websocket(handshake);
    struct connection *connection = ws_websocket_user_data(websocket);
    struct credentials credentials;
    enum token_result result;

    credentials_init(&credentials);
    credentials_add_authorization(&credentials,
                                  ws_handshake_header(handshake, "Authorization"));
    credentials_add_protocols(&credentials,
                              ws_handshake_header(handshake, "Sec-WebSocket-Protocol"));
    credentials_add_query(&credentials, ws_handshake_query(handshake));
    result = access_check(access, &credentials, claims);
    if (result == TOKEN_NO_MEMORY)
        return WS_ERR_NO_MEMORY;
    if (result != TOKEN_OK)
        return refuse(handshake, HTTP_STATUS_UNAUTHORIZED, token_result_text(result));
    connection->session = session_new(&connection->loop->expiries, websocket, claims);
    if (connection->session == NULL)
        return WS_ERR_NO_MEMORY;
    ws_handshake_set_user_data(handshake, connection->session);
    return WS_OK;
}

/* The checks that /ws and /echo share. `claims` are set if tokens are required. */
static int admit(ws_handshake *handshake, const struct access *access,
                 struct token_claims *claims)
{
    const struct origin_request page = {
        .origin = ws_handshake_header(handshake, "Origin"),
        .host = ws_handshake_header(handshake, "Host"),
        .scheme = connection_of(handshake)->http->request.scheme,
    };

    if (!access_allows_page(access, &page))
        return refuse(handshake, HTTP_STATUS_FORBIDDEN, "pages of this origin may not connect");
    if (user_agent_keeps_deflate_context(ws_handshake_header(handshake, "User-Agent")))
        ws_handshake_decline_deflate(handshake);
    return access_needs_token(access) ? begin_session(handshake, access, claims) : WS_OK;
}

/* Without tokens, which is for development, a client is the user that it claims to be. */
static int believe_user_id(ws_handshake *handshake)
{
    const char *user_id;
    size_t length;
    int result = ws_handshake_query_parameter(handshake, "user_id", &user_id, &length);

    if (result == WS_ERR_NOT_FOUND)
        return WS_OK;
    if (result == WS_OK)
        result = strlen(user_id) == length ? ws_handshake_set_user_id(handshake, user_id)
                                           : WS_ERR_INVALID;
    if (result == WS_ERR_INVALID)
        ws_handshake_refuse(handshake, HTTP_STATUS_BAD_REQUEST,
                            "user_id must be 1 to 128 bytes without control characters, line "
                            "separators and characters that reorder text");
    return result;
}

int admission_handshake(ws_handshake *handshake, void *access)
{
    struct token_claims claims;
    int result = admit(handshake, access, &claims);

    if (result != WS_OK)
        return result;
    return access_needs_token(access) ? ws_handshake_set_user_id(handshake, claims.user_id)
                                      : believe_user_id(handshake);
}

int admission_echo_handshake(ws_handshake *handshake, void *access)
{
    struct token_claims claims;

    return admit(handshake, access, &claims);
}

int admission_join(ws_manager *manager, const ws_connection_info *connection, const char *room,
                   void *access)
{
    const struct session *session = connection->user_data;
    bool is_staff = session != NULL && session->is_staff;

    (void)manager;
    (void)access;
    return access_allows_room(room, connection->user_id, is_staff) ? WS_OK : WS_ERR_FORBIDDEN;
}

/* Takes over what a new token grants and revokes what it no longer grants. The library revokes
 * rooms after this call, so this is requested first: if it fails, the old token stays in force. */
static int renew_session(ws_manager *manager, const ws_connection_info *connection,
                         const struct token_claims *claims)
{
    struct session *session = connection->user_data;

    if (session->is_staff && !claims->is_staff) {
        int result = ws_manager_reauthorize(manager, connection->id);

        if (result != WS_OK)
            return result;
    }
    return session_renew(session, claims) ? WS_OK : WS_ERR_FORBIDDEN;
}

int admission_authenticate(ws_manager *manager, const ws_connection_info *connection,
                           const char *token, void *access)
{
    struct token_claims claims;
    enum token_result result = access_check_token(access, token, &claims);

    if (result == TOKEN_NO_MEMORY)
        return WS_ERR_NO_MEMORY;
    if (result != TOKEN_OK || strcmp(claims.user_id, connection->user_id) != 0)
        return WS_ERR_FORBIDDEN;
    return renew_session(manager, connection, &claims);
}
