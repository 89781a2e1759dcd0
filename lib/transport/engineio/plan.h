/* plan.h: a room that a client of Socket.IO asked to join or leave. A cluster's carrier remembers
 * the session as it will be then, before the client has its answer.
 * Not here: waiting for the carrier (receipt.h), and what it is given (remember.h). */
#ifndef WS_TRANSPORT_ENGINEIO_PLAN_H
#define WS_TRANSPORT_ENGINEIO_PLAN_H

#include "core/transport/transport_side.h"

struct engineio_socket;

struct plan {
    struct engineio_socket *socket;
    struct recall *recall; /* the receipt that is awaited; NULL: none */
    struct timer timer;    /* of kind TIMER_RECEIPT: until which it is awaited */
    struct input *input;   /* of the client: it waits meanwhile; NULL: none waits */
    bool is_requested;     /* the core carries it out, or has done so */
    bool is_remembered;    /* the carrier has a record with this digest */
    uint64_t digest;
    struct client_message message; /* its texts are in `text` */
    char text[];
};

/* Copies a request to join or leave a room; NULL if memory ran out. */
struct plan *plan_new(const ws_allocator *memory, struct engineio_socket *socket,
                      const struct client_message *message);

/* Waits no longer, and goes on with what the client sends. NULL does nothing. */
void plan_free(struct plan *plan, ws_loop *loop);

/* Whether the client's further packets wait. */
static inline bool plan_is_waiting(const struct plan *plan)
{
    return plan != NULL && !plan->is_requested;
}

/* Changes the record of a session to what it will be. */
void plan_apply(const struct plan *plan, struct buffer *record);

/* Notes that the carrier has a record; whether it has had that one already. */
void plan_note(struct plan *plan, const struct buffer *record);
bool plan_is_noted(const struct plan *plan, const struct buffer *record);

#endif
