/* outbox.h: events of the API, kept in the database from the transaction that brings them until
 * they are stored in the history or the stream: so that no change is without its event, whoever is
 * killed. What an event's data is, is the API's. */
#ifndef BACKEND_OUTBOX_H
#define BACKEND_OUTBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <ws_manager/ws_manager.h>

#include "store.h"

/* All but the atomic members are used by whoever has a transaction of the store. */
struct outbox {
    struct store *store;
    ws_manager *manager;
    char producer[32];       /* of this process's events; a former one's have theirs */
    const char *node;        /* whose events these are: those that a former process left, too */
    int64_t emitted;         /* the last row that was */
    atomic_bool is_stuck;    /* the next one was not taken: later */
    _Atomic int64_t stored;  /* every row up to there is */
    _Atomic int64_t deleted; /* and these are gone */
    atomic_bool is_settling; /* by one loop at a time */
    _Atomic uint64_t next_try_ms; /* monotonic; 0: at once */
    uint64_t pause_ms;            /* of the one who settles: after the next failure */
};

/* Emits what a former process of that name left. */
void outbox_open(struct outbox *outbox, struct store *store, ws_manager *manager,
                 const char *node);

/* Adds an event of a type, for `user_id` or, if that is NULL, to where the type goes; within a
 * write transaction. The tree stays the caller's. */
enum store_result outbox_add(struct outbox *outbox, const char *type, const char *user_id,
                             const cJSON *data);

/* Emits what was committed, in order, of very much the beginning: the rest comes with the next call
 * of outbox_settle(), as it does when reading fails. Between store_commit() and store_end(). */
enum store_result outbox_send(struct outbox *outbox);

/* Once a turn of a loop: what is stored leaves the database, and what was not taken is tried again.
 * While the database fails, is locked or full, it rests in between. Returns when it is to be called
 * again at the latest, or WS_NO_DEADLINE. */
uint64_t outbox_settle(struct outbox *outbox, uint64_t now_ms);

/* Settles once more, when no loop does. */
void outbox_close(struct outbox *outbox);

#endif
