/* disconnects.h: clients that must be disconnected although the library could not take the order.
 * It cannot when memory is short, or when too much waits for its loops. */
#ifndef BACKEND_DISCONNECTS_H
#define BACKEND_DISCONNECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

/* When more wait, this is logged, and the client stays: the library refuses for moments, in which
 * few clients are disconnected. */
enum { DISCONNECTS_MAX = 1024, DISCONNECTS_AGAIN_MS = 1000 };

struct disconnect {
    ws_conn_id id;
    const char *reason; /* a constant; or NULL */
    uint16_t code;
};

/* Of a thread. All zero: empty. */
struct disconnects {
    struct disconnect waiting[DISCONNECTS_MAX];
    size_t count;
    uint64_t due_ms; /* 0: in the next turn */
};

/* Whether trying again would not change the result of disconnecting. */
static inline bool disconnects_is_final(int result)
{
    return result != WS_ERR_NO_MEMORY && result != WS_ERR_BACKPRESSURE;
}

/* Disconnects a client, now or as soon as the library takes it. False if it has to wait: then the
 * thread must have a turn. */
bool disconnects_order(struct disconnects *disconnects, ws_manager *manager,
                       const struct disconnect *disconnect);

/* Tries those that wait, in turns DISCONNECTS_AGAIN_MS apart. Returns when to call it again. */
uint64_t disconnects_run(struct disconnects *disconnects, ws_manager *manager, uint64_t now_ms);

#endif
