/* admission.c: the library's callbacks that admit clients: to connect, to enter a room, to renew
 * a token.
 * The rules are in access.c; messages and echoes are in realtime.c. */
#include "admission.h"

#include <netinet/in.h>
#include <string.h>

#include <http_parser.h>

#include "access.h"
#include "json_text.h"
#include "log.h"
#include "session.h"
#include "thread.h"
#include <ws_manager/server.h>

const char admission_subprotocol[] = "bearer";

/* The library logs the refusal and its reason, but does not know the address. It also logs how
 * many such lines were left out. */
static void log_address(ws_handshake *handshake)
{
    const char *what =
        ws_handshake_websocket(handshake) != NULL ? "WebSocket" : "request for events";
    const ws_server_client *client = ws_server_client_of(handshake);
    static struct log_share share;
    char address[INET6_ADDRSTRLEN];
    unsigned left_out;

    if (client == NULL || !log_may_share(&share, WS_LOG_INFO, &left_out))
        return;
    ws_server_client_address(client, address, sizeof address);
    log_line(WS_LOG_INFO, "refused a %s from %s", what, address);
}

static int refuse(ws_handshake *handshake, int status, const char *text)
{
    log_address(handshake);
    ws_handshake_refuse(handshake, status, text);
    return WS_ERR_FORBIDDEN;
}

/* Finds the token of a request, or of a client of Socket.IO, whose request the server has freed
 * and the library has kept. */
static void find_token(ws_handshake *handshake, const cJSON *auth,
                       struct credentials *credentials)
{
    credentials_init(credentials);
    if (auth == NULL) {
        credentials_add_request(credentials,
                                ws_server_client_request(ws_server_client_of(handshake)));
    } else {
        credentials_add_handshake(credentials, ws_handshake_query(handshake),
                                  ws_handshake_header(handshake, "Authorization"));
        credentials_add_auth(credentials, auth);
    }
    credentials_add_protocols(credentials,
                              ws_handshake_header(handshake, "Sec-WebSocket-Protocol"));
}

/* A client of Socket.IO may connect again on its WebSocket, which has one session. One that polls
 * gets its session when it is connected. */
static int begin_session(ws_handshake *handshake, const struct token_claims *claims)
{
    ws_server_client *client = ws_server_client_of(handshake);
    struct thread *thread = thread_current();
    struct session *session;

    if (client == NULL) {
        ws_handshake_set_user_data(
            handshake, grants_add(&thread->grants, claims->expires_ms, claims->is_staff));
        return WS_OK;
    }
    session = ws_server_client_data(client);
    if (session == NULL)
        session = session_new(&thread->expiries, client, claims);
    else if (!session_renew(session, claims))
        return refuse(handshake, HTTP_STATUS_UNAUTHORIZED, "token expired");
    if (session == NULL)
        return WS_ERR_NO_MEMORY;
    thread_note(thread, &session->expiry);
    ws_server_client_set_data(client, session);
    ws_handshake_set_user_data(handshake, session);
    return WS_OK;
}

/* Checks the token and begins the session that it grants. */
static int check_token(ws_handshake *handshake, const struct access *access, const cJSON *auth,
                       struct token_claims *claims)
{
    struct credentials credentials;
    enum token_result result;

    find_token(handshake, auth, &credentials);
    result = access_check(access, &credentials, claims);
    if (result == TOKEN_NO_MEMORY)
        return WS_ERR_NO_MEMORY;
    if (result != TOKEN_OK)
        return refuse(handshake, HTTP_STATUS_UNAUTHORIZED, token_result_text(result));
    if (strcmp(ws_handshake_method(handshake), "GET") != 0)
        return WS_OK; /* there is no connection that could outlive the token */
    return begin_session(handshake, claims);
}

/* When a client of Socket.IO connects again, the library has no headers any more: the page was
 * allowed before. */
static struct origin_request page_of(ws_handshake *handshake)
{
    return (struct origin_request){
        .origin = ws_handshake_header(handshake, "Origin"),
        .host = ws_handshake_header(handshake, "Host"),
        .scheme = ws_server_client_scheme(ws_server_client_of(handshake)),
    };
}

int admission_allow_origin(ws_handshake *handshake, void *access)
{
    const struct origin_request page = page_of(handshake);

    return access_allows_page(access, &page) ? WS_OK : WS_ERR_FORBIDDEN;
}

static int check_page(ws_handshake *handshake, const struct access *access)
{
    const struct origin_request page = page_of(handshake);

    if (!access_allows_page(access, &page))
        return refuse(handshake, HTTP_STATUS_FORBIDDEN, "pages of this origin may not connect");
    /* Browsers always send Origin with a WebSocket handshake, but not with a GET to the page's own
     * host: then only Host shows DNS rebinding. */
    if (ws_handshake_websocket(handshake) == NULL && !access_knows_host(access, &page))
        return refuse(handshake, HTTP_STATUS_FORBIDDEN,
                      "this host name is not one of the server's; add it with --allow-origin");
    return WS_OK;
}

/* The checks that all endpoints share. `auth` is that of Socket.IO, NULL elsewhere; `claims` are
 * set if tokens are required. */
static int admit(ws_handshake *handshake, const struct access *access, const cJSON *auth,
                 struct token_claims *claims)
{
    int result = ws_server_client_of(handshake) != NULL ? check_page(handshake, access) : WS_OK;

    if (result != WS_OK || !access_needs_token(access))
        return result;
    return check_token(handshake, access, auth, claims);
}

/* The user that a client claims to be, in its auth of Socket.IO or in the query. */
static int find_user_id(ws_handshake *handshake, const cJSON *auth, const char **user_id)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(auth, "user_id");
    size_t length;
    int result;

    if (member != NULL) {
        *user_id = cJSON_GetStringValue(member);
        return *user_id != NULL ? WS_OK : WS_ERR_INVALID;
    }
    result = ws_handshake_query_parameter(handshake, "user_id", user_id, &length);
    return result == WS_OK && strlen(*user_id) != length ? WS_ERR_INVALID : result;
}

/* Without tokens, which is for development, a client is the user that it claims to be. */
static int believe_user_id(ws_handshake *handshake, const cJSON *auth)
{
    const char *user_id;
    int result = find_user_id(handshake, auth, &user_id);

    if (result == WS_ERR_NOT_FOUND)
        return WS_OK;
    if (result == WS_OK)
        result = ws_handshake_set_user_id(handshake, user_id);
    if (result == WS_ERR_INVALID)
        ws_handshake_refuse(handshake, HTTP_STATUS_BAD_REQUEST,
                            "user_id must be 1 to 128 bytes without control characters, line "
                            "separators or characters that reorder text");
    return result;
}

static int admit_user(ws_handshake *handshake, const struct access *access, const cJSON *auth)
{
    struct token_claims claims;
    int result = admit(handshake, access, auth, &claims);

    if (result != WS_OK)
        return result;
    return access_needs_token(access) ? ws_handshake_set_user_id(handshake, claims.user_id)
                                      : believe_user_id(handshake, auth);
}

int admission_handshake(ws_handshake *handshake, void *access)
{
    return admit_user(handshake, access, NULL);
}

int admission_socketio_handshake(ws_handshake *handshake, void *access)
{
    const char *text = ws_handshake_auth(handshake);
    const char *problem;
    cJSON *auth = json_text_parse_object(text, strlen(text), &problem);
    int result;

    if (auth == NULL)
        return problem == NULL ? WS_ERR_NO_MEMORY
                               : refuse(handshake, HTTP_STATUS_BAD_REQUEST,
                                        "auth has a NUL character or too many values");
    result = admit_user(handshake, access, auth);
    cJSON_Delete(auth);
    return result;
}

int admission_echo_handshake(ws_handshake *handshake, void *access)
{
    struct token_claims claims;

    return admit(handshake, access, NULL, &claims);
}

void admission_connected(ws_manager *manager, const ws_connection_info *connection,
                         void *access)
{
    struct thread *thread = thread_current();
    struct session *session = NULL;
    const struct grant *grant;

    (void)access;
    if (!grants_made(connection->user_data))
        return;
    grant = grants_find(&thread->grants, connection->user_data);
    if (grant != NULL)
        session = session_new_polled(&thread->expiries, connection->id, grant->expires_ms,
                                     grant->is_staff);
    ws_manager_set_user_data(manager, connection->id, session);
    if (session != NULL)
        thread_note(thread, &session->expiry);
    else
        thread_disconnect(manager, connection->id, WS_CLOSE_TRY_AGAIN_LATER,
                          "too many clients connect");
}

void admission_disconnected(ws_manager *manager, const ws_connection_info *connection,
                            uint16_t code, const char *reason, void *access)
{
    struct session *session = connection->user_data;

    (void)manager;
    (void)code;
    (void)reason;
    (void)access;
    if (session != NULL && session->client == NULL)
        session_free(session);
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

int admission_presence(ws_manager *manager, const ws_connection_info *connection,
                       const char *room, void *access)
{
    const struct session *session = connection->user_data;

    if (room != NULL)
        return admission_join(manager, connection, room, access);
    /* With tokens, only staff may see the list of all connected users. */
    return !access_needs_token(access) || (session != NULL && session->is_staff)
               ? WS_OK
               : WS_ERR_FORBIDDEN;
}

/* Takes over what a new token grants and revokes what it no longer grants. The library revokes
 * rooms after this call, so this is requested first: if it fails, the old token stays in force. */
static int renew_session(ws_manager *manager, const ws_connection_info *connection,
                         const struct token_claims *claims)
{
    struct session *session = connection->user_data;

    if (session == NULL) /* memory was short when it connected, and it is being disconnected */
        return WS_ERR_FORBIDDEN;
    if (session->is_staff && !claims->is_staff) {
        int result = ws_manager_reauthorize(manager, connection->id);

        if (result != WS_OK)
            return result;
    }
    if (!session_renew(session, claims))
        return WS_ERR_FORBIDDEN;
    thread_note(thread_current(), &session->expiry);
    return WS_OK;
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
