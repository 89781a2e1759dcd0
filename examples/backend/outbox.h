/* outbox.h: events of the API, kept in the database from the transaction that adds them until
 * they are stored in the history or the stream, so that no change loses its event even if a
 * process is killed. The API decides what they contain. */
#ifndef BACKEND_OUTBOX_H
#define BACKEND_OUTBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <ws_manager/ws_manager.h>

#include "store.h"

/* The members that are not atomic belong to the thread that has a transaction of the store. */
struct outbox {
    struct store *store;
    ws_manager *manager;
    char producer[32]; /* of this process's events; those of a former process keep theirs */
    const char *node;  /* whose events these are, including those that a former process left */
    int64_t emitted;   /* the last row that was emitted */
    atomic_bool is_stuck;         /* the next row was not accepted and must be tried again */
    _Atomic int64_t stored;       /* every row up to this one is stored */
    _Atomic int64_t deleted;      /* and every row up to this one is deleted */
    atomic_bool is_settling;      /* by one loop at a time */
    _Atomic uint64_t next_try_ms; /* monotonic; 0: at once */
    uint64_t pause_ms; /* of the loop that settles: the pause after the next failure */
};

/* Emits what a former process of that name left. */
void outbox_open(struct outbox *outbox, struct store *store, ws_manager *manager,
                 const char *node);

/* Adds an event for `user_id` or, if that is NULL, for the recipients of its type; within a write
 * transaction. The tree stays the caller's. */
enum store_result outbox_add(struct outbox *outbox, const char *type, const char *user_id,
                             const cJSON *data);

/* Emits what was committed, in order. If that is very much, or reading fails, the rest follows in
 * outbox_settle(). Call it between store_commit() and store_end(). */
enum store_result outbox_send(struct outbox *outbox);

/* Call it once per turn of each loop: deletes rows that are stored, and tries again to emit what
 * was not accepted. It pauses between attempts while the database fails, is locked or full, and
 * does not wait for another thread's transaction.
 * Returns when it must be called again at the latest, or WS_NO_DEADLINE. */
uint64_t outbox_settle(struct outbox *outbox, uint64_t now_ms);

/* Whether all that was committed is stored in the history or the stream. Call it when no other
 * thread uses the outbox. */
bool outbox_is_stored(struct outbox *outbox);

/* Settles a last time, after the loops have ended. */
void outbox_close(struct outbox *outbox);

#endif
