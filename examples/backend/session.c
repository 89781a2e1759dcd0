/* session.c: what a WebSocket's token grants, and until when.
 * Tokens are checked in token.c and accepted in admission.c. */
#include "session.h"

#include <stddef.h>
#include <stdlib.h>

struct session *session_new(struct expiry_heap *heap, ws_websocket *websocket,
                            const struct token_claims *claims)
{
    struct session *session = malloc(sizeof *session);

    if (session == NULL)
        return NULL;
    *session =
        (struct session){.heap = heap, .websocket = websocket, .is_staff = claims->is_staff};
    if (!expiry_add(heap, &session->expiry, claims->expires_ms)) {
        free(session);
        return NULL;
    }
    return session;
}

bool session_renew(struct session *session, const struct token_claims *claims)
{
    if (!expiry_is_set(&session->expiry))
        return false;
    expiry_move(session->heap, &session->expiry, claims->expires_ms);
    session->is_staff = claims->is_staff;
    return true;
}

void session_end_expired(struct expiry_heap *heap, int64_t now_ms)
{
    struct expiry *first;

    while ((first = expiry_first(heap)) != NULL && first->due_ms <= now_ms) {
        struct session *session =
            (struct session *)(void *)((char *)first - offsetof(struct session, expiry));

        expiry_remove(heap, first);
        ws_websocket_close(session->websocket, WS_CLOSE_UNAUTHORIZED, "token expired");
    }
}

void session_free(struct session *session)
{
    if (session != NULL) {
        expiry_remove(session->heap, &session->expiry);
        free(session);
    }
}
