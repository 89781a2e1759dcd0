/* loop_state.h: the state of a loop, and the list of its connections that have output.
 * Not here: its life and its turns (loop/loop.c), and posting to it (inbox.h). */
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
#include "base/name_table.h"
#include "base/slots.h"
#include "core/commands.h"
#include "core/counters.h"
#include "core/input_list.h"
#include "core/log_limit.h"
#include "core/manager.h"
#include "core/timer_wheel.h"

struct recoveries;

/* A delivery in progress, perhaps over several slices. Still to be reached are the first `left`
 * members of the share or, for everyone, the connections in the slots below `left`. */
struct delivery {
    struct share *share; /* NULL: everyone, or no delivery */
    uint32_t left;
    bool running;
};

/* If connections are reauthorized each time that the application is asked about a room, it is
 * asked so often, and then the client is refused. */
enum { AUTHORIZED_AT_MOST = 16 };

/* A reauthorization in progress, perhaps over several turns: the application is asked again
 * about each of the client's rooms. Still to be asked are the first `left`. */
struct reauthorization {
    ws_conn_id connection;
    uint32_t left;
    /* Reauthorizations of this connection in a row that were requested while it was asked. */
    uint32_t n_before;
    bool running;
    bool is_asking; /* within the callback */
    bool again;     /* the callback requested another one, which begins after this one */
};

/* The round that resets full buckets (clients/rate_limit.c). */
struct bucket_round {
    struct timer timer;
    uint32_t below;     /* slots below this are still to be checked */
    bool is_running;    /* `timer` is running */
    bool has_found_any; /* some bucket is not full */
};

enum { DRAIN_REASON_SIZE = 124 }; /* that of a close frame (RFC 6455 §5.5), and a NUL */

/* The parameters of a drain, copied to each loop. */
struct drain_plan {
    uint16_t code;
    uint32_t retry_spread_ms;
    uint32_t spread_ms;
    uint64_t seed; /* of the random delays after which clients are asked to reconnect */
    char reason[DRAIN_REASON_SIZE];
};

/* A loop's share of a drain (clients/drain.c). */
struct drain {
    struct timer timer;
    bool running;
    struct drain_plan plan;
    uint64_t begin_ms;
    uint32_t total;    /* connections at the beginning */
    uint32_t closed;   /* closed so far */
    uint32_t below;    /* slots from here on are done */
    uint64_t random;   /* seeded from the plan */
    uint32_t retry_ms; /* when the client being ended shall connect again; 0: not said */
};

/* Clients whose notes are written at the end of the turn (clients/notes.h). */
enum { TO_NOTE_MAX = 16 };

struct to_note {
    ws_conn_id ids[TO_NOTE_MAX];
    uint32_t count;
};

/* An entry in the list of connections that have bytes to write; embedded in the transport's
 * connection. */
struct output_node {
    struct output_node *next; /* NULL: not listed; the last one's is OUTPUT_END */
};

struct output_list {
    struct output_node *first; /* OUTPUT_END: none */
    struct output_node *last;
};

/* A loop has a list for each kind of connection that the host asks for. */
enum output_kind { OUTPUT_WEBSOCKET, OUTPUT_HTTP, N_OUTPUTS };

/* What the built-in transports keep for each loop. */
enum transport_part {
    PART_SHARED,
    PART_SESSIONS,
    PART_WEBSOCKET,
    PART_HTTP,
    PART_POLLING,
    PART_REMEMBERING,
    PART_RECEIPTS,
    N_PARTS
};

struct ws_loop {
    ws_manager *manager;
    uint32_t number; /* in manager->loops */
    ws_loop_options options;

    /* Guarded by the manager's lock: */
    struct inbox inbox;
    bool awake;         /* woken, and no turn has begun since */
    bool awaits_page;   /* post COMMAND_FETCHED when a page arrives */
    unsigned wakers;    /* threads that are calling wake() */
    struct slots slots; /* entries are removed by the loop's thread alone */
    uint32_t n_connections;
    _Atomic uint32_t n_custom; /* of these, on the application's own transports */

    /* Any thread: the cost of unfinished work that came from the stream (backlog.h). */
    _Atomic uint64_t stream_backlog;

#if WS_CHECKS || !defined(NDEBUG)
    _Atomic uintptr_t inside; /* a thread_self(), while `busy` > 0: see loop_assert_thread() */
#endif
#if WS_CHECKS
    _Atomic uintptr_t owner; /* a thread_self(): it called ws_loop_run() last */
    atomic_bool has_strayed; /* a call on another thread was reported */
#endif

    /* The loop's thread alone: */
    uint32_t for_recovery; /* left of a turn's budget for recoveries, until the next turn */
    uint32_t preparing;    /* sum of loop_charge() that is not taken yet */
    unsigned n_hosted;     /* WebSockets and HTTP requests that the host has not freed */
    unsigned busy;         /* depth of library calls that use connections */
    bool running;          /* within ws_loop_run() */
    struct inbox batch;    /* the commands in execution; the first `done` are finished */
    size_t done;
    unsigned n_forks;       /* forks_count() when `epoch` was copied */
    bool has_epoch;         /* false: no client can recover before the cluster is reached */
    char epoch[EPOCH_SIZE]; /* epoch of the ids that clients get, as of the executed commands */
    uint64_t position; /* every event up to this position that was posted here was executed */
    uint64_t carried;  /* of the newest event when the current command was posted */
    uint64_t batch_position; /* of the newest event when the batch was taken */
    uint64_t n_batches;
    struct delivery delivery;
    struct reauthorization reauthorization;
    struct input_list inputs; /* connections with client input */
    uint32_t for_named_rooms; /* left in this turn for clients/named_rooms.c, beside `inputs` */
    struct recoveries *recoveries; /* recovering clients (recovery/recovery.h) */
    void (*cancel_recovery)(struct connection *connection); /* set by recovery.c */
    struct ending *ending;     /* connections in the middle of connection_end() */
    struct connection *doomed; /* to be ended when the current command is done */
    struct connection *graves; /* ended; freed when the outermost library call returns */
    struct output_list outputs[N_OUTPUTS];
    struct host_clock clock; /* the host's clock; everything that expires uses `timers` */
    struct timer_wheel timers;
    struct drain drain;
    struct bucket_round bucket_round;
    struct timer presence_timer;    /* while this loop keeps presence (presence/beat.c) */
    uint64_t presence_at_ms;        /* of its last beat; 0: none since it began */
    uint32_t for_presence;          /* left in this turn for on_presence */
    bool presence_is_behind;        /* that was too little: the next turn goes on */
    struct places places[N_PLACES]; /* its part of the manager's */
    struct name_table waiting; /* by connection: what waits for answers (clients/waiting.h) */
    uint8_t waiting_secret[NAME_TABLE_SECRET];
    struct to_note to_note;
    struct {
        size_t bytes;
        uint32_t count;
    } held; /* clients' messages that wait until their past is known (clients/former.c) */
    struct log_limit logged_ends; /* for clients that are too slow or send too fast */
    struct counters counters;
    void *parts[N_PARTS]; /* by enum transport_part; NULL: not needed so far */
    void (*free_part[N_PARTS])(ws_loop *loop);
};

/* In builds with assertions: no other thread is inside the library on behalf of this loop. The
 * host may hand a loop from one thread to another, but not while a thread is inside. */
static inline void loop_assert_thread(const ws_loop *loop)
{
    (void)loop;
#ifndef NDEBUG
    uintptr_t inside = atomic_load_explicit(&loop->inside, memory_order_relaxed);

    assert(inside == 0 || inside == thread_self());
#endif
}

/* Records the thread for loop_assert_thread() when `busy` becomes positive, and 0 when it is 0
 * again. */
static inline void loop_set_inside(ws_loop *loop, uintptr_t thread)
{
#if WS_CHECKS || !defined(NDEBUG)
    atomic_store_explicit(&loop->inside, thread, memory_order_relaxed);
#else
    (void)loop;
    (void)thread;
#endif
}

/* Whether this is the child of a fork() that has not run the loop, so that the loop is still
 * the parent's. */
bool loop_is_parents(const ws_loop *loop);

/* Adds a cost where the budget that it is taken from is not known: of compressing messages, of
 * ending clients that were too slow or too fast, of callbacks that are called deep inside. */
static inline void loop_charge(ws_loop *loop, uint32_t cost)
{
    loop->preparing +=
        cost < UINT32_MAX - loop->preparing ? cost : UINT32_MAX - loop->preparing;
}

/* Returns the sum of these costs since the last call. */
static inline uint32_t loop_take_preparing(ws_loop *loop)
{
    uint32_t cost = loop->preparing;

    loop_assert_thread(loop);
    loop->preparing = 0;
    return cost;
}

/* --- output ------------------------------------------------------------------------------- */

#define OUTPUT_END ((struct output_node *)1)

/* Lists a node, unless it is listed. It stays listed until loop_next_output() returns it. */
void loop_list_output(ws_loop *loop, enum output_kind kind, struct output_node *node);

/* Removes and returns the node that was listed first; NULL if there is none. */
struct output_node *loop_next_output(ws_loop *loop, enum output_kind kind);

#endif
