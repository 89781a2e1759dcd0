/* thread.h: what each thread of the server has for its clients, most of it for their tokens.
 * The tokens are checked by admission.h. */
#ifndef BACKEND_THREAD_H
#define BACKEND_THREAD_H

#include <stdint.h>

#include "disconnects.h"
#include "expiry.h"
#include "grants.h"
#include <ws_manager/server.h>

struct thread {
    ws_server *server;
    uint32_t number; /* as the server counts them */
    struct expiry_heap expiries;
    struct grants grants;
    struct disconnects disconnects;
};

/* The one that runs; NULL: none. */
struct thread *thread_current(void);

/* Makes one current. Call it on its thread. */
void thread_begin(struct thread *thread, ws_server *server);

/* Call it when an expiry was added or moved: the server must not wait for longer than until
 * then. */
void thread_note(const struct thread *thread, const struct expiry *expiry);

/* Disconnects a client of the current thread, even if the library cannot take the order now. The
 * reason must be a constant, or NULL. */
void thread_disconnect(ws_manager *manager, ws_conn_id id, uint16_t code, const char *reason);

#endif
