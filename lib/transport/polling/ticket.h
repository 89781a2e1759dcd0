/* ticket.h: a request of polling on its way from its own loop to that of its session, and back.
 * Not here: what it does there (polls.h, posts.h). */
#ifndef WS_TRANSPORT_POLLING_TICKET_H
#define WS_TRANSPORT_POLLING_TICKET_H

#include <stdatomic.h>

#include "core/transport/transport_side.h"
#include "transport/engineio/packet.h"
#include "transport/engineio/sid.h"
#include "transport/http/body.h"
#include "transport/polling/answer.h"

struct polling;

/* Two references are held: one by the HTTP request, one by the inbox or the session where the
 * ticket is at the time. */
struct ticket {
    struct loop_call call; /* first */
    ws_manager *manager;
    _Atomic unsigned refs;
    uint32_t origin; /* the number of the request's loop */
    uint32_t owner;  /* that of the session's */
    struct sid_key key;
    const ws_endpoint *endpoint; /* to compare it; never followed */
    bool is_post;

    /* First the body of a POST, then the packets for a GET. */
    struct http_body body;
    int status; /* of the answer */
    enum polling_error error;

    /* The thread of `owner` alone: */
    struct polling *polling;         /* where it waits; NULL: it does not */
    bool has_waited;                 /* since an earlier turn */
    struct engineio_payload payload; /* of a POST: what is left to process */
    struct ticket *older;            /* of those whose answers may be unread */

    /* The thread of `origin` alone: */
    ws_http *http; /* NULL: freed, or answered */
    bool is_answered;
    bool has_packets;  /* the answer brings what the session has sent */
    bool was_given_up; /* gone() was called */
    struct response response;

    /* Set by the thread of `owner`, when it no longer uses what the answer needs. */
    _Atomic bool is_finished;

    _Atomic bool is_over; /* its answer was released; set there, read by any thread */

    /* Called there when packets have arrived for a request that was freed. */
    void (*lost)(ws_loop *loop, struct ticket *ticket);
};

/* Makes the ticket of a request for a session of the loop `owner`, and takes over the response;
 * NULL if memory ran out. */
struct ticket *ticket_make(ws_http *http, uint32_t owner, const struct sid_key *key,
                           bool is_post, const struct response *response);

void ticket_ref(struct ticket *ticket);
void ticket_unref(struct ticket *ticket);

/* Nothing of the answer is left to be written. On the thread of `origin`. */
void ticket_written(struct ticket *ticket);

/* Lists a poll that is answered now, with a reference. */
void ticket_note_unread(struct ticket *ticket, struct ticket **list);

/* How many of the list are unread; forgets the others. */
unsigned ticket_count_unread(struct ticket **list);

void ticket_forget_unread(struct ticket **list);

/* Answers its request now, unless it was freed. */
void ticket_answer(struct ticket *ticket);

/* Answers it with an error of HTTP, in plain text. */
void ticket_fail(struct ticket *ticket, int status, const char *reason);

/* Ends its way, on the thread of the session's loop, and gives one reference back: 200 with what is
 * in `body`, or an error. */
void ticket_finish(ws_loop *loop, struct ticket *ticket, int status, enum polling_error error);

/* Ends its way without an answer: its session's loop ends. */
void ticket_drop(ws_loop *loop, struct ticket *ticket);

/* Whether ticket_finish() was called, so that it can be answered, on the thread of `origin`. */
static inline bool ticket_is_finished(const struct ticket *ticket)
{
    return atomic_load_explicit(&ticket->is_finished, memory_order_acquire);
}

#endif
