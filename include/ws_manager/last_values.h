/** @file
 * Values and histories that rooms keep: a client that enters gets the state first, then the
 * stream.
 *
 * @code
 * ws_last_values_options options;
 *
 * ws_last_values_options_init(&options);
 * options.room = "orders"; // the last event of each order
 * result = ws_manager_keep_last_values(manager, &options);
 *
 * // The sender sets the key of each event.
 * ws_event_set_key(event, "4711");
 * result = ws_manager_broadcast_to_room(manager, "orders", event, NULL, 0);
 * @endcode
 *
 * A client requests the kept events when it joins:
 * `{"type":"join_room","room":"orders","state":true}`. It receives `room_joined`, then the kept
 * events, each with a member `"state":true`, and then every event that follows, without gaps or
 * duplicates. With `"last":20` it receives, between `room_joined` and the events that follow,
 * the 20 newest events of the room, each with `"replayed":true`, if the room keeps a history.
 *
 * A declaration applies to events that are sent after it.
 *
 * @par With a cluster
 * Each process keeps events that it reads from the stream. A process that starts gets the last
 * values from the carrier, if the carrier keeps them (redis.h does), and otherwise from the events
 * that it reads at its start. Histories contain only events that the process has read: the answer
 * to `since` says if they do not reach back far enough.
 *
 * Make equal declarations in every process before it reaches the cluster. If they differ, each
 * process keeps what it declares itself, and the carrier keeps what the sender of an event
 * declares. An event whose sender declares nothing does not replace the carrier's event of that
 * key, so a process that starts later may get an outdated value.
 */
#ifndef WS_MANAGER_LAST_VALUES_H
#define WS_MANAGER_LAST_VALUES_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** Which events a room keeps as its state. */
typedef struct ws_last_values_options {
    size_t size; /**< set by ws_last_values_options_init() */

    const char *room; /**< the room's name; NULL, the default: every room; copied */
    const char *type; /**< the event type; NULL, the default: every type; copied */

    /** 1, the default: a room keeps the last event for each key (ws_event_set_key()), whatever its
     * type; events without a key are not kept. 0: it keeps the newest `max_values` events. */
    int32_t by_key;

    uint32_t max_values; /**< how many events a room keeps; 1 to 100000, default 1000 */

    /** The memory of the kept events of each room; 0: no limit; default 1 MiB. Above a limit the
     * oldest events are dropped, and counted in the statistics. */
    uint64_t max_bytes;
} ws_last_values_options;

/** Fills in the defaults for a struct of a given size: use ws_last_values_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_last_values_options_init_size(ws_last_values_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_last_values_options_init(ws_last_values_options *options)
{
    ws_last_values_options_init_size(options, sizeof *options);
}

/** Declares that rooms keep the last values of events.
 *
 * An event is kept by the first declaration that matches its room and type. An event whose data is
 * `null` removes the kept event with its key; if `by_key` is 0, it removes all events that the
 * declaration keeps in its room. A declaration holds until the manager is freed.
 *
 * @param manager  the manager
 * @param options  which rooms keep what; copied
 *
 * @retval WS_OK             it is declared
 * @retval WS_ERR_INVALID    a name is not valid (ws_name_is_valid()), or a number
 *                           is out of range
 * @retval WS_ERR_LIMIT      there are 64 declarations, those of histories included
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_keep_last_values(ws_manager *manager,
                                          const ws_last_values_options *options);

/** Which events a room keeps as its history. */
typedef struct ws_room_history_options {
    size_t size; /**< set by ws_room_history_options_init() */

    const char *room; /**< the room's name; NULL, the default: every room; copied */

    uint32_t max_events; /**< how many events a room keeps; 1 to 100000, default 100 */
    uint64_t max_bytes;  /**< their memory in each room; 0: no limit; default 1 MiB */
} ws_room_history_options;

/** Fills in the defaults for a struct of a given size: use ws_room_history_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_room_history_options_init_size(ws_room_history_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_room_history_options_init(ws_room_history_options *options)
{
    ws_room_history_options_init_size(options, sizeof *options);
}

/** Declares that rooms keep a history of their own, for clients that enter with `last` or `since`.
 *
 * Each room has its own limits, so one with many events does not push out those of another. The
 * history for clients that reconnect (`history_events` of ws_manager_options) is separate. If
 * several declarations match a room, the first one applies.
 *
 * @param manager  the manager
 * @param options  which rooms keep how much; copied
 *
 * @return the results of ws_manager_keep_last_values()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_keep_room_history(ws_manager *manager,
                                           const ws_room_history_options *options);

WS_END_DECLS

#endif
