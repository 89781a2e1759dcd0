/* kept.h: the sessions of an endpoint that their clients may recover: the records of those that
 * have ended, and who has recovered which.
 *
 * A session has no entry during its first connection, whose name gives its key (pid.h). It gets one
 * when that connection ends, and keeps it during later ones. Ended sessions are no longer found
 * when their time is over, and are dropped then, a few in each call. When there are too many, the
 * oldest are dropped at once.
 *
 * Any thread; each function takes the manager's lock. */
#ifndef WS_TRANSPORT_ENGINEIO_KEPT_H
#define WS_TRANSPORT_ENGINEIO_KEPT_H

#include "core/transport/transport_side.h"
#include "transport/engineio/pid.h"

struct kept_limits {
    uint32_t recovery_ms; /* how long an ended session is kept; 0: nothing is kept */
    uint32_t max_sessions;
    uint64_t max_bytes;
};

struct kept;

/* A carrier's value lives for so many times of recovery_ms after it was written. */
enum { KEPT_LIFETIMES = 2 };

/* Makes an empty table; NULL if memory or randomness ran out. */
struct kept *kept_new(ws_manager *manager, const struct kept_limits *limits);
void kept_free(struct kept *kept);

/* The key of the pids that this process makes. */
const uint8_t *kept_secret(const struct kept *kept);

/* Copies the record of an ended session, or of one that is being recovered, to *record, and returns
 * true. If the session is on a connection, its id is in *connection, else 0. False if there is no
 * entry. */
bool kept_find(struct kept *kept, const uint8_t key[PID_KEY], uint64_t now_ms,
               struct buffer *record, ws_conn_id *connection);

/* Notes that the session is on another connection now, after `rank` recoveries. Its record stays
 * until kept_settle(), in case the connection ends before it has entered its rooms. False if memory
 * ran out. */
bool kept_adopt(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection,
                uint64_t rank);
void kept_settle(struct kept *kept, ws_conn_id connection);

/* Finds the session of a connection that has recovered it. */
bool kept_key_of(struct kept *kept, ws_conn_id connection, uint8_t key[PID_KEY],
                 uint64_t *rank);

/* Keeps a session whose connection ends. `record` is taken over; NULL: as kept_adopt() left it.
 * Does nothing if the session is on another connection. */
void kept_end(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection,
              struct buffer *record, uint64_t now_ms);

/* Counts a session whose connection ends, after `rank` recoveries, and which a cluster's carrier
 * remembers. Does nothing if the session is on another connection. */
void kept_end_remembered(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection,
                         uint64_t rank, uint64_t now_ms);

/* Takes out one of these that was dropped because there are too many: the caller lets the carrier
 * forget it. False if there is none. */
bool kept_take_excess(struct kept *kept, uint8_t key[PID_KEY], uint64_t *rank);

/* Forgets a session, unless it is on another connection. */
void kept_forget(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection);

#endif
