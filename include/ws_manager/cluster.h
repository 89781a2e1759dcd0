/** @file
 * Events between processes: the interface between the manager and a carrier.
 *
 * A carrier is the client of an engine such as Redis (redis.h). This header is for authors of
 * carriers; a host that only uses a carrier does not need it.
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
 * The room and `type` name a list. A carrier that supports this stores the event in the list, in
 * the same step as in the stream, and passes the events of all lists to
 * ws_manager_cluster_start_with(). Then a process that starts has the same kept events as the
 * others, even if the stream no longer reaches back to them.
 */
typedef struct ws_cluster_keep {
    size_t size; /**< `sizeof(ws_cluster_keep)` */

    const char *type; /**< the list's event type; NULL: every type */

    /** The event replaces the event with this key in the list. NULL: the list has the newest
     * events, without keys. */
    const char *key;

    /** 1: nothing is added. The event with this key is removed from the list; if `key` is NULL, all
     * events are removed. The fields below are 0. */
    int32_t removes;

    /** How many events the list may have. Above it the list's oldest events are removed. */
    uint32_t max_values;

    /** How many bytes the list may have; 0: no limit. Above it the list's oldest events are
     * removed. */
    uint64_t max_bytes;

    /** How many bytes all lists may have; 0: no limit. Above it the oldest events of all lists are
     * removed. */
    uint64_t max_total_bytes;

    uint64_t bytes; /**< how many of these bytes the event takes */
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

    /** The connection_ids of the connections that do not receive it, separated by one space; NULL:
     * none. */
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

    uint64_t sequence; /**< the producer's number of the event */

    /** The event's position in the stream, which begins with 1 and has no gaps; 0 before the event
     * is stored. */
    uint64_t position;

    /* --- origin --- */

    /** 1 if a callback publishes it because of a client's message. Such events use at most half of
     * a carrier's queue, so that clients cannot keep the application from publishing. */
    int32_t for_client;

    /* --- retention --- */

    /** How the room keeps the event; used by `publish`. NULL: it does not keep it. */
    const ws_cluster_keep *keep;
} ws_cluster_event;

/** The functions of a carrier, which the manager calls. `data` is that of
 * ws_manager_set_cluster(). */
typedef struct ws_cluster {
    size_t size; /**< `sizeof(ws_cluster)` */

    /** Takes an event, and stores it after the events that it took before. Required.
     *
     * Any thread calls it, also several at once, without a lock held.
     *
     * @param event    the event; the carrier copies it
     * @param receipt  if it is not NULL and the event was taken, the carrier calls
     *                 ws_manager_cluster_stored() with it, once
     * @param data     that of ws_manager_set_cluster()
     *
     * @retval WS_OK                the event is taken
     * @retval WS_ERR_BACKPRESSURE  too many events wait
     * @retval WS_ERR_NO_MEMORY     an allocation failed
     * @retval WS_ERR_TOO_BIG       the event is larger than the engine accepts
     * @retval WS_ERR_FORKED        the carrier was made before fork(), by the parent
     * @retval WS_ERR_CLOSED        the carrier is being freed
     */
    int (*publish)(const ws_cluster_event *event, void *receipt, void *data);

    /** Asks for stored events. Required.
     *
     * The carrier answers by calling ws_manager_cluster_fetched() once with `request`, on any
     * thread, within this call or later. The manager may also ask for events after the newest one:
     * an answer without events means that the stream ends there. A carrier that does not know yet
     * what is stored answers when it knows.
     *
     * An answer serves all clients that need its events. At most 65 requests are without an answer
     * at a time, for at most 256 events each. The thread of any loop calls it, without a lock held.
     *
     * @param after       the position before the first event
     * @param max_events  how many events the answer may have; it may have fewer
     * @param request     to be passed to ws_manager_cluster_fetched()
     * @param data        that of ws_manager_set_cluster()
     *
     * @return #WS_OK. After an error the carrier does not answer; the manager calls it again for
     * half a minute, or as long as clients wait for the events
     */
    int (*fetch)(uint64_t after, uint32_t max_events, void *request, void *data);

    /** Keeps a value for some time, so that `recall` on any process can return it.
     *
     * Optional, together with `recall`. Without them, clients of Socket.IO can recover their
     * sessions only on the process that they were connected to, and a message that a client sends
     * again is carried out once only if it reaches the same process.
     *
     * It is called when a client of Socket.IO connects, when its rooms change, and at intervals of
     * `recovery_ms` while it is connected. After a value of a kilobyte or more, the client's
     * next value follows after 32 ms for each kilobyte, except for 128 KiB of values before
     * joins. For a message with a `ref`, of any client, it is called when the message is answered,
     * and before the message is carried out if its answer may come later. Any thread calls it, also
     * several at once, without a lock held.
     *
     * @param key     the name of the value: at most 64 lowercase hexadecimal digits
     * @param rank    a value that has a higher rank is not replaced
     * @param value   the value; the carrier copies it
     * @param length  of `value`, in bytes, at most 65536; 0: the carrier deletes the value
     * @param ttl_ms  how long the carrier keeps the value
     * @param data    that of ws_manager_set_cluster()
     *
     * @retval WS_OK                the value is taken, and will be kept unless the engine fails
     * @retval WS_ERR_BACKPRESSURE  too many values wait: the manager tries again later
     * @retval WS_ERR_NO_MEMORY     an allocation failed: the manager tries again later
     * @retval WS_ERR_FORKED        the carrier was made before fork(), by the parent
     */
    int (*remember)(const char *key, uint64_t rank, const void *value, size_t length,
                    uint64_t ttl_ms, void *data);

    /** Asks for a value of `remember`.
     *
     * The carrier answers by calling ws_manager_cluster_recalled() once with `request`, on any
     * thread, within this call or later. It answers that there is no value only after all values
     * that `remember` was given before this call are stored, or given up. The manager takes that as
     * a receipt: before a client of Socket.IO joins a room, it asks for a key that has no value.
     * While the engine refuses values, the carrier returns a value that the engine has, and answers
     * the other requests later, or after some seconds as not answered. The manager ignores an
     * answer that comes after some seconds. At most 10,000 requests are without an answer at a
     * time. The thread of any loop calls it, without a lock held.
     *
     * @param key      the name of the value
     * @param request  to be passed to ws_manager_cluster_recalled()
     * @param data     that of ws_manager_set_cluster()
     *
     * @return #WS_OK. After an error the carrier does not answer
     */
    int (*recall)(const char *key, void *request, void *data);
} ws_cluster;

/** Sets a manager's carrier. Call it before any loop or event is made.
 *
 * Clients that want to recover wait until ws_manager_cluster_start().
 *
 * @param manager  the manager
 * @param cluster  the carrier's functions; copied. NULL removes the carrier: call it so after the
 *                 carrier has answered all receipts and requests, and while no other thread sends
 *                 or runs a loop
 * @param data     passed to the functions; NULL if they need none
 *
 * @retval WS_OK           the carrier is set
 * @retval WS_ERR_INVALID  a function is missing, or the size is not acceptable
 * @retval WS_ERR_ALREADY  the manager has a carrier, a loop or an event
 *
 * @threads Any thread, while no other uses the manager.
 * @ownership `data` must exist until the carrier is removed.
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
 * If the epoch has changed, or not every event up to `position` was delivered, connected clients
 * are notified that they missed something. Commands among `events` that the manager
 * has missed are carried out; if others may be missing, connections are reauthorized and
 * `on_processes_gap` is called (user_commands.h).
 *
 * @param manager   the manager
 * @param epoch     the stream's epoch
 * @param position  the position of the stream's newest event; ws_manager_cluster_deliver() is
 *                  called for the events after it
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
 * @param position  the position of the stream's newest event; ws_manager_cluster_deliver() is
 *                  called for the events after it
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
 * An event whose content is not valid is logged and skipped. A command is carried out, which may
 * call `on_process_message`.
 *
 * @param manager  the manager
 * @param event    the event, whose position follows that of the last one; copied
 *
 * @retval WS_OK                the event is delivered, or skipped
 * @retval WS_ERR_INVALID       its position is not the next one
 * @retval WS_ERR_BACKPRESSURE  a loop has too many calls waiting: deliver it again later
 * @retval WS_ERR_NO_MEMORY     an allocation failed: deliver it again later
 *
 * @threads One thread at a time for this function, ws_manager_cluster_start() and
 * ws_manager_cluster_stored().
 */
WS_EXPORT int ws_manager_cluster_deliver(ws_manager *manager, const ws_cluster_event *event);

/** Notifies the manager whether an event of `publish` was stored.
 *
 * @param manager   the manager
 * @param receipt   that of `publish`; it is freed; NULL does nothing
 * @param result    #WS_OK, or the reason why the event is not stored, as far as the carrier knows
 * @param position  the event's position in the stream; 0 if the event was stored before
 *
 * @threads One thread at a time for this function, ws_manager_cluster_start() and
 * ws_manager_cluster_deliver().
 */
WS_EXPORT void ws_manager_cluster_stored(ws_manager *manager, void *receipt, int result,
                                         uint64_t position);

/** Answers a request of `fetch`.
 *
 * If the first event does not follow `after`, the events between are lost, and clients are notified
 * of the gap. An answer without events means that all requested events are lost, or that the stream
 * ends there.
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
 * @param length   of `value`, in bytes; 0 with a `value` that is not NULL: the engine has not
 *                 answered
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
