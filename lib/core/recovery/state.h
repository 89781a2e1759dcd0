/* state.h: what a loop knows of the clients that come back to it, and what each of them waits for.
 * Not here: what is done for them (list.h, page_waits.h, read.h, recovery.h). */
#ifndef WS_CORE_RECOVERY_STATE_H
#define WS_CORE_RECOVERY_STATE_H

#include "core/connections/connection.h"

/* What a recovery waits for, and so the list on which it stands.
 *
 *  WAITS_FOR_EPOCH ──▶ READY ◀──▶ WAITS_FOR_ROOM, _PAGE, _POSITION
 *                       │ ▲                       │
 *                       │ └──────── LOST ◀────────┘
 *                       ▼
 *                  it has arrived
 *
 *  (begun)             WAITS_FOR_EPOCH     the cluster is still to be reached
 *  (begun)             READY               it is known
 *  WAITS_FOR_EPOCH     READY               COMMAND_EPOCH
 *  READY               WAITS_FOR_ROOM      its transport's queue is long
 *  WAITS_FOR_ROOM      READY               the transport says that it is short again
 *  READY               WAITS_FOR_PAGE      what the history does not have is asked of the cluster
 *  WAITS_FOR_PAGE      READY               the page came, or is known not to, or the stream is another
 *  WAITS_FOR_PAGE      LOST                the cluster has answered nothing for too long
 *  LOST                READY               the client was told so; a room's live events begin later
 *  READY               WAITS_FOR_POSITION  it has seen more of the stream elsewhere than came here
 *  WAITS_FOR_POSITION  READY               the timer: to look again
 *  READY               WAITS_FOR_EPOCH     the manager has gone over to another stream
 *
 * READY and LOST end when it has caught up with the loop: its connection is like any other then.
 * One that is READY or LOST stands on the list of those that can go on. */
enum recovery_wait {
    RECOVERY_READY,
    RECOVERY_LOST,
    RECOVERY_WAITS_FOR_ROOM,
    RECOVERY_WAITS_FOR_EPOCH,
    RECOVERY_WAITS_FOR_PAGE,
    RECOVERY_WAITS_FOR_POSITION
};

/* Who uses it now, and so whether it is freed when its connection ends: only if it RESTS, else by its
 * user afterwards.
 *
 *  POSTED ──▶ ENTERS_ROOMS ──▶ RESTS ◀──▶ RUNS ──▶ RUNS_WRITABLE ──▶ RESTS */
enum recovery_use {
    RECOVERY_POSTED,       /* its connection's CONNECT command has it */
    RECOVERY_ENTERS_ROOMS, /* so does it, which enters the rooms, perhaps in several turns */
    RECOVERY_RESTS,        /* nobody: it waits */
    RECOVERY_RUNS,         /* it is given what it missed */
    RECOVERY_RUNS_WRITABLE /* and its transport said meanwhile that there is room */
};

/* Where the client goes on. */
enum recovery_start {
    RECOVERY_FROM_WELCOME, /* it named only rooms, whose events it gets from its welcome on */
    RECOVERY_FROM_UNKNOWN, /* behind something that is no event's id */
    RECOVERY_FROM_EVENT    /* behind the event of `epoch` and `position` */
};

/* What `recovered` will say, or that it was sent:
 *
 *  COMPLETE ── an event was dropped ──▶ INCOMPLETE
 *     │                                     │
 *     └──▶ TOLD ◀── it is sent, or not due ──┘ */
enum recovery_answer { RECOVERED_COMPLETE, RECOVERED_INCOMPLETE, RECOVERED_TOLD };

struct recovery_list {
    struct recovery *first;
    struct recovery *last;
    size_t count;
};

/* What a client said when it came back, then how far it is. In the order of its connection's
 * loop. */
struct recovery {
    struct recovery_list *list;
    struct recovery *next;
    struct recovery *previous;
    struct connection *connection; /* NULL: it has none, or no longer */
    char epoch[EPOCH_SIZE];        /* with `position`: the event behind which it goes on */
    uint8_t start;                 /* enum recovery_start */
    uint8_t wait;                  /* enum recovery_wait; changed by list.h alone */
    uint8_t use;                   /* enum recovery_use */
    uint8_t answer;                /* enum recovery_answer */
    /* It is counted in the manager's pages.n_readers: from its first look at them to its end. */
    bool reads_pages;
    bool former_is_foreign;       /* `former` is of another process */
    struct timer timer;           /* while it waits for a position */
    uint32_t poll_ms;             /* until it looks again */
    uint64_t refused_since_ms;    /* the carrier can't be asked whether it exists; 0: it can */
    uint64_t question;            /* see cluster_reaches(); 0: none yet */
    uint64_t waits_since_ms;      /* for a page */
    struct awaited_page *awaited; /* that it waited for, and has not looked at since; or NULL */
    ws_conn_id former; /* the connection that it had before, by message_exclusion(); or 0 */
    uint64_t position;
    uint64_t joined; /* position when it last entered a room: live events begin behind that */
    uint64_t from_batch; /* begins there: rooms that on_connect put it in are entered by then */
    uint64_t count;      /* events that it was given since it was told */
    struct history_cursor *cursors;
    size_t n_cursors;
    size_t next_room; /* where its name begins */
    size_t n_rooms;   /* that are still to be entered */
    char rooms[];     /* their names, each with a NUL */
};

enum {
    PAGES_AWAITED_MAX = 4, /* at once: one that is far behind does not hold up the others */
    PAGE_LISTS = 512       /* more than there are pages in a stream of 100,000 events */
};

/* The number of a place that is free. */
static const uint64_t PAGE_NONE = UINT64_MAX;

enum page_state { PAGE_WANTED, PAGE_ASKED, PAGE_REFUSED /* the carrier could not be asked */ };

/* A page that is asked for, or that some have not looked at since it came. */
struct awaited_page {
    uint64_t number;
    size_t n_recoveries; /* all these; 0: the place is free */
    enum page_state state;
    struct recovery_list waiting;
};

struct page_waits {
    size_t count; /* recoveries that wait */
    struct awaited_page awaited[PAGES_AWAITED_MAX];
    struct recovery_list later[PAGE_LISTS]; /* those for whom nothing was asked yet, by page */
    size_t hand;                            /* the list whose turn is next */
    uint64_t heard_ms; /* when the carrier answered last, or nothing was asked of it */
    struct timer timer;
};

/* A loop's. */
struct recoveries {
    ws_loop *loop;
    struct recovery_list ready;
    struct recovery_list waiting; /* except for pages */
    struct page_waits page_waits;
};

#endif
