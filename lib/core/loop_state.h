/* loop_state.h: what a loop is made of, and the list of its connections that have output.
 * Not here: its life and its turns (loop/loop.c), and the posting to it (inbox.h). */
#ifndef WS_CORE_LOOP_STATE_H
#define WS_CORE_LOOP_STATE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/loop.h>

#include "base/host_clock.h"
#include "base/lock.h"
#include "base/slots.h"
#include "core/commands.h"
#include "core/counters.h"
#include "core/input_list.h"
#include "core/log_share.h"
#include "core/manager.h"
#include "core/timer_wheel.h"

struct recoveries;

/* An event on its way to its recipients, perhaps in several slices: those still to be reached are
 * the first members of the share or, of everyone, those in the lower slots. */
struct delivery {
    struct share *share; /* NULL: everyone, or there is none */
    uint32_t left;
    bool running;
};

/* A client's rooms, of which each is asked for anew, perhaps in several turns: those still to be asked
 * for are the first ones. */
struct reauthorization {
    uint32_t left;
    bool running;
};

/* The round in which buckets that have filled up are set back to "full" (clients/paces.c). */
struct pace_round {
    struct timer timer;
    uint32_t below;     /* the slots that it has still to look at */
    bool is_running;    /* the timer */
    bool has_found_any; /* buckets that are not full */
};

enum { DRAIN_REASON_SIZE = 124 }; /* what fits in a close frame (RFC 6455 §5.5), and a NUL */

/* What was asked for, and goes to each loop. */
struct drain_plan {
    uint16_t code;
    uint32_t retry_spread_ms;
    uint32_t spread_ms;
    uint64_t
        seed; /* of the numbers by which clients are told to come back at different times */
    char reason[DRAIN_REASON_SIZE];
};

/* A loop's share of a drain (clients/drain.c). */
struct drain {
    struct timer timer;
    bool running;
    struct drain_plan plan;
    uint64_t begin_ms;
    uint32_t total;  /* connections at the beginning */
    uint32_t closed; /* of them, so far */
    uint32_t below;  /* the slots from here on have been seen */
    uint64_t random; /* begins with the plan's seed */
};

/* Connections that have bytes to write: a list in which a transport links its own. */
struct output_node {
    struct output_node *next; /* NULL: not listed; the last one's is OUTPUT_END */
};

struct ws_loop {
    ws_manager *manager;
    uint32_t number; /* in manager->loops */
    ws_loop_options options;

    /* Guarded by the manager's lock: */
    struct inbox inbox;
    bool awake;         /* a wake-up was made that no turn has answered yet */
    bool awaits_page;   /* it is to be told when one comes */
    unsigned wakers;    /* threads that are calling wake() */
    struct slots slots; /* changed by the loop's thread alone when it takes one out */
    uint32_t n_connections;
    _Atomic uint32_t n_outer; /* of these, those of the application's own transports */

    /* Any thread: the cost of what came from the stream and is not carried out yet. */
    _Atomic uint64_t cluster_work;

#ifndef NDEBUG
    _Atomic uintptr_t inside; /* a thread_self(), while `busy` > 0: see loop_assert_thread() */
#endif

    /* The loop's thread alone: */
    unsigned busy;      /* depth of library calls that use connections */
    bool running;       /* within ws_loop_run() */
    struct inbox batch; /* what is being carried out, up to `done` */
    size_t done;
    unsigned n_forks; /* forks_count() when `epoch` was the manager's */
    bool has_epoch;   /* else nobody can recover yet: the cluster is still to be reached */
    char epoch[EPOCH_SIZE]; /* of the ids that clients get, by what was carried out */
    uint64_t position;      /* every event up to there was carried out, if it was posted here */
    uint64_t carried;       /* of the newest event when what is carried out now was posted */
    uint64_t batch_position; /* of the newest event when the batch was taken */
    uint64_t n_batches;
    struct delivery delivery;
    struct reauthorization reauthorization;
    struct input_list inputs;      /* connections whose clients sent something */
    struct recoveries *recoveries; /* clients that come back (recovery/recovery.h) */
    void (*cancel_recovery)(struct connection *connection); /* set by these */
    struct ending *ending;            /* connections in the middle of connection_end() */
    struct connection *doomed;        /* to be ended when the current command is done */
    struct connection *graves;        /* ended, to be freed when the library is left */
    struct output_node *output_first; /* OUTPUT_END: none */
    struct output_node *output_last;
    struct host_clock clock; /* what the host tells; all that is due goes by `timers` */
    struct timer_wheel timers;
    struct drain drain;
    struct pace_round pace_round;
    struct log_share logged_ends; /* of those that are too slow, or send too fast */
    struct counters counters;
    void *transport_part; /* what the inner transport keeps for this loop */
    void (*free_transport_part)(ws_loop *loop);
};

/* In builds with assertions: no other thread is within the library on behalf of this loop. The host
 * may hand a loop from one thread to another, but not while one is inside. */
static inline void loop_assert_thread(const ws_loop *loop)
{
    (void)loop;
#ifndef NDEBUG
    uintptr_t inside = atomic_load_explicit(&loop->inside, memory_order_relaxed);

    assert(inside == 0 || inside == thread_self());
#endif
}

/* For that: when `busy` begins, and with 0 when it ends. */
static inline void loop_set_inside(ws_loop *loop, uintptr_t thread)
{
#ifndef NDEBUG
    atomic_store_explicit(&loop->inside, thread, memory_order_relaxed);
#else
    (void)loop;
    (void)thread;
#endif
}

/* Whether the loop is the parent's: this is the child of a fork(), which has not run it. */
bool loop_is_parents(const ws_loop *loop);

/* --- output ---------------------------------------------------------------------------------- */

#define OUTPUT_END ((struct output_node *)1)

/* Lists a node, if it isn't yet. It stays listed until loop_next_output() returns it. */
void loop_list_output(ws_loop *loop, struct output_node *node);

/* The node that was listed first, which is not any more; NULL if there is none. */
struct output_node *loop_next_output(ws_loop *loop);

#endif
