/* loop.h: a loop's state, its inbox of commands, and the posting of them from any thread.
 * Not here: what the commands do (command.h) and when they are carried out (turn.c). */
#ifndef WS_CORE_LOOP_H
#define WS_CORE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/loop.h>

#include "base/host_clock.h"
#include "core/account.h"
#include "core/counters.h"
#include "core/drain.h"
#include "core/input.h"
#include "core/log_share.h"
#include "core/manager.h"
#include "core/paces.h"
#include "core/page_waits.h"
#include "core/recovery_list.h"
#include "core/slots.h"
#include "core/timer_wheel.h"

struct connection;
struct recovery;

enum command_kind {
    COMMAND_EVENT,       /* message to the members of share; NULL: to everyone */
    COMMAND_BUNDLED,     /* an event that goes with one before it (bundle.h) */
    COMMAND_SEND,        /* message to connection */
    COMMAND_CONNECT,     /* connection becomes live; share: its user's, or NULL */
    COMMAND_JOIN,        /* connection enters share's room */
    COMMAND_LEAVE,       /* connection leaves share's room */
    COMMAND_CLIENT_JOIN, /* connection's client asked for that; detail->text: its ref */
    COMMAND_CLIENT_LEAVE,
    COMMAND_REAUTHORIZE, /* connection leaves the rooms that it may not be in any more */
    COMMAND_DISCONNECT,  /* connection ends */
    COMMAND_EPOCH,       /* the history begins anew, with the epoch in detail->text */
    COMMAND_FETCHED,     /* pages that recoveries wait for have come (page_waits.h) */
    COMMAND_DRAIN        /* all connections end, as the struct drain in detail->text says */
};

/* What a command carries beside its pointers. */
struct detail {
    uint16_t code; /* of a disconnect */
    size_t length;
    char text[]; /* reason of a disconnect, ref of a request, epoch; NUL-terminated */
};

/* What a command costs of a turn's budget, beside the deliveries that it makes, and the rooms that it
 * asks for. */
enum { COMMAND_COST = 8 };

/* What it costs to ask for a room. */
static inline uint32_t room_cost(const ws_manager *manager)
{
    return COMMAND_COST + (manager->options.authorize_join != NULL ? INPUT_COST_CALLBACK : 0);
}

/* A call that was made for this loop, in its place in the total order. */
struct command {
    uint8_t kind;           /* enum command_kind */
    struct account account; /* on which it was posted */
    union {
        uint32_t ping_interval_ms; /* of COMMAND_CONNECT: for the welcome */
        uint32_t work; /* of the others: what a client's work, or the stream's, costs */
    };
    struct connection *connection; /* one pin */
    struct share *share;           /* one pin */
    ws_message *message;           /* one reference */
    union {
        struct detail *detail;     /* owned */
        struct recovery *recovery; /* of COMMAND_CONNECT; owned */
    };
    uint64_t position; /* of the newest event when it was posted */
};

struct inbox {
    struct command *items;
    size_t count;
    size_t n_of[N_ACCOUNTS]; /* of these, on each account */
    size_t capacity;
};

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
    struct input_list inputs; /* connections whose clients sent something */
    struct recovery_list ready;
    struct recovery_list waiting; /* but for pages */
    struct page_waits page_waits;
    struct ending *ending;            /* connections in the middle of connection_end() */
    struct connection *doomed;        /* to be ended when the current command is done */
    struct connection *graves;        /* ended, to be freed when the library is left */
    struct output_node *output_first; /* OUTPUT_END: none */
    struct output_node *output_last;
    struct host_clock clock; /* what the host tells; all that is due goes by `timers` */
    struct timer_wheel timers;
    struct drain drain;
    struct paces paces;
    struct log_share logged_ends; /* of those that are too slow, or send too fast */
    struct counters counters;
    void *transport_part; /* what the inner transport keeps for this loop */
    void (*free_transport_part)(ws_loop *loop);
};

/* --- posting ------------------------------------------------------------------------------- */

/* One step under the manager's lock, and the wake-ups that it brought. */
struct posting {
    ws_manager *manager;
    unsigned n_wake;
    ws_loop *wake[MANAGER_MAX_LOOPS];
};

void posting_begin(struct posting *posting, ws_manager *manager);
void posting_end(struct posting *posting);

/* Room for one more command, or for n; WS_ERR_BACKPRESSURE (if `limited`, and max_pending wait on the
 * thread's account) or WS_ERR_NO_MEMORY. */
int loop_reserve(ws_loop *loop, bool limited);
int loop_reserve_n(ws_loop *loop, size_t n, bool limited);

/* Adds a command, for which room was reserved; pins and references become the inbox's. */
void posting_push(struct posting *posting, ws_loop *loop, const struct command *command);

/* Has the loop run soon, for something that was left with it without a command. The loop's
 * thread. */
void loop_wake(ws_loop *loop);

/* To be called at the end of each public call that may be made outside of ws_loop_run(), and after
 * which the host is not told to run the loop: has it run if the call left something to it, a
 * connection to be ended, a recovery that can go on, or a timer of which the host's deadline does
 * not know. The loop's thread. */
void loop_call_done(ws_loop *loop);

/* Text that goes with a command; NULL if memory ran out. */
struct detail *detail_new(const ws_allocator *memory, const char *text, size_t length);

/* The same for the end of a connection. */
struct detail *detail_new_close(const ws_allocator *memory, uint16_t code, const char *reason,
                                size_t length);

/* --- being inside the library ---------------------------------------------------------------- */

/* Marks this thread as being inside a call on `loop` after which the host runs it, so that
 * posting to it needs no wake-up. Returns what loop_leave() wants. */
ws_loop *loop_enter(ws_loop *loop);
void loop_leave(ws_loop *previous);

/* Whether the loop is the parent's: this is the child of a fork(), which has not run it. */
bool loop_is_parents(const ws_loop *loop);

/* --- output ---------------------------------------------------------------------------------- */

#define OUTPUT_END ((struct output_node *)1)

/* Lists a node, if it isn't yet. It stays listed until loop_next_output() returns it. */
void loop_list_output(ws_loop *loop, struct output_node *node);

/* The node that was listed first, which is not any more; NULL if there is none. */
struct output_node *loop_next_output(ws_loop *loop);

#endif
