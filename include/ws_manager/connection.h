/* connection.h: registering a connection, ending it, and the application's pointer on it. */
#ifndef WS_MANAGER_CONNECTION_H
#define WS_MANAGER_CONNECTION_H

#include <ws_manager/close_code.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/transport.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/* What a connection's messages mean. */
enum ws_protocol {
    WS_PROTOCOL_JSON = 0, /* the library's JSON messages: welcome, rooms, events */
    WS_PROTOCOL_RAW = 1 /* nothing: on_raw gets what comes; no rooms, no events, no presence */
};

/* Set up by ws_connect_options_init(). */
typedef struct ws_connect_options {
    size_t size;
    const ws_transport *transport; /* must outlive the connection */
    void *transport_data;          /* handed to the transport's functions */
    const char *user_id;           /* NULL: anonymous; copied */
    void *user_data;               /* the application's pointer on the connection */
    int32_t protocol;              /* enum ws_protocol; default WS_PROTOCOL_JSON */
    uint32_t ping_interval_ms;     /* told to the client in its welcome; default 25000 */

    /* Of a client that was connected before. With `after`, the id of the last event that it saw (or
     * any text that it gave for one), it gets what it missed since: what went to everyone, to its
     * user, and to the rooms that it is in by these options or by what on_connect does; then it is
     * told `recovered`, and whether that was all. `rooms` are entered if authorize_join lets it.
     * `former_connection_id` is its welcome's of then: what excluded that connection is not
     * repeated to it. All are copied; NULL: none. */
    const char *after;
    const char *former_connection_id;
    const char *const *rooms;
    size_t n_rooms;
} ws_connect_options;

/* Fills in the defaults. What is exported is told the size of the caller's struct, so that a newer
 * library writes no more than an older program has room for. Any thread. */
WS_EXPORT void ws_connect_options_init_size(ws_connect_options *options, size_t size);

static inline void ws_connect_options_init(ws_connect_options *options)
{
    ws_connect_options_init_size(options, sizeof *options);
}

/* Registers a connection of any transport with a loop. Its welcome goes out, on_connect is
 * called, and events reach it from the loop's next ws_loop_run() on: every event that is sent
 * after this call, and none from before. Not needed with ws_websocket_new(), which does it.
 * Errors: WS_ERR_INVALID (options, name), WS_ERR_LIMIT, WS_ERR_DRAINING, WS_ERR_BACKPRESSURE,
 * WS_ERR_NO_MEMORY. *connection is set on success only. Any thread. */
WS_EXPORT int ws_manager_connect(ws_manager *manager, ws_loop *loop,
                                 const ws_connect_options *options, ws_conn_id *connection);

/* Ends a connection: it leaves its rooms, on_disconnect is called, and its transport closes
 * with `code` (1000 to 1003, 1007 to 1014 or 3000 to 4999, RFC 6455 §7.4) and `reason`
 * (UTF-8, at most 123 bytes; NULL: none) after what is queued for it. Errors: WS_ERR_INVALID,
 * WS_ERR_NOT_FOUND, WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_manager_disconnect(ws_manager *manager, ws_conn_id connection, uint16_t code,
                                    const char *reason);

/* The application's pointer on a connection; *user_data is set on success. The library never
 * follows it. Errors: WS_ERR_NOT_FOUND. Any thread. */
WS_EXPORT int ws_manager_get_user_data(ws_manager *manager, ws_conn_id connection,
                                       void **user_data);
WS_EXPORT int ws_manager_set_user_data(ws_manager *manager, ws_conn_id connection,
                                       void *user_data);

WS_END_DECLS

#endif
