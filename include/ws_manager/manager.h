/* manager.h: the manager: its life, its options, and what is sent through it.
 *
 * Order. Every call here that sends, joins, leaves or disconnects takes its place in one total
 * order, the same for all threads, and returns. The loops that it concerns carry it out, in
 * that order, at their next ws_loop_run(); for a call made on a loop's own thread that is the
 * same turn, unless the turn has enough to do already. So "join, then broadcast" reaches the
 * joiner, and WS_OK means "accepted".
 *
 * A message to a user or room in which nobody is, is no error: it takes its place in the order
 * and is delivered to nobody. Only what names one connection says WS_ERR_NOT_FOUND.
 *
 * fork(). A child is another process: what was made before fork() has another process id and epoch
 * in it, and an empty history. So a client of the parent's that comes to it is told that it missed
 * something, and never gets the child's events for the parent's. As POSIX has it, fork() copies the
 * calling thread alone: if others were within this library, the child must do nothing but exec().
 *
 * - Manager, event types and events may be used in both processes.
 * - A loop and its connections are for one of them, which runs them: the parent, or the child of a
 *   daemon(). In the other one they are freed, which writes nothing to any socket and tells nobody:
 *   a loop that was made before the fork and not run since calls neither on_disconnect nor
 *   ws_transport.close(), so their data are the application's to free. Until then what is sent
 *   waits for them there, and its wake() is called.
 * - A carrier stays with the parent (redis.h, cluster.h).
 *
 * So a server that forks workers makes its manager and its sockets before, and each worker its
 * loops, endpoints and carrier. _Fork(), vfork() and clone() are not noticed.
 *
 * Names (users, rooms, event types) are 1 to 128 bytes of UTF-8 that can't break or reorder a line:
 * ws_name_is_valid().
 * Texts that are passed in are copied; the caller keeps what it passed. */
#ifndef WS_MANAGER_MANAGER_H
#define WS_MANAGER_MANAGER_H

#include <ws_manager/close_code.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/* What a callback learns of a connection. Valid during the callback. */
typedef struct ws_connection_info {
    size_t size;
    ws_conn_id id;
    const char *user_id; /* NULL for an anonymous client */
    void *user_data;     /* the application's, see ws_manager_set_user_data() */
} ws_connection_info;

enum ws_log_level { WS_LOG_ERROR = 0, WS_LOG_WARN = 1, WS_LOG_INFO = 2, WS_LOG_DEBUG = 3 };

/* Who hears user_connected and user_disconnected. */
enum ws_presence {
    WS_PRESENCE_EVERYONE = 0, /* everyone but the connection itself */
    WS_PRESENCE_ROOM = 1,     /* the members of presence_room */
    WS_PRESENCE_OFF = 2
};

/* What becomes of a client that does not read as fast as it is sent to. */
enum ws_slow_policy {
    WS_SLOW_DISCONNECT =
        0,           /* it ends with 1013, comes back and knows that it missed something */
    WS_SLOW_DROP = 1 /* the new message is dropped, and counted */
};

/* Set up by ws_manager_options_init(), which fills in the defaults named here.
 *
 * Each callback (on_*, authorize_join) may be NULL. All are called without a lock held, on the
 * thread of the connection's loop, from within ws_loop_run(), ws_websocket_receive(),
 * ws_websocket_upgrade(), ws_websocket_eof(), ws_websocket_close(), ws_websocket_free(),
 * ws_manager_transport_closed() or ws_loop_free(). A callback may call every function of this
 * library, also on its own connection: disconnect it, join it, send to it, free its transport.
 * Only ws_loop_run() and ws_loop_free() on the same loop are not for callbacks. Texts are valid
 * during the call. */
typedef struct ws_manager_options {
    size_t size;
    void *user_data; /* of the callbacks, log and clock */

    /* The connection is registered and its welcome queued. */
    void (*on_connect)(ws_manager *manager, const ws_connection_info *connection,
                       void *user_data);

    /* The connection has left its rooms; nothing more is delivered to it. Called once for every
     * on_connect. `code` is the WebSocket close code (RFC 6455 §7.4): the peer's (1005: it
     * gave none), ours, or 1006 when the connection broke. */
    void (*on_disconnect)(ws_manager *manager, const ws_connection_info *connection,
                          uint16_t code, const char *reason, void *user_data);

    /* A client asks to enter a room. Return WS_OK to let it in; anything else is answered with
     * the error `forbidden`. Not asked for ws_manager_join_room(), but again for every room by
     * ws_manager_reauthorize(). NULL lets everyone in. */
    int (*authorize_join)(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, void *user_data);

    /* What became of a join, by the client or by ws_manager_join_room(): WS_OK, WS_ERR_ALREADY
     * (is a member), WS_ERR_TOO_MANY_ROOMS, WS_ERR_FORBIDDEN (a raw connection),
     * WS_ERR_NO_MEMORY. Not called when authorize_join refused, or when the connection ended
     * first. */
    void (*on_join)(ws_manager *manager, const ws_connection_info *connection, const char *room,
                    int result, void *user_data);

    /* What became of a leave: WS_OK or WS_ERR_NOT_MEMBER. Not called for the rooms that a
     * connection leaves by ending, or when it ended first. */
    void (*on_leave)(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, int result, void *user_data);

    /* A client's {"type":"message"}: `room` is NULL when it named none, `data` is the JSON text
     * of its "data" (length bytes, valid JSON, "null" when absent) and NUL-terminated. Return
     * WS_OK; WS_ERR_NOT_MEMBER or WS_ERR_FORBIDDEN are answered with that error, any other
     * error with `bad_request`. NULL: every message is answered with `forbidden`. */
    int (*accept_message)(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, const char *data, size_t length, void *user_data);

    /* A whole message of a connection with WS_PROTOCOL_RAW: text is UTF-8, not NUL-terminated. */
    void (*on_raw)(ws_manager *manager, const ws_connection_info *connection, const void *data,
                   size_t length, int is_text, void *user_data);

    /* One line without a newline, `level` of enum ws_log_level. Of refused handshakes (info), and of
     * connections that are too slow or send too fast (warn), ten lines a second are logged for each
     * loop, and how many were left out. A line is UTF-8; a '?' is in the place of
     * what a peer said that could break or reorder the line (ws_name_is_valid()). Any thread, never
     * with a lock held. NULL: nothing is logged. */
    void (*log)(int level, const char *line, void *user_data);

    /* Milliseconds since 1970-01-01 UTC, for events' timestamps. Any thread. NULL: the
     * system's. */
    int64_t (*clock)(void *user_data);

    /* Copied; NULL: malloc(), realloc() and free(). wslay (some 4 KiB for a connection in the
     * middle of a message) and OpenSSL take theirs from malloc() in any case. */
    const ws_allocator *allocator;

    int32_t presence_events;   /* enum ws_presence; default WS_PRESENCE_EVERYONE */
    const char *presence_room; /* for WS_PRESENCE_ROOM; copied */

    uint32_t max_connections;          /* in all; 0: no limit; default 100000 */
    uint32_t max_rooms_per_connection; /* 0: no limit; default 1000 */
    uint32_t max_event_bytes;          /* of an event's data; default 1048576; at most 1 GiB */
    uint32_t max_client_json_depth; /* nesting of clients' messages; default 32, at most 256 */
    uint32_t max_pending; /* calls that one loop has not carried out yet; default 1048576 */

    /* Presence events times their recipients, in a second: so that N clients who come or go at once
     * do not cost N * N deliveries. What goes beyond is left out and counted in the statistics
     * (drops: presence); presence events are not kept and have no place in the order, so nothing
     * else is missed. Below 1000 clients nothing is left out unless they come and go every second.
     * 0: no limit; default 1000000. */
    uint32_t max_presence_deliveries;

    /* A client's {"type":"authenticate","token":"…"}, by which it proves anew who it is, for
     * example before its token expires. Return WS_OK, which is answered with `authenticated`, after
     * ws_manager_reauthorize() if it may do less than before; any other error is answered as for
     * accept_message. `token` is NUL-terminated. NULL: such messages are answered with
     * `unknown_type`. */
    int (*authenticate)(ws_manager *manager, const ws_connection_info *connection,
                        const char *token, void *user_data);

    /* Rooms with members, in all: a join that would make one more is refused as one too many of the
     * connection's own; 0: no limit; default 1000000. */
    uint32_t max_rooms;

    /* Messages of one client: `message_rate` a second on average (0: no limit, the default; at most
     * 64000, kept to a 64th of a millisecond between two), and at most `message_burst` at once
     * (default 100, at least 1, at most an hour's worth). One that comes too fast
     * is not carried out and answered with the error `rate_limited`; after message_burst of them in
     * a row, or the first of a raw connection, the connection ends with 1008. */
    uint32_t message_rate;
    uint32_t message_burst;

    /* What becomes of a connection whose queue is over its limit when a message comes; enum
     * ws_slow_policy; default WS_SLOW_DISCONNECT. */
    int32_t slow_policy;

    /* Asked in that case, if it is not NULL, instead of slow_policy: return WS_OK to drop the
     * message and keep the connection; anything else ends it with 1013. */
    int (*keep_slow_client)(ws_manager *manager, const ws_connection_info *connection,
                            void *user_data);

    /* A client's queue has grown above its endpoint's queue_high_bytes (is_high 1), or is down
     * again at queue_low_bytes (0): a time to send it less, or to read less from it. */
    void (*on_backpressure)(ws_manager *manager, const ws_connection_info *connection,
                            int is_high, void *user_data);

    /* Events that are kept for clients that come back: all that were broadcast or sent to a room or
     * a user, the newest ones within these three limits. */
    uint32_t history_events; /* 0: none are kept; default 10000, at most 2^30 */
    uint32_t history_age_ms; /* by `clock`; 0: no limit, the default */
    /* 0: no limit; default 64 MiB; their compressed forms come on top. With a cluster, as much
     * again while clients read what is older. */
    uint64_t history_bytes;
} ws_manager_options;

/* Fills in the defaults. What is exported is told the size of the caller's struct, so that a newer
 * library writes no more than an older program has room for. Any thread. */
WS_EXPORT void ws_manager_options_init_size(ws_manager_options *options, size_t size);

static inline void ws_manager_options_init(ws_manager_options *options)
{
    ws_manager_options_init_size(options, sizeof *options);
}

/* Makes a manager. `options` may be NULL for the defaults; it is copied, what its user_data
 * point to must live as long as the manager. Errors: WS_ERR_INVALID (size stamp, limit, name,
 * an incomplete allocator), WS_ERR_NO_MEMORY, WS_ERR_SYSTEM. *manager is set on success only. */
WS_EXPORT int ws_manager_new(const ws_manager_options *options, ws_manager **manager);

/* Lets go of a manager. The memory goes with its last loop, endpoint or event; after this call only
 * those, and the WebSockets, may still be freed. NULL does nothing. If it was the default manager,
 * there is none then. */
WS_EXPORT void ws_manager_free(ws_manager *manager);

/* The random name of this manager, with which the names of its connections begin; unique among
 * all processes. Lives as long as the manager. Any thread. */
WS_EXPORT const char *ws_manager_process_id(const ws_manager *manager);

/* The process's default manager, to which emit_*() go; made with default options on first use.
 * NULL when that failed. Any thread. */
WS_EXPORT ws_manager *ws_manager_default(void);

/* Makes `manager` the default one; NULL: none until the next ws_manager_default(). A manager
 * that ws_manager_default() made is freed when it is replaced. Call it before other threads
 * emit. */
WS_EXPORT void ws_manager_set_default(ws_manager *manager);

/* --- events ------------------------------------------------------------------------------ */

/* Everyone, but the connections in `exclude` (`n_exclude` ids, may be NULL with 0; ids that
 * name nothing are passed over). The event gets its timestamp and its id (with a stream between
 * processes that is known later, see ws_event_set_stored_callback()) and can't be sent again.
 * Errors: WS_ERR_INVALID, WS_ERR_ALREADY (was sent), WS_ERR_BACKPRESSURE (a loop has
 * max_pending calls waiting), WS_ERR_NO_MEMORY, and of a carrier WS_ERR_TOO_BIG and WS_ERR_FORKED;
 * in each case nobody gets it. Any thread. */
WS_EXPORT int ws_manager_broadcast(ws_manager *manager, ws_event *event,
                                   const ws_conn_id *exclude, size_t n_exclude);

/* The members of a room; otherwise as ws_manager_broadcast(). */
WS_EXPORT int ws_manager_broadcast_to_room(ws_manager *manager, const char *room,
                                           ws_event *event, const ws_conn_id *exclude,
                                           size_t n_exclude);

/* Every connection of a user; otherwise as ws_manager_broadcast(). */
WS_EXPORT int ws_manager_send_to_user(ws_manager *manager, const char *user_id, ws_event *event,
                                      const ws_conn_id *exclude, size_t n_exclude);

/* One connection. The event gets a timestamp, but no id: it has no place in the history.
 * Errors as ws_manager_broadcast(), and WS_ERR_NOT_FOUND. Any thread. */
WS_EXPORT int ws_manager_send_personal_message(ws_manager *manager, ws_conn_id connection,
                                               ws_event *event, const ws_conn_id *exclude,
                                               size_t n_exclude);

/* Raw bytes to one connection, as one text message (`length` bytes of UTF-8, or WS_ERR_INVALID)
 * or one binary message. Errors: WS_ERR_NOT_FOUND, WS_ERR_TOO_BIG (above 1 GiB),
 * WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_manager_send_text(ws_manager *manager, ws_conn_id connection, const char *text,
                                   size_t length);
WS_EXPORT int ws_manager_send_binary(ws_manager *manager, ws_conn_id connection,
                                     const void *data, size_t length);

/* --- rooms and users --------------------------------------------------------------------- */

/* Puts a connection into a room, or takes it out; a room exists while it has members. Joining
 * twice and leaving a room that one is not in change nothing, and on_join and on_leave say so.
 * Errors: WS_ERR_INVALID (name), WS_ERR_NOT_FOUND, WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY.
 * Any thread. */
WS_EXPORT int ws_manager_join_room(ws_manager *manager, ws_conn_id connection,
                                   const char *room);
WS_EXPORT int ws_manager_leave_room(ws_manager *manager, ws_conn_id connection,
                                    const char *room);

/* What a client may do has changed: authorize_join is asked anew for each room that the connection
 * is in, also for those of ws_manager_join_room(). It leaves those that are refused, on_leave is
 * called and the client told by `room_left`, which repeats no ref. Errors: WS_ERR_NOT_FOUND,
 * WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_manager_reauthorize(ws_manager *manager, ws_conn_id connection);

/* Calls `each` for every member of a room, or every connection of a user, as it was at the
 * moment of the call; no lock is held then. `each` ends the walk by returning non-zero, and
 * that is returned; 0 at the end or when nobody is there; WS_ERR_INVALID, WS_ERR_NO_MEMORY. Any
 * thread. */
WS_EXPORT int ws_manager_for_each_member(ws_manager *manager, const char *room,
                                         int (*each)(ws_conn_id connection, void *user_data),
                                         void *user_data);
WS_EXPORT int ws_manager_for_each_connection_of_user(ws_manager *manager, const char *user_id,
                                                     int (*each)(ws_conn_id connection,
                                                                 void *user_data),
                                                     void *user_data);

/* 1 if the connection is in the room at this moment, else 0. O(loops). Any thread. */
WS_EXPORT int ws_manager_is_member(ws_manager *manager, ws_conn_id connection,
                                   const char *room);

/* --- statistics -------------------------------------------------------------------------- */

/* How many connections are registered. Any thread. */
WS_EXPORT size_t ws_manager_connection_count(ws_manager *manager);

/* The statistics as one JSON object: total_connections, unique_users, rooms (name: members) and
 * counters. ws_manager_get_metrics() is the same as OpenMetrics text, with the number of rooms
 * instead of their names. *text is NUL-terminated, `length` (may be NULL) its length without
 * the NUL; free it with ws_manager_free_text(). Errors: WS_ERR_INVALID (NULL), WS_ERR_NO_MEMORY. Any
 * thread.
 *
 * Beyond 1,000 rooms the list is not of one moment: others go on meanwhile. The whole takes about a
 * microsecond for each room, which a loop that has many should not take: with
 * ws_manager_get_stats_within() `rooms` is null when the list has more bytes. */
WS_EXPORT int ws_manager_get_stats(ws_manager *manager, char **text, size_t *length);
WS_EXPORT int ws_manager_get_stats_within(ws_manager *manager, size_t max_rooms_bytes,
                                          char **text, size_t *length);
WS_EXPORT int ws_manager_get_metrics(ws_manager *manager, char **text, size_t *length);
WS_EXPORT void ws_manager_free_text(ws_manager *manager, char *text);

/* --- the end ----------------------------------------------------------------------------- */

/* Set up by ws_drain_options_init(), which fills in the defaults named here. */
typedef struct ws_drain_options {
    size_t size;
    uint16_t code;      /* of the close; default 1012, service restart */
    const char *reason; /* UTF-8, at most 91 bytes (123 without retry_spread_ms); NULL: none */

    /* Over how long clients are sent away, evenly, so that those who come back do not all come at
     * once; default 0: as fast as the loops can. */
    uint32_t spread_ms;

    /* Each client is told by the end of the reason, "retry in N ms", to come back after a random
     * time below this; the client of examples/dashboard obeys. 0: not told; default 10000. */
    uint32_t retry_spread_ms;
} ws_drain_options;

WS_EXPORT void ws_drain_options_init_size(ws_drain_options *options, size_t size);

static inline void ws_drain_options_init(ws_drain_options *options)
{
    ws_drain_options_init_size(options, sizeof *options);
}

/* Takes no new connections from now on (a WebSocket handshake is answered with 503 and Retry-After)
 * and closes every connection, after what is queued for it. The host goes on running its loops
 * until ws_manager_connection_count() is 0 and its sockets are closed: that is spread_ms and the
 * endpoint's close_timeout_ms at most, since a WebSocket whose client neither reads nor answers the
 * close is ended then. A second call changes nothing. `options` may be NULL for the defaults.
 * Errors: WS_ERR_INVALID (code, reason), WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_manager_drain(ws_manager *manager, const ws_drain_options *options);

WS_END_DECLS

#endif
