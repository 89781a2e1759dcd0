/* recovery.h: clients that come back: each is given what it missed from the history, as fast as it
 * reads, and then becomes one like any other.
 *
 * While a connection recovers, events with a position are not delivered to it: it reads them from
 * the history, up to loop->position, which is how far the loop itself has carried out what was
 * sent. Where it has caught up with that, between two batches of commands, it is told `recovered`
 * and is live: the next event is the first one that it does not have.
 *
 * What the history does not have any more is asked of the cluster, if there is one. */
#ifndef WS_CORE_RECOVERY_H
#define WS_CORE_RECOVERY_H

#include "core/connection.h"
#include "core/recovery_list.h"

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
    bool is_drained;              /* its transport said so meanwhile */
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

/* Sets up a loop's part. */
void recoveries_init(ws_loop *loop);

/* What checked options say; *recovery is NULL if nothing. False if memory ran out. */
bool recovery_new(const ws_manager *manager, const ws_connect_options *options,
                  struct recovery **recovery);
void recovery_free(const ws_manager *manager, struct recovery *recovery);

/* A connection that has become live begins to recover: from where it was, or, if what it missed is
 * lost, from here: the id in its welcome says so, and `recovered` behind what was sent since. The
 * recovery may end with its connection then, but is not freed before recovery_rooms_entered(). */
void recovery_begin(struct connection *connection, struct recovery *recovery);

/* The connection has entered its rooms as far as it may, or has ended. The recovery is the
 * connection's now, or freed. */
void recovery_rooms_entered(const ws_manager *manager, struct recovery *recovery);

/* Writes the id of the newest event that a connection was given, or would have been if it were for
 * it; what it is told next stands there in the order. Returns its length. */
size_t recovery_event_id(const struct connection *connection, char id[EVENT_ID_SIZE]);

/* Its connection ends. */
void recovery_cancel(struct connection *connection);

/* Between two batches: all that are ready go on. True if there were any: what was called meanwhile,
 * and what waits for the next batch even if it is empty, wants another look. */
bool recoveries_run(ws_loop *loop, uint32_t *budget);

/* Carries out COMMAND_EPOCH. */
void recoveries_epoch(ws_loop *loop, const char *epoch);

/* The connection's transport has room again. */
void recovery_drained(struct connection *connection);

#endif
