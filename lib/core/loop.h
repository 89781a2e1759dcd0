/* loop.h: a loop's state, its inbox of commands, and the posting of them from any thread.
 * Not here: what the commands do (command.h) and when they are carried out (turn.c). */
#ifndef WS_CORE_LOOP_H
#define WS_CORE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/loop.h>

#include "core/counters.h"
#include "core/manager.h"
#include "core/timer_wheel.h"

struct connection;

enum command_kind {
    COMMAND_EVENT,      /* message to the members of share */
    COMMAND_SEND,       /* message to connection */
    COMMAND_CONNECT,    /* connection becomes live; share: its user's, or NULL */
    COMMAND_RECEIVE,    /* connection's client sent detail->text */
    COMMAND_JOIN,       /* connection enters share's room */
    COMMAND_LEAVE,      /* connection leaves share's room */
    COMMAND_FINISH,     /* connection ends, once what its client said has been answered */
    COMMAND_DISCONNECT, /* connection ends */
    COMMAND_DRAIN       /* all connections end */
};

/* What a command carries beside its pointers. */
struct detail {
    uint16_t code; /* of a disconnect */
    bool is_text;  /* of what a client sent */
    size_t length;
    char text[]; /* reason of a disconnect, what a client sent; NUL-terminated */
};

/* A call that was made for this loop, in its place in the total order. */
struct command {
    enum command_kind kind;
    struct connection *connection; /* one pin */
    struct share *share;           /* one pin */
    ws_message *message;           /* one reference */
    struct detail *detail;         /* owned */
    uint64_t position;             /* of the newest event when it was posted */
};

struct inbox {
    struct command *items;
    size_t count;
    size_t capacity;
};

/* A place for a connection; its number is part of the connection's id. */
struct slot {
    struct connection *connection; /* NULL: free */
    uint32_t next_free;
};

/* Connections that have bytes to write: a list in which a transport links its own. */
struct output_node {
    struct output_node *next;
    struct output_node **link; /* what points to this node; NULL when it is not listed */
};

struct ws_loop {
    ws_manager *manager;
    uint32_t number; /* in manager->loops */
    ws_loop_options options;

    /* Guarded by the manager's lock: */
    struct inbox inbox;
    bool awake;      /* a wake-up was made that no turn has answered yet */
    unsigned wakers; /* threads that are calling wake() */
    struct slot *slots;
    size_t n_slots; /* used or on the list of free ones */
    size_t slots_capacity;
    uint32_t free_slot; /* SLOT_NONE: none */
    uint32_t n_connections;
    struct share *unnamed[2]; /* GROUP_EVERYONE, GROUP_RAW; pinned as long as the loop lives */

    /* The loop's thread alone: */
    unsigned busy;             /* depth of library calls that use connections */
    bool running;              /* within ws_loop_run() */
    uint64_t walk;             /* number of the last delivery to a share */
    struct inbox batch;        /* what is being carried out */
    struct ending *ending;     /* connections in the middle of connection_end() */
    struct connection *doomed; /* to be ended when the current command is done */
    struct connection *graves; /* ended, to be freed when the library is left */
    struct output_node *output;
    struct output_node **output_end;
    struct timer_wheel timers;
    struct counters counters;
    void *transport_pool; /* what the WebSocket transport keeps for this loop */
    void (*free_transport_pool)(ws_loop *loop);
};

static const uint32_t SLOT_NONE = UINT32_MAX;

/* --- posting ------------------------------------------------------------------------------- */

/* One step under the manager's lock, and the wake-ups that it brought. */
struct posting {
    ws_manager *manager;
    unsigned n_wake;
    ws_loop *wake[MANAGER_MAX_LOOPS];
};

void posting_begin(struct posting *posting, ws_manager *manager);
void posting_end(struct posting *posting);

/* Room for one more command; WS_ERR_BACKPRESSURE (if `limited`) or WS_ERR_NO_MEMORY. */
int loop_reserve(ws_loop *loop, bool limited);

/* Adds a command, for which room was reserved; pins and references become the inbox's. */
void posting_push(struct posting *posting, ws_loop *loop, const struct command *command);

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

/* --- output ---------------------------------------------------------------------------------- */

void loop_list_output(ws_loop *loop, struct output_node *node);
void loop_unlist_output(ws_loop *loop, struct output_node *node);

#endif
