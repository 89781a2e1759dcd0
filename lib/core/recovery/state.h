/* state.h: what a loop knows of the clients that come back to it, and what each of them waits for.
 * Not here: what is done for them (list.h, page_waits.h, read.h, recovery.h). */
#ifndef WS_CORE_RECOVERY_STATE_H
#define WS_CORE_RECOVERY_STATE_H

#include "core/connections/connection.h"

enum recovery_wait {
    RECOVERY_READY,          /* nothing */
    RECOVERY_WAITS_FOR_ROOM, /* in its transport's queue */
    RECOVERY_WAITS_FOR_EPOCH, /* the cluster is to be reached before its event can be looked for */
    RECOVERY_WAITS_FOR_PAGE,    /* what the history does not have is asked of the cluster */
    RECOVERY_WAITS_FOR_POSITION /* it has seen more of the stream elsewhere than came here */
};

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
    bool
        wants_events; /* it named one; else only rooms, whose events it gets from its welcome on */
    bool is_id;       /* and it was an event's id */
    enum recovery_wait wait;
    struct timer timer;           /* while it waits for a position */
    uint32_t poll_ms;             /* until it looks again */
    uint64_t refused_since_ms;    /* the carrier can't be asked whether it exists; 0: it can */
    uint64_t question;            /* see cluster_reaches(); 0: none yet */
    uint64_t waits_since_ms;      /* for a page */
    struct awaited_page *awaited; /* that it waited for, and has not looked at since; or NULL */
    bool is_busy;                 /* not to be freed */
    bool is_writable;             /* its transport said so meanwhile */
    bool reads_pages;             /* it is one of their readers */
    bool is_lost;                 /* what comes next can't be had */
    bool is_missing_some;         /* lost, or a transport dropped it */
    bool is_told;                 /* `recovered` */
    bool former_is_foreign;       /* of another process */
    ws_conn_id former; /* the connection that it had before, by message_exclusion(); or 0 */
    uint64_t position;
    uint64_t joined; /* position when it last entered a room: live events begin behind that */
    uint64_t from_batch; /* begins there: rooms that on_connect put it in are entered by then */
    uint64_t count;      /* events that it was given since it was told */
    struct history_cursor *cursors;
    size_t n_cursors;
    bool is_entering; /* its rooms, perhaps in several turns */
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
