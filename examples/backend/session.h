/* session.h: what the token of a client grants, and until when.
 * Tokens are checked by token.h and accepted by admission.h. */
#ifndef BACKEND_SESSION_H
#define BACKEND_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

#include "expiry.h"
#include "token.h"

struct session {
    struct expiry expiry;
    struct expiry_heap *heap; /* the loop's */
    bool is_staff;
    bool is_polled; /* the client's connection owns it, not one of the backend's */
    ws_conn_id id;  /* then: that connection; it may change its transport */

    /* Else one of these: */
    ws_websocket *websocket;
    ws_http *http; /* of a stream, once that is open */
};

/* A session that ends when the token expires; `websocket` NULL: of a stream. NULL when memory is
 * short. On the loop's thread, like all functions here. */
struct session *session_new(struct expiry_heap *heap, ws_websocket *websocket,
                            const struct token_claims *claims);

/* The session of a client that polls. */
struct session *session_new_polled(struct expiry_heap *heap, ws_conn_id id, int64_t expires_ms,
                                   bool is_staff);

/* Takes over what a new token of the same user grants. False when the session is over. */
bool session_renew(struct session *session, const struct token_claims *claims);

/* Ends the connection of the client whose token expired first. False if none has expired by now. */
bool session_end_expired(struct expiry_heap *heap, ws_manager *manager, int64_t now_ms);

/* NULL does nothing. */
void session_free(struct session *session);

#endif
