/* session.h: what a WebSocket's token grants, and until when.
 * Tokens are checked by token.h and accepted by admission.h. */
#ifndef BACKEND_SESSION_H
#define BACKEND_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/websocket.h>

#include "expiry.h"
#include "token.h"

struct session {
    struct expiry expiry;
    struct expiry_heap *heap; /* the loop's */
    ws_websocket *websocket;
    bool is_staff;
};

/* A session that ends when the token expires. NULL when memory is short. On the loop's thread,
 * like all functions here. */
struct session *session_new(struct expiry_heap *heap, ws_websocket *websocket,
                            const struct token_claims *claims);

/* Takes over what a new token of the same user grants. False when the session is over. */
bool session_renew(struct session *session, const struct token_claims *claims);

/* Closes the WebSockets whose tokens have expired by now. */
void session_end_expired(struct expiry_heap *heap, int64_t now_ms);

/* NULL does nothing. */
void session_free(struct session *session);

#endif
