/** @file
 * A server for applications without an event loop: the library libwsmanager-server (pkg-config
 * ws-manager-server).
 *
 * It has threads of its own, which accept connections, serve WebSockets, Server-Sent Events and
 * Socket.IO, and hand other HTTP requests to the application (server_http.h):
 *
 * @code
 * ws_server *server;
 *
 * if (ws_server_start(ws_manager_default(), NULL, &server) != WS_OK)
 *     return 1;
 * emit_order_created("{\"id\":1}"); // any thread, at any time
 * ws_server_free(server);
 * @endcode
 *
 * @par Signals
 * The server's threads block all signals, which are left to the application's own threads. Writing
 * to a client that has disconnected raises no SIGPIPE; with `caller_runs` that signal is blocked
 * during ws_server_run().
 */
#ifndef WS_MANAGER_SERVER_H
#define WS_MANAGER_SERVER_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/manager.h>
#include <ws_manager/server_callbacks.h>
#include <ws_manager/server_client.h>
#include <ws_manager/server_http.h>
#include <ws_manager/types.h>
#include <ws_manager/websocket.h>

WS_BEGIN_DECLS

/** Listeners, threads and connections. */
typedef struct ws_server ws_server;

/** The protocols that an endpoint serves at a path. */
enum ws_server_route_kind {
    WS_SERVER_WEBSOCKET = 0, /**< WebSocket */
    WS_SERVER_EVENTS = 1,    /**< Server-Sent Events, and POST (http.h) */
    WS_SERVER_SOCKETIO = 2,  /**< an endpoint of Socket.IO: WebSocket and long-polling */

    /** WebSocket with back-pressure: while a client does not read, nothing more is read from it. It
     * is for raw endpoints that answer each message: the client is slowed down and not
     * disconnected. */
    WS_SERVER_WEBSOCKET_PACED = 3
};

/** A path at which clients reach an endpoint. */
typedef struct ws_server_route {
    const char *path;      /**< without a query, at most 127 bytes */
    ws_endpoint *endpoint; /**< of the server's manager; must outlive the server */
    int32_t kind;          /**< enum ws_server_route_kind */
} ws_server_route;

/** The options of a server, set up by ws_server_options_init() with the defaults named here.
 * Texts and arrays are copied. */
typedef struct ws_server_options {
    size_t size; /**< set by ws_server_options_init() */

    /* --- callbacks (server_callbacks.h, server_http.h) --- */

    void *user_data; /**< passed to all callbacks, and `log`; must outlive the server */

    ws_server_accept_request_callback *accept_request; /**< NULL: every request is accepted */
    ws_server_request_callback *on_request; /**< NULL: every request is answered with 404 */

    /** NULL: no request is costly. */
    ws_server_classify_request_callback *classify_request;

    ws_server_thread_callback *on_thread;          /**< may be NULL */
    ws_server_run_timers_callback *run_timers;     /**< may be NULL */
    ws_server_fd_callback *on_fd;                  /**< may be NULL; needs `fd` */
    ws_server_free_data_callback *free_data;       /**< may be NULL */
    ws_server_confirm_stop_callback *confirm_stop; /**< may be NULL */
    ws_server_stopped_callback *on_stopped;        /**< may be NULL */

    /** A descriptor that thread 0 watches, and for which it calls `on_fd`. It may be that of an
     * epoll. -1, the default: none. */
    int32_t fd;

    /* --- listeners --- */

    /** Where to listen: "ADDRESS:PORT" with an address of IPv4 or of IPv6 in brackets, and port 0
     * for any free one; "unix:PATH", a socket that is made and removed, and that replaces one on
     * which no process listens; "systemd", the first socket of socket activation (LISTEN_FDS);
     * default "127.0.0.1:8080". */
    const char *listen;

    /** Where to listen for requests of operators, in the forms of `listen`; NULL: nowhere, the
     * default. */
    const char *admin_listen;

    /** A file with the certificate chain, in PEM; NULL: no TLS, the default. #WS_ERR_INVALID if the
     * library was built without TLS. */
    const char *tls_cert_file;

    /** A file with the key of the certificate, in PEM, without a passphrase. */
    const char *tls_key_file;

    /** Addresses or ranges ("10.0.0.0/8") of proxies, at most 64, that may name their client, by
     * Forwarded, X-Forwarded-For or the PROXY protocol; NULL: none. */
    const char *const *trusted_proxies;
    size_t n_trusted_proxies; /**< how many there are in `trusted_proxies` */

    /* --- endpoints --- */

    /** The paths of endpoints, at most 16. NULL: the server makes endpoints for "/ws", "/events",
     * "/socket.io" and "/socket.io/", which accept every client as anonymous, except pages that
     * `origins` does not allow. */
    const ws_server_route *routes;
    size_t n_routes; /**< how many there are in `routes` */

    /** Origins whose pages may use the endpoints that the server makes, such as
     * "https://example.com", at most 64; "*": all. NULL: only pages of this server itself that
     * name it by its address or as localhost, because any other host name may point here (DNS
     * rebinding). Endpoints of the application's own apply it with ws_server_check_page(). */
    const char *const *origins;
    size_t n_origins; /**< how many there are in `origins` */

    /* --- requests that the server answers itself --- */

    /** The path that the server answers with 200, or with 503 while it is stopping, without calling
     * `accept_request`; NULL: none. */
    const char *health_path;

    /** The path that the server answers with the metrics, as OpenMetrics text; NULL: none. */
    const char *metrics_path;

    /* --- limits and costs --- */

    /** How many connections one address, or one /64 of IPv6, may have; 0, the default: no limit. */
    uint32_t max_per_address;

    /** The cost of accepting a request, in units of ws_server_response::cost; default 0. If
     * accepting includes checking a signature, 4096 is about right. */
    uint32_t accept_cost;

    /** How many descriptors clients may use, for their connections and for the files of answers. If
     * there are more, the least useful connection is closed; 0, the default: no limit. */
    uint64_t max_descriptors;

    /* --- threads --- */

    uint32_t threads; /**< 1 to 256; 0: one for each core, the default */

    /** 1: the caller runs thread 0 by ws_server_run(); 0: the server starts thread 0 like the
     * others, the default. */
    int32_t caller_runs;

    /* --- stopping --- */

    uint32_t stop_timeout_ms; /**< how long stopping may take; default 3000 */

    /** After a stop, each client is asked to reconnect after a random time below this; default
     * 5000. */
    uint32_t retry_spread_ms;

    /* --- log --- */

    ws_log_callback *log; /**< NULL: nothing is logged */
    int32_t log_level;    /**< the highest enum ws_log_level; default #WS_LOG_INFO */

    /** Room for one line of text that says why ws_server_start() failed. It is NUL-terminated, and
     * cut if it is too long. NULL: none. The server does not use it afterwards. */
    char *problem;
    size_t problem_size; /**< room in `problem`, in bytes */
} ws_server_options;

/** Figures of a server, for ws_server_get_stats(). */
typedef struct ws_server_stats {
    size_t size;                /**< `sizeof(ws_server_stats)`, set by the caller */
    uint64_t sockets;           /**< connections of clients, also those without a WebSocket */
    uint64_t addresses_refused; /**< connections refused because of `max_per_address` */
} ws_server_stats;

/** How many connections of a thread may be neither a WebSocket nor a stream of an accepted
 * client. */
#define WS_SERVER_HTTP_MAX 4096

/** Fills in the defaults for a struct of a given size: use ws_server_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_server_options_init_size(ws_server_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_server_options_init(ws_server_options *options)
{
    ws_server_options_init_size(options, sizeof *options);
}

/** Checks options without starting anything: texts, numbers, and options that need each other.
 *
 * @param options  the options; if they are not acceptable, the reason is written to their `problem`
 *
 * @retval WS_OK             ws_server_start() may accept them
 * @retval WS_ERR_INVALID    an option is not acceptable
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_server_check_options(const ws_server_options *options);

/** Listens, and starts the threads.
 *
 * Servers may share a manager. The first one that stops drains it, and disconnects the clients of
 * every server.
 *
 * @param manager      the manager, which must outlive the server
 * @param options      may be NULL for the defaults
 * @param[out] server  the server, set before the first callback; set to NULL after an error
 *
 * @retval WS_OK             it serves clients
 * @retval WS_ERR_INVALID    an option is not acceptable, or a certificate cannot be used
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_SYSTEM     an address cannot be listened on, or a thread cannot be started
 * @retval WS_ERR_DRAINING   the manager is draining: another server of it has stopped, or
 *                           ws_manager_drain() was called
 *
 * @threads Any thread.
 * @ownership Free the server with ws_server_free().
 */
WS_EXPORT int ws_server_start(ws_manager *manager, const ws_server_options *options,
                              ws_server **server);

/** Runs thread 0 until the server has stopped.
 *
 * It returns at once if `caller_runs` is 0, if thread 0 has run already, or if `server` is NULL.
 *
 * @param server  the server
 *
 * @threads Any thread that is not one of the server's.
 */
WS_EXPORT void ws_server_run(ws_server *server);

/** Begins to stop: no further connection is accepted, requests that have begun are answered, and
 * every client receives the messages that are queued for it and is asked to reconnect
 * (ws_manager_drain(), after which the manager accepts no clients). Connections that are left
 * after `stop_timeout_ms` are closed.
 *
 * @param server  the server
 *
 * @threads Any thread, also in a callback.
 */
WS_EXPORT void ws_server_drain(ws_server *server);

/** Stops the server as ws_server_drain() does, and waits until all of its threads have ended.
 *
 * Other functions of the server may still be called, until ws_server_free().
 * In the child of a fork() it does nothing, as the other functions that run or end the server.
 *
 * @param server  the server
 *
 * @threads One thread, which is not one of the server's.
 */
WS_EXPORT void ws_server_stop(ws_server *server);

/** Stops the server like ws_server_stop(), and frees it.
 *
 * @param server  the server; NULL does nothing
 *
 * @threads One thread, which is not one of the server's; no other thread uses the server.
 */
WS_EXPORT void ws_server_free(ws_server *server);

/** Whether the server is stopping or has stopped.
 *
 * @param server  the server
 *
 * @return 1 after ws_server_drain() or another call that stops the server; 0 before
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_server_is_stopping(const ws_server *server);

/** Where the server listens, as "http://127.0.0.1:8080" with the port in use, or "unix:PATH".
 *
 * @param server  the server
 *
 * @return the text
 *
 * @threads Any thread.
 * @ownership The text is the server's and valid as long as the server.
 */
WS_EXPORT const char *ws_server_url(const ws_server *server);

/** Where the server listens for operators.
 *
 * @param server  the server
 *
 * @return the text, such as "http://127.0.0.1:8081" or "unix:PATH"; "" without `admin_listen`
 *
 * @threads Any thread.
 * @ownership The text is the server's and valid as long as the server.
 */
WS_EXPORT const char *ws_server_admin_url(const ws_server *server);

/** Reads the certificate and its key again, for new connections.
 *
 * @param server  the server
 *
 * @retval WS_OK             new connections use them
 * @retval WS_ERR_NOT_FOUND  the server has no TLS
 * @retval WS_ERR_FAILED     they cannot be used; the former ones stay in use, and the log has the
 *                           reason
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_server_reload_certificate(ws_server *server);

/** Makes a thread call `run_timers` soon.
 *
 * @param server  the server
 * @param thread  which one, from 0 on
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_server_wake(ws_server *server, uint32_t thread);

/** The server's figures.
 *
 * @param server         the server
 * @param[in,out] stats  filled in, as far as its `size` says
 *
 * @retval WS_OK           they are filled in
 * @retval WS_ERR_INVALID  `size` is impossible
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_server_get_stats(ws_server *server, ws_server_stats *stats);

WS_END_DECLS

#endif
