/** @file
 * The manager: its options, its life, rooms and users, statistics, and its end.
 *
 * The callbacks that its options name are in callbacks.h; what is sent through it is in send.h
 * and emit.h.
 */
#ifndef WS_MANAGER_MANAGER_H
#define WS_MANAGER_MANAGER_H

#include <ws_manager/callbacks.h>
#include <ws_manager/close_code.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** How important a line of the log is. */
enum ws_log_level {
    WS_LOG_ERROR = 0, /**< something that should work does not */
    WS_LOG_WARN = 1,  /**< something that an administrator may want to change */
    WS_LOG_INFO = 2,  /**< normal operation, such as a refused handshake */
    WS_LOG_DEBUG = 3  /**< each connection's end */
};

/** Which clients receive user_connected and user_disconnected. These events announce a user's first
 * connection and the end of its last one, and each connection of an anonymous client.
 *
 * With a cluster, a user's connections to all processes count, and the clients of all processes
 * receive the event when the stream brings it. Each process keeps all users for this, as far as
 * `max_presence_members` and `max_presence_bytes` allow. Users beyond these limits, and anonymous
 * clients, are announced by their own process to its own clients. With #WS_PRESENCE_OFF in all
 * processes none of this is done. */
enum ws_presence {
    WS_PRESENCE_EVERYONE = 0, /**< everyone except the connection itself */
    WS_PRESENCE_ROOM = 1,     /**< the members of `presence_room` */
    WS_PRESENCE_OFF = 2       /**< no client: the events are not sent */
};

/** What happens when a message is to be queued and the connection's queue is over its limit. */
enum ws_slow_policy {
    /** It ends with #WS_CLOSE_TRY_AGAIN_LATER. The client reconnects and learns of the gap. */
    WS_SLOW_DISCONNECT = 0,

    WS_SLOW_DROP = 1 /**< the message is dropped and counted; the connection stays */
};

/** The options of a manager, set up by ws_manager_options_init() with the defaults named here.
 */
typedef struct ws_manager_options {
    size_t size; /**< set by ws_manager_options_init() */

    /* --- callbacks (callbacks.h) --- */

    /** Passed to all callbacks, `log` and `clock`; must outlive the manager. */
    void *user_data;

    ws_connect_callback *on_connect;            /**< a connection is registered; may be NULL */
    ws_disconnect_callback *on_disconnect;      /**< a connection has ended; may be NULL */
    ws_authorize_join_callback *authorize_join; /**< NULL lets every client into every room */
    ws_join_callback *on_join;                  /**< the result of a join; may be NULL */
    ws_leave_callback *on_leave;                /**< the result of a leave; may be NULL */

    /** NULL: every message of a client is answered with `forbidden`. */
    ws_client_message_callback *accept_message;

    /** NULL: every new token is answered with `unknown_type`. */
    ws_authenticate_callback *authenticate;

    /** NULL: every request for presence is answered with `forbidden`. */
    ws_authorize_presence_callback *authorize_presence;

    ws_presence_callback *on_presence; /**< a change of presence; may be NULL */

    ws_raw_callback *on_raw; /**< a message with #WS_PROTOCOL_RAW; may be NULL */

    /* --- other processes (user_commands.h) --- */

    ws_process_message_callback *on_process_message; /**< another's message; may be NULL */
    ws_processes_gap_callback *on_processes_gap; /**< commands may be missing; may be NULL */

    /* --- the system around it --- */

    ws_log_callback *log;     /**< NULL logs nothing */
    ws_clock_callback *clock; /**< NULL for the system's clock */

    /** Copied; NULL for malloc(), realloc() and free(). wslay (some 4 KiB for a connection in
     * the middle of a message) and OpenSSL call malloc() in any case. */
    const ws_allocator *allocator;

    /* --- presence --- */

    int32_t presence_events;   /**< enum ws_presence; default #WS_PRESENCE_EVERYONE */
    const char *presence_room; /**< for #WS_PRESENCE_ROOM: a room's name; copied */

    /** How long a user whose last connection was lost is still listed. If the user reconnects in
     * that time, no client is notified. 0: no grace time; at most an hour; default 5000. A client
     * that leaves a room on purpose is removed at once. The time is shorter near the limits
     * `max_presence_members` and `max_presence_bytes`. */
    uint32_t presence_grace_ms;

    /** How long changes of presence are collected, to be sent together; at least 1, at most an
     * hour; default 100. */
    uint32_t presence_batch_ms;

    /** The longest list of members that is sent. Of a room with more members, clients receive only
     * the count; default 1000. */
    uint32_t max_presence_list;

    /** How many users all rooms with presence may have, where a user counts once in each room, and
     * so does a user whose grace time is running; 0: no limit; default 1000000. A join that would
     * add another one fails with #WS_ERR_TOO_MANY_ROOMS. Above seven eighths of this limit, or of
     * `max_presence_bytes`, grace times end early, the oldest first. */
    uint32_t max_presence_members;

    /** The memory of these users and their states; 0: no limit; default 256 MiB. A join that would
     * exceed it fails with #WS_ERR_TOO_MANY_ROOMS, and a state is refused with #WS_ERR_LIMIT. */
    uint64_t max_presence_bytes;

    /** How many deliveries of presence events (events times recipients) are made per second, so
     * that N clients connecting at once do not cause O(N²) deliveries; 0: no limit; default
     * 1000000.
     *
     * Beyond the limit, user_connected and user_disconnected are not sent, and are counted in the
     * statistics (drops: presence). They have no place in the order and are not kept, so a
     * client misses nothing else. Changes of a room's presence wait until they can be sent, before
     * any further event. At most a tenth of the limit can be used at once: with the default, up to
     * 400 clients that connect at the same moment are all announced.
     */
    uint32_t max_presence_deliveries;

    /* --- limits --- */

    uint32_t max_connections;          /**< of the manager; 0: no limit; default 100000 */
    uint32_t max_rooms_per_connection; /**< 0: no limit; default 1000 */

    /** How many rooms may have members at a time; 0: no limit; default 1000000. A join that would
     * make another room fails with #WS_ERR_TOO_MANY_ROOMS. */
    uint32_t max_rooms;

    uint32_t max_event_bytes; /**< of an event's data; at most 2^30; default 1048576 */

    /** How many levels deep the JSON of a client's message may be nested; at most 256; default
     * 32. */
    uint32_t max_client_json_depth;

    /** How many calls may wait for one loop. Further calls fail with #WS_ERR_BACKPRESSURE; default
     * 1048576. */
    uint32_t max_pending;

    /** A client's messages per second, on average; 0: no limit, the default; at most 64000.
     *
     * The rate is enforced with a resolution of 1/64 ms. A message that exceeds it is not carried
     * out and is answered with the error `rate_limited`. The connection ends with
     * #WS_CLOSE_POLICY_VIOLATION after `message_burst` such messages in a row (4095 if that is
     * less), and a raw connection after the first one.
     */
    uint32_t message_rate;

    /** How many messages a client that was idle may send at once, if `message_rate` is not 0; at
     * least 1, at most the messages of an hour; default 100. */
    uint32_t message_burst;

    /* --- answers (requests.h) --- */

    /** How long the application may take to answer a client's message or request for which its
     * callback returned #WS_DEFERRED; at least 1, at most a day; default 30000. */
    uint32_t answer_timeout_ms;

    /** How many messages and requests of a client may wait for their answers. A further one that is
     * to be answered is not carried out, and the client receives the error `failed`. At least 1, at
     * most 10000; default 64. */
    uint32_t max_waiting_answers;

    /** How many answers to a connection's messages and requests are kept for a client that
     * reconnects (ws_connect_options::former_connection_id, with the same user). If the client
     * sends a message or request again, with an equal `ref` and equal content, it gets the kept
     * answer and the application is not called again. Messages that wait for their answer count
     * too. A client that has reconnected has up to twice as many. Nothing is kept for clients
     * without a user. 0: no answers are kept; at most 10000; default 64.
     *
     * Without a cluster, or if its carrier does not keep values (ws_cluster::remember), answers are
     * kept within a process. The carrier of redis.h keeps values, so a client can get its answers
     * from another process. lib/cluster/redis/README.md lists what may still be carried out twice.
     */
    uint32_t max_kept_answers;

    /** How many bytes the kept answers of a connection may have. Those of a client that has
     * reconnected may have twice as many; default 32768. */
    uint32_t max_kept_answer_bytes;

    /** How many bytes all kept answers may have together, including, with a cluster, the notes
     * about them; default 16 MiB. The clients of one user have at most an eighth of it, or twice
     * `max_kept_answer_bytes` if that is more. */
    uint64_t max_kept_bytes;

    uint32_t kept_answers_ms; /**< how long they are kept; default 300000 */

    /** How many requests to a client (ws_manager_request()) may wait for its responses. At least 1,
     * at most 10000; default 64. */
    uint32_t max_waiting_requests;

    /** How many messages and requests of all clients may wait for an answer that the application
     * gives later. Requests to clients that wait for a response have a limit of the same size, and
     * are counted separately. At least 1; default 100000.
     *
     * The connections of one user have at most an eighth of the limit, and all connections without
     * a user at most half of it, or what one connection may have if that is more. While the limit
     * is reached, it depends on the method, or the type of message:
     *
     * - Its callback has returned #WS_DEFERRED before: the message is not carried out, and the
     *   client receives the error `failed`.
     * - Its callback has never returned #WS_DEFERRED: the message is carried out. If the callback
     *   returns #WS_DEFERRED now, the client receives the error `timeout`. */
    uint32_t max_waiting;

    /* --- slow clients --- */

    int32_t slow_policy; /**< enum ws_slow_policy; default #WS_SLOW_DISCONNECT */

    ws_keep_slow_client_callback *keep_slow_client; /**< decides instead of `slow_policy` */
    ws_backpressure_callback *on_backpressure;      /**< a long queue; may be NULL */

    /* --- history: the events for clients that reconnect --- */

    /** How many of the newest events for everyone, a room or a user are kept; 0: none; default
     * 10000, at most 2^30. */
    uint32_t history_events;

    /** The age of the oldest event that is kept, by `clock`; 0: no limit, the default. */
    uint32_t history_age_ms;

    /** The memory of the kept events; 0: no limit; default 64 MiB. It includes the forms in
     * which an event is sent (compressed, for event streams, for clients of Socket.IO), each
     * counted once. Forms that are made later, for clients that recover, are counted when
     * further events are added. With a cluster, the process may use the same amount again while
     * clients read older events from the stream. */
    uint64_t history_bytes;

    /** The memory of the events that all rooms keep (last_values.h); 0: no limit; default 64 MiB.
     * Above it the oldest kept events are dropped, from any room. It includes the forms that are
     * made of them for clients, as in `history_bytes`, which are counted when the next client
     * receives these events, or as further events are kept. Redis counts no forms. */
    uint64_t last_values_bytes;
} ws_manager_options;

/** Fills in the defaults for a struct of a given size: use ws_manager_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_manager_options_init_size(ws_manager_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_manager_options_init(ws_manager_options *options)
{
    ws_manager_options_init_size(options, sizeof *options);
}

/** Makes a manager.
 *
 * The first one of the process becomes its default manager (ws_manager_default()).
 *
 * @param options       copied; NULL for the defaults
 * @param[out] manager  the manager; set on success only
 *
 * @retval WS_OK             the manager is made
 * @retval WS_ERR_INVALID    a size, limit or name is not acceptable, or the allocator is
 *                           incomplete
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_SYSTEM     the system refused randomness or a lock
 *
 * @threads Any thread.
 * @ownership The caller owns `*manager`: ws_manager_free() frees it.
 */
WS_EXPORT int ws_manager_new(const ws_manager_options *options, ws_manager **manager);

/** Releases a manager.
 *
 * Its memory is freed with its last loop, endpoint or event. After this call only these and
 * their WebSockets may be used, and only to free them. If the manager was the default one,
 * there is none then.
 *
 * @param manager  the manager; NULL does nothing
 *
 * @threads Any thread, while no other thread uses the manager.
 */
WS_EXPORT void ws_manager_free(ws_manager *manager);

/** The manager's random name, with which the names of its connections begin.
 *
 * It is unique among all processes. After fork() the child has another one.
 *
 * @param manager  the manager
 *
 * @return the name
 *
 * @threads Any thread.
 * @ownership The text is the manager's and valid as long as the manager.
 */
WS_EXPORT const char *ws_manager_process_id(const ws_manager *manager);

/** The process's default manager, which emit_order_created() and the other `emit_`
 * functions use.
 *
 * It is the first one of ws_manager_new(), or the one of ws_manager_set_default(). If there is
 * none, a manager with the default options is made, also when an `emit_` function is called
 * before any manager exists. If only `emit_` functions have used that manager, so that no client
 * can have received their events, the first manager of ws_manager_new() replaces it as the
 * default, and its log gets a warning.
 *
 * @return the manager; NULL if it could not be made
 *
 * @threads Any thread.
 * @ownership The library owns a manager that it made. One of ws_manager_set_default() is the
 * application's.
 */
WS_EXPORT ws_manager *ws_manager_default(void);

/** Makes a manager the default one.
 *
 * @param manager  the manager; NULL for none until the next ws_manager_default()
 *
 * @threads Any thread, before others emit.
 * @ownership The application owns `manager`, as before. A default manager that the library made
 * is freed.
 */
WS_EXPORT void ws_manager_set_default(ws_manager *manager);

/** @name Rooms and users
 * @{
 */

/** Puts a connection into a room.
 *
 * A room exists while it has members. `on_join` receives the result. If the connection is in the
 * room already, nothing changes. `authorize_join` is not called.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param room        the room's name; copied
 *
 * @retval WS_OK                the call is accepted
 * @retval WS_ERR_INVALID       `room` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_join_room(ws_manager *manager, ws_conn_id connection,
                                   const char *room);

/** Takes a connection out of a room.
 *
 * `on_leave` receives the result. If the connection is not in the room, nothing changes.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param room        the room's name; copied
 *
 * @retval WS_OK                the call is accepted
 * @retval WS_ERR_INVALID       `room` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_leave_room(ws_manager *manager, ws_conn_id connection,
                                    const char *room);

/** @} */

/** Asks the application again what a client may do, because its rights have changed:
 * `authorize_join` for each room that the connection is in, and `authorize_presence` for the
 * service and each room whose presence it receives.
 *
 * That includes rooms that it entered by ws_manager_join_room(). The connection leaves the rooms
 * that are refused: `on_leave` is called, and the client receives `room_left` without a ref. It
 * receives no further changes of presence that are refused.
 *
 * The call takes its place among the events, however many rooms the connection is in. The client
 * receives no event of a refused room that was sent after the call. With a cluster, it receives no
 * such event that this process reads from the stream after the call. If `authorize_join` has
 * permitted a join before the call, and the join is not carried out yet, it is called again for
 * this join.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 *
 * @retval WS_OK                the call is accepted
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_reauthorize(ws_manager *manager, ws_conn_id connection);

/** Visits every member of a room, each once.
 *
 * Members are read a thousand at a time, so that other threads do not wait for the manager's
 * lock. In a larger room, connections that enter or leave during the call may be visited or not.
 *
 * @param manager    the manager
 * @param room       the room's name
 * @param each       called for each member, without a lock held
 * @param user_data  passed to `each`; NULL if it needs none
 *
 * @retval WS_OK             the end was reached, also if the room has no members
 * @retval WS_ERR_INVALID    `room` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @return what `each` returned, if that is not 0
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_for_each_member(ws_manager *manager, const char *room,
                                         ws_each_callback *each, void *user_data);

/** Visits every connection of a user, each once.
 *
 * Connections are read a thousand at a time, so that other threads do not wait for the manager's
 * lock. If the user has more, connections that begin or end during the call may be visited or not.
 *
 * @param manager    the manager
 * @param user_id    the user's name
 * @param each       called for each connection, without a lock held
 * @param user_data  passed to `each`; NULL if it needs none
 *
 * @retval WS_OK             the end was reached, also if the user has no connection
 * @retval WS_ERR_INVALID    `user_id` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @return what `each` returned, if that is not 0
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_for_each_connection_of_user(ws_manager *manager, const char *user_id,
                                                     ws_each_callback *each, void *user_data);

/** Whether a connection is in a room at this moment. The call takes time in proportion to the
 * number of loops.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param room        the room's name
 *
 * @return 1 if it is in the room, otherwise 0
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_is_member(ws_manager *manager, ws_conn_id connection,
                                   const char *room);

/** @name Statistics
 * @{
 */

/** How many connections are registered.
 *
 * @param manager  the manager
 *
 * @return their number
 *
 * @threads Any thread.
 */
WS_EXPORT size_t ws_manager_connection_count(ws_manager *manager);

/** The statistics as one JSON object: total_connections, unique_users, rooms (name: members),
 * and counters.
 *
 * Above 1,000 rooms the list is not a snapshot: other threads may change rooms meanwhile. The
 * call takes about a microsecond for each room. ws_manager_get_stats_within() is for loop threads
 * of managers with many rooms.
 *
 * @param manager      the manager
 * @param[out] text    the JSON text, NUL-terminated; set on success only
 * @param[out] length  of the text in bytes, without the NUL; may be NULL
 *
 * @retval WS_OK             the text is made
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_INVALID    `manager` or `text` is NULL
 *
 * @threads Any thread.
 * @ownership The caller owns `*text`: ws_manager_free_text() frees it.
 */
WS_EXPORT int ws_manager_get_stats(ws_manager *manager, char **text, size_t *length);

/** The statistics as one JSON object, whose `rooms` is null if that list would be too long.
 *
 * @param manager          the manager
 * @param max_rooms_bytes  how long the list may be, in bytes
 * @param[out] text        the JSON text, NUL-terminated; set on success only
 * @param[out] length      of the text in bytes, without the NUL; may be NULL
 *
 * @return the results of ws_manager_get_stats()
 *
 * @threads Any thread.
 * @ownership The caller owns `*text`: ws_manager_free_text() frees it.
 */
WS_EXPORT int ws_manager_get_stats_within(ws_manager *manager, size_t max_rooms_bytes,
                                          char **text, size_t *length);

/** The statistics as OpenMetrics text, with the number of rooms instead of their names.
 *
 * @param manager      the manager
 * @param[out] text    the text, NUL-terminated; set on success only
 * @param[out] length  of the text in bytes, without the NUL; may be NULL
 *
 * @return the results of ws_manager_get_stats()
 *
 * @threads Any thread.
 * @ownership The caller owns `*text`: ws_manager_free_text() frees it.
 */
WS_EXPORT int ws_manager_get_metrics(ws_manager *manager, char **text, size_t *length);

/** Frees a text of ws_manager_get_stats(), ws_manager_get_stats_within(),
 * ws_manager_get_metrics() or ws_manager_get_presence().
 *
 * @param manager  the manager that made the text
 * @param text     the text; NULL does nothing
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_manager_free_text(ws_manager *manager, char *text);

/** @} */

/** The options of ws_manager_drain(), set up by ws_drain_options_init() with the defaults named
 * here. */
typedef struct ws_drain_options {
    size_t size;   /**< set by ws_drain_options_init() */
    uint16_t code; /**< enum ws_close_code; default #WS_CLOSE_SERVICE_RESTART */

    /** A text for the code, at most 91 bytes (123 without `retry_spread_ms`); NULL: none;
     * copied. */
    const char *reason;

    /** The time over which clients are disconnected, evenly, so that they do not all reconnect at
     * once; default 0: as fast as the loops can. */
    uint32_t spread_ms;

    /** Each client is asked to reconnect after a random time below this: its reason ends with
     * "retry in N ms". 0: clients are not asked; default 10000. */
    uint32_t retry_spread_ms;
} ws_drain_options;

/** Fills in the defaults for a struct of a given size: use ws_drain_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_drain_options_init_size(ws_drain_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_drain_options_init(ws_drain_options *options)
{
    ws_drain_options_init_size(options, sizeof *options);
}

/** Disconnects all clients, and accepts no new ones from now on.
 *
 * A new handshake is answered with 503 and Retry-After. Every connection is closed after what
 * is queued for it. The host goes on running its loops until ws_manager_connection_count() is 0
 * and its sockets are closed. That takes at most `spread_ms` plus the endpoint's
 * `close_timeout_ms`: after that, even the WebSocket of a client that neither reads nor answers
 * has ended.
 * Clients that poll fetch what is queued for them with their next poll:
 * ws_loop_unfetched_sessions() returns how many have not. A second call changes nothing.
 *
 * @param manager  the manager
 * @param options  copied; NULL for the defaults
 *
 * @retval WS_OK             the call is accepted
 * @retval WS_ERR_INVALID    the code or the reason is not acceptable
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_drain(ws_manager *manager, const ws_drain_options *options);

/** Whether the manager is draining: it accepts no new clients.
 *
 * @param manager  the manager
 *
 * @return 1 after ws_manager_drain(); 0 before, and if `manager` is NULL
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_is_draining(ws_manager *manager);

WS_END_DECLS

#endif
