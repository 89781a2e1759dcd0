/* state.h: the state of a loop's recovering clients, and what each of them waits for.
 * Not here: the work that is done for them (list.h, page_waits.h, read.h, recovery.h). */
#ifndef WS_CORE_RECOVERY_STATE_H
#define WS_CORE_RECOVERY_STATE_H

#include "core/connections/connection.h"

/* What a recovery waits for, which determines its list.
 *
 *  WAITS_FOR_JOINS ──▶ WAITS_FOR_EPOCH ──▶ READY ◀──▶ WAITS_FOR_ROOM, _PAGE, _POSITION
 *                                           │ ▲                       │
 *                                           │ └──────── LOST ◀────────┘
 *                                           ▼
 *                                        caught up
 *
 *  from                to                  when
 *
 *  (begun)             WAITS_FOR_JOINS     the rooms that the client named are being joined
 *  WAITS_FOR_JOINS     WAITS_FOR_EPOCH     the cluster was not reached yet
 *  WAITS_FOR_JOINS     READY               the epoch is known
 *  WAITS_FOR_EPOCH     READY               COMMAND_EPOCH
 *  READY               WAITS_FOR_ROOM      the transport's queue exceeded its high mark
 *  WAITS_FOR_ROOM      READY               the transport is writable again
 *  READY               WAITS_FOR_PAGE      its events are older than the history
 *  WAITS_FOR_PAGE      READY               the page arrived or is lost, or the stream was replaced
 *  WAITS_FOR_PAGE      LOST                the cluster has not answered for too long
 *  LOST                READY               the client was notified; a room's events begin later
 *  READY               WAITS_FOR_POSITION  it saw events elsewhere that did not arrive here yet
 *  WAITS_FOR_POSITION  READY               the timer expired: it checks again
 *  READY               WAITS_FOR_EPOCH     the manager has switched to another stream
 *  WAITS_FOR_JOINS     READY               it has so many values that no further room is joined
 *  READY               WAITS_FOR_JOINS     the transport accepted these values
 *  WAITS_FOR_PAGE      READY               it entered a room: values do not wait for events
 *  WAITS_FOR_POSITION  READY               it entered a room: values do not wait for events
 *
 * A READY or LOST recovery ends when it has caught up with the loop: its connection is then an
 * ordinary one. Both states are on the list of recoveries that can continue. */
enum recovery_wait {
    RECOVERY_READY,
    RECOVERY_LOST,
    RECOVERY_WAITS_FOR_JOINS,
    RECOVERY_WAITS_FOR_ROOM,
    RECOVERY_WAITS_FOR_EPOCH,
    RECOVERY_WAITS_FOR_PAGE,
    RECOVERY_WAITS_FOR_POSITION
};

/* What uses the recovery now. If its connection ends, it is freed at once only if it RESTS, else by
 * its user afterwards.
 *
 *  ENTERS_ROOMS ◀──▶ RESTS ◀──▶ RUNS ──▶ RUNS_WRITABLE ──▶ RESTS */
enum recovery_use {
    RECOVERY_RESTS,        /* nothing: it waits */
    RECOVERY_ENTERS_ROOMS, /* some of its rooms are being joined */
    RECOVERY_RUNS,         /* missed events are being delivered */
    RECOVERY_RUNS_WRITABLE /* and the transport has become writable meanwhile */
};

/* The point from which the client continues. */
enum recovery_start {
    RECOVERY_FROM_WELCOME, /* it named only rooms, whose events it gets from its welcome on */
    RECOVERY_FROM_UNKNOWN, /* after an id that is not an event's */
    RECOVERY_FROM_EVENT    /* after the event of `epoch` and `position` */
};

/* What `recovered` will report, or that it was sent:
 *
 *  COMPLETE ── an event was dropped ──▶ INCOMPLETE
 *     │                                     │
 *     └──▶ SENT ◀── it is sent, or not due ──┘ */
enum recovery_answer { RECOVERED_COMPLETE, RECOVERED_INCOMPLETE, RECOVERED_SENT };

struct recovery_list {
    struct recovery *first;
    struct recovery *last;
    size_t count;
};

/* A recovery: the client's request, then its progress, in the order of its connection's
 * loop. */
struct recovery {
    struct pending_values values; /* that it gets before any event of the history (entry.h) */
    struct recovery_list *list;
    struct recovery *next;
    struct recovery *previous;
    struct connection *connection; /* NULL: not yet, or no longer */
    struct input input;     /* while rooms are still to be joined (clients/named_rooms.h) */
    char epoch[EPOCH_SIZE]; /* with `position`: the last event that it has */
    uint8_t start;          /* enum recovery_start */
    uint8_t wait;           /* enum recovery_wait; changed by list.h alone */
    uint8_t use;            /* enum recovery_use */
    uint8_t answer;         /* enum recovery_answer */
    /* Counted in the manager's pages.n_readers: from its first read of pages to its end. */
    bool reads_pages;
    bool former_is_foreign;       /* `former` is of another process */
    bool is_unannounced;          /* its transport was not notified yet that it begins */
    struct timer timer;           /* while it waits for a position */
    uint32_t poll_ms;             /* delay until the next check */
    uint64_t refused_since_ms;    /* since when the carrier cannot be asked; 0: it can */
    uint64_t question;            /* see cluster_reaches(); 0: none yet */
    uint64_t waits_since_ms;      /* since when it waits for a page */
    struct awaited_page *awaited; /* that it waited for and has not read; or NULL */
    ws_conn_id former;            /* its previous connection, by message_exclusion(); or 0 */
    uint64_t position;
    uint64_t began;  /* the position when its connection became live */
    uint64_t joined; /* position when it last entered a room: live events begin after that */
    uint64_t from_batch; /* it begins there, when on_connect's joins are done */
    uint64_t count;      /* events delivered since the last `recovered` */
    struct history_cursor *cursors;
    size_t n_cursors;
    bool wants_state;    /* of the rooms in `rooms` */
    uint32_t wants_last; /* newest events of each of them */
    size_t next_room;    /* offset of the next name in `rooms` */
    size_t n_rooms;      /* rooms still to be joined */
    char rooms[];        /* names, each with a NUL */
};

static_assert(offsetof(struct recovery, values) == 0, "connection_pending_values() finds them");

enum {
    PAGES_AWAITED_MAX = 4, /* one that is far behind does not hold up the others */
    PAGE_LISTS = 512       /* more than there are pages in a stream of 100,000 events */
};

/* The number of a free place. */
static const uint64_t PAGE_NONE = UINT64_MAX;

enum page_state { PAGE_WANTED, PAGE_ASKED, PAGE_REFUSED /* the carrier could not be asked */ };

/* A page that is requested, or has arrived and was not read by all yet. */
struct awaited_page {
    uint64_t number;
    size_t n_recoveries; /* that wait for it or have not read it; 0: free */
    enum page_state state;
    struct recovery_list waiting;
};

struct page_waits {
    size_t count; /* waiting recoveries */
    struct awaited_page awaited[PAGES_AWAITED_MAX];
    struct recovery_list later[PAGE_LISTS]; /* by page, if it was not requested yet */
    size_t hand;                            /* the next list in `later` to be served */
    uint64_t heard_ms; /* when the carrier last answered, or owed no answer */
    struct timer timer;
};

/* The recoveries of a loop. */
struct recoveries {
    ws_loop *loop;
    /* In a list by `next`: their values are given back, some in each turn. */
    struct recovery *ended;
    struct recovery_list ready;
    struct recovery_list waiting; /* waiting, except for pages */
    struct page_waits page_waits;
};

#endif
