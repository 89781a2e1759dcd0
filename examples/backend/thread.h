/* thread.h: what each thread of the server has for the tokens of its clients.
 * The tokens are checked by admission.h. */
#ifndef BACKEND_THREAD_H
#define BACKEND_THREAD_H

#include <stdint.h>

#include "expiry.h"
#include "grants.h"
#include <ws_manager/server.h>

struct thread {
    ws_server *server;
    uint32_t number; /* as the server counts them */
    struct expiry_heap expiries;
    struct grants grants;
};

/* The one that runs; NULL: none. */
struct thread *thread_current(void);

/* Makes one current. Call it on its thread. */
void thread_begin(struct thread *thread, ws_server *server);

/* Call it when an expiry was added or moved: the server must not wait for longer than until
 * then. */
void thread_note(const struct thread *thread, const struct expiry *expiry);

#endif
