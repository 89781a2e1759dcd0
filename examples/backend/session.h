/* session.h: what the token of a client grants, and until when.
 * Tokens are checked by token.h and accepted by admission.h. */
#ifndef BACKEND_SESSION_H
#define BACKEND_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

#include "expiry.h"
#include "token.h"
#include <ws_manager/server.h>

struct session {
    struct expiry expiry;
    struct expiry_heap *heap; /* the thread's */
    bool is_staff;
    ws_server_client *client; /* NULL: one that polls, whose connection owns the session */
    ws_conn_id id;            /* then: that connection; it may change its transport */
};

/* The session of a WebSocket or a stream, which ends when the token expires. NULL when memory
 * is short. On the client's thread, like all functions here. */
struct session *session_new(struct expiry_heap *heap, ws_server_client *client,
                            const struct token_claims *claims);

/* The session of a client that polls. */
struct session *session_new_polled(struct expiry_heap *heap, ws_conn_id id, int64_t expires_ms,
                                   bool is_staff);

/* Takes over what a new token of the same user grants. False when the session is over. */
bool session_renew(struct session *session, const struct token_claims *claims);

/* Ends the connection of the client whose token expired first, or tries again after a while. False
 * if none has expired by now. */
bool session_end_expired(struct expiry_heap *heap, ws_manager *manager, int64_t now_ms);

/* NULL does nothing. */
void session_free(struct session *session);

#endif
