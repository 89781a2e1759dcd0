/* waiting.h: what waits on a loop for an answer: messages and requests of clients that the
 * application has not answered, and requests to clients that they have not answered.
 *
 * A connection has a struct waiting while anything of it waits, so an idle connection holds
 * none. All functions are for the loop's thread. */
#ifndef WS_CORE_CLIENTS_WAITING_H
#define WS_CORE_CLIENTS_WAITING_H

#include "base/json_text.h"
#include "core/connections/connection.h"
#include "core/sending/waiting_ack.h"

struct former;

/* What the application is to answer. */
struct waiting_answer {
    struct timer timer; /* of kind TIMER_ANSWER; runs once the application has deferred it */
    struct waiting_answer *next;
    struct waiting_answer *previous;
    struct connection *connection;
    uint64_t number;
    bool has_place;  /* places.h; not before it is known that the answer comes later */
    bool is_request; /* answered with `response`, else with `ack` */
    uint16_t ref_length;
    char ref[]; /* as JSON; 0 bytes: the request has none */
};

void waiting_init(ws_loop *loop);
void waiting_free(ws_loop *loop);

/* The connection ends: what the application was to answer is given up. Returns the requests to the
 * client, for waiting_close(). */
struct waiting_ack *waiting_end(struct connection *connection);

/* Settles requests with WS_ERR_CLOSED, once their connection can no longer be found: the
 * application is called. */
void waiting_close(ws_loop *loop, struct waiting_ack *acks);

/* Makes an entry for what a client has sent. Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int waiting_add_answer(struct connection *connection, struct json_slice ref, bool is_request,
                       uint64_t *number);

/* Takes a place for an answer that comes later, unless it has one; false if there is none. */
bool waiting_reserve(struct waiting_answer *answer);

/* Finds an entry; NULL if it was answered. */
struct waiting_answer *waiting_find_answer(struct connection *connection, uint64_t number);

/* Takes an entry out. The caller frees it with memory_free(). */
void waiting_take_answer(struct waiting_answer *answer);

/* What waits for a client's past (former.h); NULL: nothing. waiting_set_former() replaces it; false
 * if memory ran out, not with NULL. */
struct former *waiting_former(const struct connection *connection);
bool waiting_set_former(struct connection *connection, struct former *former);

/* Waits for the response to a request that was sent, or settles it if too many wait. */
void waiting_await(struct connection *connection, struct waiting_ack *ack);

/* Takes out the request with this id, to be settled; NULL if there is none. *passed is how many
 * others were looked at. */
struct waiting_ack *waiting_take_ack(struct connection *connection, int64_t id,
                                     uint32_t *passed);

#endif
