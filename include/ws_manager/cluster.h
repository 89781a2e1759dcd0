/* cluster.h: events between processes: what a carrier (an engine's client, such as that of
 * ws_manager/redis.h) asks of the manager, and the manager of it. For those who write one; a host
 * that uses a carrier needs nothing of this.
 *
 * The engine keeps one stream of events in one order. With a carrier set, an event that is sent
 * goes to the carrier, and is delivered, on every process and in the stream's order, when the
 * carrier reads it back. Joins, leaves and messages to one connection stay in the process.
 *
 * In the child of a fork() the manager has an epoch of its own, not the stream's: a carrier must
 * refuse to publish there (WS_ERR_FORKED), and leave its connections to the parent. */
#ifndef WS_MANAGER_CLUSTER_H
#define WS_MANAGER_CLUSTER_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

#define WS_EPOCH_SIZE                                                                          \
    11 /* bytes of a stream's epoch: 10 characters of a-z and 2-7, and a NUL */

/* Whom an event is for. */
enum ws_scope { WS_SCOPE_EVERYONE = 0, WS_SCOPE_USER = 1, WS_SCOPE_ROOM = 2 };

/* An event as the stream keeps it. The texts are valid during the call and, but for `text`,
 * NUL-terminated. */
typedef struct ws_cluster_event {
    size_t size;
    int32_t scope;      /* enum ws_scope */
    const char *target; /* the user or the room; NULL for everyone */
    const char
        *exclude; /* connections that don't get it, by their connection_id, one space between
                            two; NULL: none */
    const char *text; /* the event: one JSON object without its id, in UTF-8 */
    size_t length;    /* in bytes */

    /* Whoever numbers its events, and the number: the stream takes an event only if its number is
     * higher than the producer's last one, so that none is in it twice. NULL: the carrier numbers
     * it. */
    const char *producer;
    uint64_t sequence;

    /* Its place in the stream, from 1 on without a gap; 0 before it is stored. */
    uint64_t position;

    /* 1 if a callback publishes it for a client's message: such events take no more than half of the
     * room that a carrier has for what waits, so that clients can't keep the application from
     * publishing. */
    int32_t for_client;
} ws_cluster_event;

/* A carrier. `data` is that of ws_manager_set_cluster(). */
typedef struct ws_cluster {
    size_t size;

    /* Takes an event, to be stored behind those that it took before. Any thread, several at once,
     * without a lock held. If `receipt` is not NULL and the event was taken,
     * ws_manager_cluster_stored() is called with it once. Return WS_OK; WS_ERR_BACKPRESSURE when as
     * many wait as may; WS_ERR_NO_MEMORY; WS_ERR_TOO_BIG; WS_ERR_FORKED. */
    int (*publish)(const ws_cluster_event *event, void *receipt, void *data);

    /* Asks for stored events: those behind position `after`, in order, `max_events` at most;
     * fewer will do. They are for all clients that need them, so little is asked for at once: 65
     * requests without an answer, of 256 events each at most. The answer is one
     * ws_manager_cluster_fetched() with `request`, later and on any thread, which may come from
     * within this call. Any loop's thread, without a lock held. Return WS_OK, or an error and no
     * answer: it is tried again for half a minute, as long as clients wait for an answer in any
     * case.
     *
     * What follows the newest event is asked too: no events mean that the stream ends there. A
     * carrier that can't know what is stored does not answer before it can. */
    int (*fetch)(uint64_t after, uint32_t max_events, void *request, void *data);
} ws_cluster;

/* Sets the carrier, before any loop or event is made; `cluster` is copied. Until
 * ws_manager_cluster_start() clients that want to recover wait. NULL takes it out again: to be
 * called when it has answered all receipts and requests, while no other thread sends or runs a
 * loop. Errors: WS_ERR_INVALID, WS_ERR_ALREADY. */
WS_EXPORT int ws_manager_set_cluster(ws_manager *manager, const ws_cluster *cluster,
                                     void *data);

/* Random characters for a new stream's epoch: `epoch` has room for WS_EPOCH_SIZE. WS_ERR_SYSTEM.
 * Any thread. */
WS_EXPORT int ws_cluster_new_epoch(char *epoch);

/* The following three: by one thread at a time. */

/* The stream was reached, for the first time or again: its epoch and the position of its newest
 * event, to which ws_manager_cluster_deliver() will add. `events` are the newest ones up to there
 * (positions without a gap, the last one `position`), as many as the history may keep; they are not
 * delivered, only kept for clients that recover. If the epoch is not that of before, or not every
 * event up to `position` was delivered, connected clients are told that they missed something.
 * Errors: WS_ERR_INVALID (epoch, positions, an event), WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY;
 * nothing has changed then. */
WS_EXPORT int ws_manager_cluster_start(ws_manager *manager, const char *epoch,
                                       uint64_t position, const ws_cluster_event *events,
                                       size_t n_events);

/* The next event of the stream, which is delivered to those that it is for in this process. Errors:
 * WS_ERR_INVALID (its position is not the next one); WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY: try the
 * same again later. One whose content can't be understood is passed over and logged. */
WS_EXPORT int ws_manager_cluster_deliver(ws_manager *manager, const ws_cluster_event *event);

/* An event that publish() took is stored at `position` (0: it was in the stream before), or, by
 * `result`, will not be, as far as is known. */
WS_EXPORT void ws_manager_cluster_stored(ws_manager *manager, void *receipt, int result,
                                         uint64_t position);

/* The answer to a fetch(). What is missing before the first event, or all that was asked for if
 * n_events is 0, is lost: clients are told so. WS_ERR_NO_MEMORY, not for 0 events: answer the same
 * request again, later or with none. Any thread. */
WS_EXPORT int ws_manager_cluster_fetched(ws_manager *manager, void *request,
                                         const ws_cluster_event *events, size_t n_events);

WS_END_DECLS

#endif
