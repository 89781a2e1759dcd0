/* input.h: the connections whose clients sent something that has not been carried out yet, and the
 * fair turns in which they are served.
 *
 * What clients send never stands in a loop's inbox, where the application's events wait. It stays
 * with its connection, bounded, and the host is told to stop reading from that client. A turn
 * serves the connections round-robin, each by cost (deficit round-robin): one that floods delays
 * the others by its quantum. What is posted for clients' messages (answers, and whatever callbacks
 * send) is charged to them, and counted until it is carried out; while that is too much, no further
 * message of that loop's clients is served. */
#ifndef WS_CORE_INPUT_H
#define WS_CORE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/account.h"

struct ws_manager;
struct ws_loop;

/* Costs, in the unit of a turn's budget: one delivery, about 100 ns. */
enum {
    INPUT_COST_MESSAGE = 8,   /* any message, and its answer */
    INPUT_COST_CALLBACK = 64, /* the application is called for it */
    INPUT_COST_TOKEN = 1024,  /* a signature is checked: 2 µs (HMAC) to 200 µs (RSA, ECDSA) */
    INPUT_COST_CONTROL_FRAME = 8, /* a pong is queued */
    INPUT_COST_BLOCK = 16, /* of DEFLATE: its codes' tables are made, for as few as 12 bytes */
    INPUT_BYTES_PER_UNIT = 64 /* unmasked, inflated, checked and parsed */
};

/* Stops the reading: a connection with so many bytes, or messages, that were not looked at yet. */
enum { INPUT_HIGH_BYTES = 16384, INPUT_HIGH_MESSAGES = 256 };

/* One connection's place in the turns; in the memory of whatever holds what it sent. */
struct input {
    struct input *next;
    struct input *previous;
    bool listed;
    bool served;    /* right now */
    int32_t credit; /* what it may still cost in this round; negative: was overdrawn */

    /* Carries out what came in while input_may_go_on(), lists it again if that was not all, and
     * returns the cost. It may be freed there. */
    uint32_t (*serve)(struct ws_loop *loop, struct input *input);
};

struct input_list {
    struct input *first;
    struct input *last;
    size_t count;
};

/* Lists it as the last one, unless it is listed. */
void input_list_add(struct ws_loop *loop, struct input *input);

/* Takes it out, if it is listed. */
void input_list_remove(struct ws_loop *loop, struct input *input);

/* Within serve(): whether one more message may be carried out now. */
bool input_may_go_on(const struct ws_loop *loop, const struct input *input);

/* Within serve(): charges a cost, and what was posted meanwhile; both are added to *sum. */
void input_charge(struct input *input, uint32_t cost, uint32_t *sum);

/* Serves the connections in turn, until nothing is left or *budget is spent. True if anything was
 * carried out. The loop's thread, within its turn. */
bool inputs_run(struct ws_loop *loop, uint32_t *budget);

/* Whether no client is served until loops have carried out what clients of this one brought about. */
bool inputs_are_held_back(const struct ws_loop *loop);

/* --- what waits to be carried out ----------------------------------------------------------- */

/* Adds to, or takes from, what a client's message, or the stream, made a loop do. Any thread. */
void input_work_add(struct ws_loop *loop, struct account account, uint32_t work);
void input_work_done(struct ws_loop *loop, struct account account, uint32_t work);

/* Whether a loop has more than two turns' work from the stream. Any thread. */
bool input_is_behind(const struct ws_loop *loop);

#endif
