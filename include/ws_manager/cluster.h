/** @file
 * Events between processes: the interface between the manager and a carrier.
 *
 * A carrier is the client of an engine such as Redis (redis.h). This header is for those who
 * write one; a host that uses a carrier needs nothing of it.
 *
 * The engine keeps one stream of events in one order. With a carrier set, an event that is sent
 * goes to the carrier. It is delivered on every process, in the stream's order, when the
 * carrier reads it back. Commands (user_commands.h) travel in the stream like events; they
 * are carried out by the managers and not delivered to clients. Joins, leaves and messages to one
 * connection stay in the process.
 *
 * @par fork()
 * In the child of a fork() the manager has an epoch of its own, not the stream's. A carrier
 * must refuse to publish there (#WS_ERR_FORKED), and leave its connections to the parent.
 */
#ifndef WS_MANAGER_CLUSTER_H
#define WS_MANAGER_CLUSTER_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** Bytes of a stream's epoch: 10 characters of a-z and 2-7, and a NUL. */
#define WS_EPOCH_SIZE 11

/** The recipients of an event. */
enum ws_scope {
    WS_SCOPE_EVERYONE = 0, /**< everyone */
    WS_SCOPE_USER = 1,     /**< the connections of a user */
    WS_SCOPE_ROOM = 2,     /**< the members of a room */

    /** No client: a command for the manager of every process, whose JSON is `text`.
     * A carrier stores it in its place among the events, with its scope, and delivers it like
     * them. A program that reads the stream and does not know commands must skip them. */
    WS_SCOPE_PROCESSES = 3
};

/** How a room keeps an event for clients that enter later (last_values.h).
 *
 * Room and `type` name a list. A carrier that can stores the event in it, in the same step as
 * in the stream, and passes what the lists have to ws_manager_cluster_start_with(). Then a
 * process that starts has what the others have, also if the stream no longer reaches back to
 * it.
 */
typedef struct ws_cluster_keep {
    size_t size; /**< `sizeof(ws_cluster_keep)` */

    const char *type; /**< the list's event type; NULL: every type */

    /** The event replaces the one of this key in the list. NULL: the list has the newest events. */
    const char *key;

    /** 1: nothing is added: the event of the key is removed from the list, or all of them if there
     * is no key. The fields below are 0. */
    int32_t removes;

    uint32_t max_values;      /**< of the list; above this the oldest events are removed */
    uint64_t max_bytes;       /**< of the list; 0: no limit */
    uint64_t max_total_bytes; /**< of all lists, whose oldest events are removed; 0: no limit */
    uint64_t bytes;           /**< how many of these bytes the event takes */
} ws_cluster_keep;

/** An event as the stream keeps it.
 *
 * Its texts are valid during the call that has it, and NUL-terminated except `text`.
 */
typedef struct ws_cluster_event {
    size_t size; /**< `sizeof(ws_cluster_event)` */

    /* --- recipients --- */

    int32_t scope;      /**< enum ws_scope */
    const char *target; /**< the user or the room; NULL for everyone */

    /** The connection_ids of those who do not receive it, one space between two; NULL: none. */
    const char *exclude;

    /* --- content --- */

    const char *text; /**< the event: one JSON object without its id, in UTF-8 */
    size_t length;    /**< of `text`, in bytes */

    /* --- its place --- */

    /** The name of the producer that numbers its events; NULL: the carrier numbers the event.
     *
     * The stream takes an event only if its number is higher than the producer's last one, so
     * that none is stored twice.
     */
    const char *producer;

    uint64_t sequence; /**< the producer's number */
    uint64_t position; /**< in the stream, from 1 on without a gap; 0 before it is stored */

    /* --- on whose account --- */

    /** 1 if a callback publishes it for a client's message. Such events use at most half of
     * a carrier's queue, so that clients can't keep the application from publishing. */
    int32_t for_client;

    /* --- retention --- */

    /** How its room keeps the event, for `publish`. NULL: not at all. */
    const ws_cluster_keep *keep;
} ws_cluster_event;

/** The functions of a carrier, which the manager calls. `data` is that of
 * ws_manager_set_cluster(). */
typedef struct ws_cluster {
    size_t size; /**< `sizeof(ws_cluster)` */

    /** Takes an event, to be stored after those that it took before. Required.
     *
     * Called on any thread, on several at once, without a lock held.
     *
     * @param event    the event; to be copied
     * @param receipt  if it is not NULL and the event was taken, ws_manager_cluster_stored() is
     *                 to be called with it, once
     * @param data     that of ws_manager_set_cluster()
     *
     * @retval WS_OK                it is taken
     * @retval WS_ERR_BACKPRESSURE  too many events wait
     * @retval WS_ERR_NO_MEMORY     an allocation failed
     * @retval WS_ERR_TOO_BIG       the engine takes no event of this size
     * @retval WS_ERR_FORKED        the carrier is the parent's
     */
    int (*publish)(const ws_cluster_event *event, void *receipt, void *data);

    /** Asks for stored events. Required.
     *
     * The answer is one ws_manager_cluster_fetched() with `request`, on any thread, within this
     * call or later. What follows the newest event is asked for too: an answer without events
     * means that the stream ends there. A carrier that does not know what is stored answers
     * when it does.
     *
     * The events are for all clients that need them, so little is asked for at once: at most 65
     * requests without an answer, of at most 256 events each. Called on any loop's thread,
     * without a lock held.
     *
     * @param after       the position before the first event
     * @param max_events  how many at most; the answer may have fewer
     * @param request     for the answer
     * @param data        that of ws_manager_set_cluster()
     *
     * @return #WS_OK; after an error there is no answer, and it is tried again for half a
     * minute, or as long as clients wait for it
     */
    int (*fetch)(uint64_t after, uint32_t max_events, void *request, void *data);

    /** Keeps a value for some time, for `recall` on any process. Optional, together with `recall`:
     * without them clients of Socket.IO recover their sessions only on the process that they were
     * connected to, and what any client sends again is carried out once within a process only.
     *
     * It is called when a client of Socket.IO connects, when its rooms change, and again in
     * intervals of `recovery_ms` while it is connected; and for any client before a message with a
     * `ref` is carried out whose answer comes later, and when it is answered. Called on any
     * thread, on several at once, without a lock held.
     *
     * @param key     names the value: lowercase hexadecimal digits, at most 64
     * @param rank    a value with a higher rank is not replaced
     * @param value   the value; to be copied
     * @param length  of `value`, in bytes, at most 65536; 0: the value is to be forgotten
     * @param ttl_ms  how long it is to be kept
     * @param data    that of ws_manager_set_cluster()
     *
     * @retval WS_OK                it is taken, and will be kept unless the engine fails
     * @retval WS_ERR_BACKPRESSURE  too many values wait: it is tried again later
     * @retval WS_ERR_NO_MEMORY     an allocation failed: it is tried again later
     * @retval WS_ERR_FORKED        the carrier is the parent's
     */
    int (*remember)(const char *key, uint64_t rank, const void *value, size_t length,
                    uint64_t ttl_ms, void *data);

    /** Asks for a value of `remember`.
     *
     * The answer is one ws_manager_cluster_recalled() with `request`, on any thread, within this
     * call or later: an answer that comes after some seconds is of no use. There are at most
     * 10,000 requests without an answer. Called on any loop's thread, without a lock held.
     *
     * @param key      names the value
     * @param request  for the answer
     * @param data     that of ws_manager_set_cluster()
     *
     * @return #WS_OK; after an error there is no answer
     */
    int (*recall)(const char *key, void *request, void *data);
} ws_cluster;

/** Sets a manager's carrier, before a loop or an event is made.
 *
 * Clients that want to recover wait until ws_manager_cluster_start().
 *
 * @param manager  the manager
 * @param cluster  the carrier's functions; copied. NULL takes the carrier out again, after it
 *                 has answered all receipts and requests, and while no other thread sends or
 *                 runs a loop
 * @param data     passed to the functions; NULL if they need none
 *
 * @retval WS_OK           the carrier is set
 * @retval WS_ERR_INVALID  a function is missing, or the size is not acceptable
 * @retval WS_ERR_ALREADY  the manager has a carrier, a loop or an event
 *
 * @threads Any thread, while no other uses the manager.
 * @ownership `data` must exist until the carrier is taken out.
 */
WS_EXPORT int ws_manager_set_cluster(ws_manager *manager, const ws_cluster *cluster,
                                     void *data);

/** Draws random characters for a new stream's epoch.
 *
 * @param[out] epoch  room for #WS_EPOCH_SIZE bytes
 *
 * @retval WS_OK           the epoch is drawn
 * @retval WS_ERR_SYSTEM   the system refused randomness
 * @retval WS_ERR_INVALID  `epoch` is NULL
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_cluster_new_epoch(char *epoch);

/** Notifies the manager that the stream was reached, for the first time or again.
 *
 * If the epoch is not that of before, or not every event up to `position` was delivered,
 * connected clients learn that they missed something. Commands among `events` that the manager
 * has missed are carried out; if others may be missing, connections are reauthorized and
 * `on_processes_gap` is called (user_commands.h).
 *
 * @param manager   the manager
 * @param epoch     the stream's epoch
 * @param position  of its newest event, to which ws_manager_cluster_deliver() will add
 * @param events    the newest events, as many as the history may keep: positions without a gap,
 *                  the last one `position`. They are kept for clients that recover, not
 *                  delivered. NULL if there are none
 * @param n_events  how many there are in `events`
 *
 * @retval WS_OK                the manager is notified
 * @retval WS_ERR_INVALID       the epoch, the positions or an event is not acceptable
 * @retval WS_ERR_BACKPRESSURE  a loop has too many calls waiting: try again later
 * @retval WS_ERR_NO_MEMORY     an allocation failed: try again later
 *
 * @threads One thread at a time for this function, ws_manager_cluster_deliver() and
 * ws_manager_cluster_stored().
 */
WS_EXPORT int ws_manager_cluster_start(ws_manager *manager, const char *epoch,
                                       uint64_t position, const ws_cluster_event *events,
                                       size_t n_events);

/** Notifies the manager that the stream was reached, like ws_manager_cluster_start(), and passes
 * the events that rooms have kept (#ws_cluster_keep).
 *
 * The manager uses the kept events if it starts, or if it has missed events; otherwise it ignores
 * them, because it has them already. It keeps those that declarations in this process match
 * (last_values.h). They must have been read after `events`: a kept event that was replaced or
 * removed behind `position` may be absent, because the manager reads that change from the stream.
 *
 * @param manager   the manager
 * @param epoch     the stream's epoch
 * @param position  of its newest event, to which ws_manager_cluster_deliver() will add
 * @param events    the newest events, as many as the history may keep: positions without a gap,
 *                  the last one `position`. They are kept for clients that recover, not
 *                  delivered. NULL if there are none
 * @param n_events  how many there are in `events`
 * @param values    the kept events, in the order of their positions, none behind `position`; their
 *                  scope is #WS_SCOPE_ROOM. NULL if there are none
 * @param n_values  how many there are in `values`
 *
 * @return the results of ws_manager_cluster_start()
 *
 * @threads One thread at a time for this function, ws_manager_cluster_deliver() and
 * ws_manager_cluster_stored().
 */
WS_EXPORT int ws_manager_cluster_start_with(ws_manager *manager, const char *epoch,
                                            uint64_t position, const ws_cluster_event *events,
                                            size_t n_events, const ws_cluster_event *values,
                                            size_t n_values);

/** Delivers the next event of the stream to its recipients in this process.
 *
 * An event whose content can't be understood is logged and passed over. A command is carried out:
 * it may call `on_process_message`.
 *
 * @param manager  the manager
 * @param event    the event, whose position follows that of the last one; copied
 *
 * @retval WS_OK                it is delivered, or passed over
 * @retval WS_ERR_INVALID       its position is not the next one
 * @retval WS_ERR_BACKPRESSURE  a loop has too many calls waiting: deliver it again later
 * @retval WS_ERR_NO_MEMORY     an allocation failed: deliver it again later
 *
 * @threads One thread at a time for this function, ws_manager_cluster_start() and
 * ws_manager_cluster_stored().
 */
WS_EXPORT int ws_manager_cluster_deliver(ws_manager *manager, const ws_cluster_event *event);

/** Notifies the manager that an event of `publish` is stored, or will not be, as far as is
 * known.
 *
 * @param manager   the manager
 * @param receipt   that of `publish`; it is freed; NULL does nothing
 * @param result    #WS_OK, or why the event is not stored
 * @param position  of the event in the stream; 0 if it was stored before
 *
 * @threads One thread at a time for this function, ws_manager_cluster_start() and
 * ws_manager_cluster_deliver().
 */
WS_EXPORT void ws_manager_cluster_stored(ws_manager *manager, void *receipt, int result,
                                         uint64_t position);

/** Answers a request of `fetch`.
 *
 * Events that are missing before the first one are lost: clients learn of the gap. An answer
 * without events means that all that were asked for are lost, or that the stream ends there.
 *
 * @param manager   the manager
 * @param request   that of `fetch`
 * @param events    stored events, from the one after `after` on, in order; copied; may be NULL
 *                  if `n_events` is 0
 * @param n_events  how many there are in `events`
 *
 * @retval WS_OK             the answer is taken
 * @retval WS_ERR_NO_MEMORY  an allocation failed, not with 0 events: answer this request again,
 *                           later or with none
 * @retval WS_ERR_INVALID    a pointer is NULL
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_cluster_fetched(ws_manager *manager, void *request,
                                         const ws_cluster_event *events, size_t n_events);

/** Answers a request of `recall`.
 *
 * @param manager  the manager
 * @param request  that of `recall`
 * @param value    the value; copied. NULL: there is none
 * @param length   of `value`, in bytes; 0, and `value` is not NULL: the engine has not answered
 *
 * @retval WS_OK           the answer is taken
 * @retval WS_ERR_INVALID  a pointer is NULL
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_cluster_recalled(ws_manager *manager, void *request, const void *value,
                                          size_t length);

WS_END_DECLS

#endif
