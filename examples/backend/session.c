/* session.c: what the token of a client grants, and until when.
 * Tokens are checked in token.c and accepted in admission.c. */
#include "session.h"

#include <stddef.h>
#include <stdlib.h>

#include "disconnects.h"

static struct session *add(struct expiry_heap *heap, const struct session *content,
                           int64_t expires_ms)
{
    struct session *session = malloc(sizeof *session);

    if (session == NULL)
        return NULL;
    *session = *content;
    session->heap = heap;
    if (!expiry_add(heap, &session->expiry, expires_ms)) {
        free(session);
        return NULL;
    }
    return session;
}

struct session *session_new(struct expiry_heap *heap, ws_server_client *client,
                            const struct token_claims *claims)
{
    const struct session content = {.client = client, .is_staff = claims->is_staff};

    return add(heap, &content, claims->expires_ms);
}

struct session *session_new_polled(struct expiry_heap *heap, ws_conn_id id, int64_t expires_ms,
                                   bool is_staff)
{
    const struct session content = {.id = id, .is_staff = is_staff};

    return add(heap, &content, expires_ms);
}

bool session_renew(struct session *session, const struct token_claims *claims)
{
    if (!expiry_is_set(&session->expiry))
        return false;
    expiry_move(session->heap, &session->expiry, claims->expires_ms);
    session->is_staff = claims->is_staff;
    return true;
}

/* With the code for a client that polls, stock clients reconnect, as they do when a WebSocket
 * ends. */
static int end(const struct session *session, ws_manager *manager)
{
    static const char expired[] = "token expired";

    return session->client != NULL
               ? ws_server_client_close(session->client, WS_CLOSE_UNAUTHORIZED, expired)
               : ws_manager_disconnect(manager, session->id, WS_CLOSE_POLICY_VIOLATION,
                                       expired);
}

bool session_end_expired(struct expiry_heap *heap, ws_manager *manager, int64_t now_ms)
{
    struct expiry *first = expiry_first(heap);
    struct session *session;

    if (first == NULL || first->due_ms > now_ms)
        return false;
    session = (struct session *)(void *)((char *)first - offsetof(struct session, expiry));
    /* Ending a client may free its session. */
    expiry_remove(heap, first);
    if (!disconnects_is_final(end(session, manager)))
        expiry_add(heap, first, now_ms + DISCONNECTS_AGAIN_MS); /* in its former place */
    return true;
}

void session_free(struct session *session)
{
    if (session != NULL) {
        expiry_remove(session->heap, &session->expiry);
        free(session);
    }
}
