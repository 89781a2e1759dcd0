/** @file
 * Events between processes by a stream in Redis: the library libwsmanager-redis (pkg-config
 * ws-manager-redis).
 *
 * Every process that has a carrier with the same key on the same Redis delivers the same events
 * in the same order.
 *
 * Make a carrier before the manager's loops, and free it before everything else. It belongs to the
 * thread that runs it. Each turn of that thread's loop:
 *
 * @code
 * // 1. Wait for the descriptors that `watch` named, at most until the deadline.
 * // 2. Hand in what is ready: ws_redis_ready().
 * deadline_ms = ws_redis_run(redis, now_ms());
 * @endcode
 *
 * @par fork()
 * After fork() the carrier is the parent's. In the child ws_redis_run() and ws_redis_ready() do
 * nothing, sending through its manager fails with #WS_ERR_FORKED, and ws_redis_free() closes the
 * child's copies of the descriptors without sending anything to Redis or calling `watch`. A server
 * that forks makes the manager and the carrier of each child in the child. While it forks, no
 * other thread may be within this library except in ws_redis_lookup_done(): the child would
 * wait for that thread's locks. The child cannot free the memory of a lookup that is under way.
 */
#ifndef WS_MANAGER_REDIS_H
#define WS_MANAGER_REDIS_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

struct addrinfo;

/** A carrier: this process's share of a stream in Redis. */
typedef struct ws_redis ws_redis;

/** The lookup of a host's name. */
typedef struct ws_redis_lookup ws_redis_lookup;

/** Bits for what the host waits for on a descriptor, and for what the descriptor is ready. */
enum ws_redis_events {
    WS_REDIS_READ = 1, /**< to be read from */
    WS_REDIS_WRITE = 2 /**< to be written to */
};

/** Makes the host's loop wait for events on a descriptor. It must not call this library.
 *
 * @param fd         the descriptor
 * @param events     bits of enum ws_redis_events: what to wait for, level-triggered; 0: nothing,
 *                   because the descriptor is about to be closed
 * @param user_data  that of ws_redis_options
 *
 * @threads The thread that runs the carrier, within ws_redis_ready(), ws_redis_run() or
 * ws_redis_free().
 */
typedef void ws_redis_watch_callback(int fd, int events, void *user_data);

/** Notifies that Redis was reached or lost, that it accepts no new events, or that an event was
 * discarded because Redis refuses its size.
 *
 * It is called when one of these has changed, without a lock held.
 *
 * @param connected  1: it was reached, or is connected but accepts no events; 0: it was lost or
 *                   cannot be reached
 * @param text       one line on why, with the characters of ws_log_callback()
 * @param user_data  that of ws_redis_options
 *
 * @threads The thread that runs the carrier, within ws_redis_run().
 */
typedef void ws_redis_state_callback(int connected, const char *text, void *user_data);

/** Begins to look up the addresses of a host's name.
 *
 * It is called before each round of attempts to connect, for the host names in the URI and those
 * that servers name. It is not called for addresses and Unix sockets, nor for a name whose lookup
 * is under way. The addresses of the answer are tried in their order, except that the address that
 * worked last is tried first. If there is no answer within `timeout_ms`, or it has no address, the
 * addresses of the last lookup are tried again.
 *
 * @param lookup     answer it once with ws_redis_lookup_done(), on any thread, within this call or
 *                   later, even after ws_redis_free(). It is valid until it is answered
 * @param host       the name; valid as long as `lookup`
 * @param user_data  that of ws_redis_options
 *
 * @return #WS_OK if the lookup will be answered; an error of enum ws_error if it will not
 *
 * @threads The thread that runs the carrier, within ws_redis_run().
 */
typedef int ws_redis_resolve_callback(ws_redis_lookup *lookup, const char *host,
                                      void *user_data);

/** The options of a carrier, set up by ws_redis_options_init() with the defaults named here.
 * Texts are copied. */
typedef struct ws_redis_options {
    size_t size; /**< set by ws_redis_options_init() */

    /* --- callbacks --- */

    void *user_data; /**< passed to all callbacks; must outlive the carrier and its lookups */

    ws_redis_watch_callback *watch; /**< required */

    /** Makes the host's loop call ws_redis_run() soon. Required.
     *
     * ws_redis_free() waits for a call of this function that is under way, and it is not called
     * afterwards. ws_redis_run() may wait for such a call, too. Therefore the function must not
     * block, and must not take a lock that the host holds while it calls ws_redis_run() or
     * ws_redis_free().
     */
    ws_wake_callback *wake;

    ws_redis_state_callback *on_state; /**< may be NULL */

    /** Looks up host names. NULL: ws_redis_run() calls getaddrinfo(), and the host's loop waits for
     * it; that takes seconds if no name server answers. Hosts with threads can use
     * ws_redis_resolve_in_thread(). */
    ws_redis_resolve_callback *resolve;

    /* --- the server --- */

    /** Where Redis is; default redis://127.0.0.1:6379. Reserved characters are written as %XX (RFC
     * 3986): at least : / ? # and % in a user or password, and ? # & and % in a path or parameter.
     * The URI has one of the following forms; other forms and other parameters are refused.
     *
     * `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE][?timeout_ms=N]`: one server. An IPv6
     * address is written in brackets. `timeout_ms` (default 5000) limits how long a lookup may
     * take, how long connecting may take, and how long Redis may be silent while an answer is
     * awaited. An answer that arrives in small pieces may take ten times as long.
     *
     * `redis://[[USER]:PASSWORD@]HOST[:PORT],HOST[:PORT],...`: up to 16 servers. The first one
     * that answers and confirms with ROLE that it is a master is used. When its connection is lost
     * or it is demoted, the servers are tried again in turn. Each host may be a node of a Redis
     * Cluster. The node that it names as the one that serves the keys (MOVED, ASK) is then used,
     * with the same user, password and TLS. A cluster has no DATABASE other than 0.
     *
     * `redis+unix://[[USER]:PASSWORD@]/PATH[?timeout_ms=N]`: a Unix socket.
     *
     * `rediss://` instead of `redis://`: TLS 1.2 or newer. Redis must present a certificate for
     * HOST, from an authority that the system trusts or that is in the PEM file `?ca=PATH`. With
     * `&cert=PATH` and `&key=PATH` this process presents a certificate of its own (PEM, the key
     * without a passphrase). The files are read for each connection, so that they can be renewed.
     * A file with one authority is better than the system's whole bundle, which takes 20 ms of the
     * thread to read. The URI is refused if the library was built with a hiredis without TLS.
     *
     * `redis+sentinel://[[USER]:PASSWORD@]SENTINEL[:PORT],.../MASTER[/DATABASE]`: the master that
     * the sentinels know by the name MASTER. The sentinels (default port 26379) are asked in turn.
     * The one that answered is asked again every second, and when the connection to the master is
     * lost. A sentinel that does not answer within a second (`timeout_ms` if that is less, or if
     * there is only one sentinel) is skipped. USER and PASSWORD are for the master;
     * `?sentinel_user=USER&sentinel_password=PASSWORD` are for the sentinels, if they require any.
     * `rediss+sentinel://` uses TLS for the sentinels and the master, with the parameters of
     * `rediss://`. The master's certificate must be for the host by which the sentinels name it.
     */
    const char *uri;

    /* --- identity --- */

    /** The prefix of the names of all keys; a name (ws_name_is_valid()) without blanks and
     * braces; default "wsmanager". */
    const char *key;

    /** The name of this process in ws_redis_get_nodes(); NULL: ws_manager_process_id(). Each
     * process needs a different one, or their figures replace each other, which `on_state` reports
     * once. */
    const char *node;

    /** How often a process sends its figures (connections, users and rooms) to Redis. The figures
     * of a process that has not done so for three intervals are removed. Default 5000. */
    uint32_t heartbeat_interval_ms;

    /* --- limits --- */

    /** How many events Redis keeps at least; it may keep a few more. Default 100000. */
    uint32_t max_stream_events;

    /** How many events may wait until they are stored; further ones are refused with
     * #WS_ERR_BACKPRESSURE; default 100000. */
    uint32_t max_pending_events;

    /** How many bytes the events that wait may take; default 64 MiB. It also limits a single answer
     * of Redis: to this number of bytes, or 16 MiB if that is more, plus 1 MiB. If an answer is
     * longer, the connection is ended, and less is requested at once. */
    uint64_t max_pending_bytes;

    /** How many of the newest stored events a process reads when it starts, for clients that
     * reconnect; at least 1; default 10000. It reads at most 64 MiB. More than the manager's
     * `history_events` are of no use. */
    uint32_t preload_events;

    /* --- memory --- */

    /** Copied; NULL for malloc(), realloc() and free(). hiredis calls malloc() in any case, and
     * before its version 1.0 ends the process when there is no memory. */
    const ws_allocator *allocator;
} ws_redis_options;

/** Fills in the defaults for a struct of a given size: use ws_redis_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_redis_options_init_size(ws_redis_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_redis_options_init(ws_redis_options *options)
{
    ws_redis_options_init_size(options, sizeof *options);
}

/** Checks whether a text can be the option `uri`, and whether its files can be read.
 *
 * @param uri        the text
 * @param[out] text  after an error, one line of text that gives the reason and contains no
 *                   password; NUL-terminated, and cut if it is too long; may be NULL if `size` is 0
 * @param size       room in `text`, in bytes
 *
 * @retval WS_OK             the text can be the option `uri`
 * @retval WS_ERR_INVALID    it cannot
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_redis_check_uri(const char *uri, char *text, size_t size);

/** Makes a carrier, and sets it in a manager that has no loop and no event yet.
 *
 * Nothing is connected before the first ws_redis_run().
 *
 * @param manager     the manager, which must outlive the carrier
 * @param options     copied
 * @param now_ms      the host's monotonic clock in milliseconds, which ws_redis_run() gets too
 * @param[out] redis  the carrier; set on success only
 *
 * @retval WS_OK             the carrier is made
 * @retval WS_ERR_INVALID    an option is not acceptable, or a required one is missing
 * @retval WS_ERR_ALREADY    the manager has a carrier, a loop or an event
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_SYSTEM     the system refused randomness or a lock
 *
 * @threads Any thread. The carrier then belongs to the thread that runs it.
 * @ownership The caller owns `*redis`: ws_redis_free() frees it.
 */
WS_EXPORT int ws_redis_new(ws_manager *manager, const ws_redis_options *options,
                           uint64_t now_ms, ws_redis **redis);

/** Notifies the carrier that a descriptor is ready.
 *
 * @param redis   the carrier
 * @param fd      the descriptor; ignored if it is no longer watched
 * @param events  bits of enum ws_redis_events
 *
 * @threads The thread that runs the carrier.
 */
WS_EXPORT void ws_redis_ready(ws_redis *redis, int fd, int events);

/** Carries out due work: connects, sends queued events, delivers received events.
 *
 * @param redis   the carrier
 * @param now_ms  the host's monotonic clock in milliseconds; a time before that of the last run
 *                counts as that of the last run
 *
 * @return the time at which it must be run again at the latest, on the same clock;
 * #WS_NO_DEADLINE if nothing is due
 *
 * @threads The thread that runs the carrier.
 */
WS_EXPORT uint64_t ws_redis_run(ws_redis *redis, uint64_t now_ms);

/** Ends a carrier, and takes it out of its manager.
 *
 * Events that wait are not stored. Whether events that are under way are stored is not known.
 * ws_stored_callback() receives #WS_ERR_CLOSED for all of them. The other processes are notified
 * that this one is gone, if Redis can be reached at once: the function does not wait. Events that
 * these callbacks send are refused with #WS_ERR_CLOSED. Nothing may be sent afterwards.
 *
 * @param redis  the carrier; NULL does nothing
 *
 * @threads The thread that runs the carrier, not within a callback, while no other thread sends
 * or runs a loop.
 */
WS_EXPORT void ws_redis_free(ws_redis *redis);

/** @name Names of hosts
 * @{
 */

/** Looks up a name with getaddrinfo() in a thread of its own: for the option `resolve`.
 *
 * The thread begins with this call and ends with the answer. It blocks all signals. A thread that
 * is running at ws_redis_free() goes on until getaddrinfo() returns: do not unload this library
 * (dlclose()) before that.
 *
 * @param lookup     the lookup that the thread answers
 * @param host       the name
 * @param user_data  not used; may be NULL
 *
 * @retval WS_OK             the lookup will be answered
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_SYSTEM     the system refused a thread
 * @retval WS_ERR_INVALID    `lookup` or `host` is NULL
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_redis_resolve_in_thread(ws_redis_lookup *lookup, const char *host,
                                         void *user_data);

/** Answers a lookup, once.
 *
 * @param lookup     that of ws_redis_resolve_callback(); not valid after the call
 * @param addresses  a list as getaddrinfo() makes it, of which `ai_family`, `ai_addr`,
 *                   `ai_addrlen` and `ai_next` are read; at most 16 IPv4 and IPv6 addresses are
 *                   taken; NULL: none; copied
 * @param error      one line of text that says why there is no address; NULL if there is one
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_redis_lookup_done(ws_redis_lookup *lookup, const struct addrinfo *addresses,
                                    const char *error);

/** @} */

/** @name Statistics
 * @{
 */

/** The statistics of a carrier as one JSON object.
 *
 * It contains whether Redis is connected, `server` (HOST:PORT or a socket's path, "" while it is
 * not), the epoch, and counters.
 *
 * @param redis        the carrier
 * @param[out] text    the JSON text, NUL-terminated; set on success only
 * @param[out] length  of the text in bytes, without the NUL; may be NULL
 *
 * @retval WS_OK             the text is made
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_INVALID    `redis` or `text` is NULL
 *
 * @threads Any thread.
 * @ownership The caller owns `*text`: ws_redis_free_text() frees it.
 */
WS_EXPORT int ws_redis_get_stats(ws_redis *redis, char **text, size_t *length);

/** The statistics of a carrier as OpenMetrics text without the final "# EOF", to be put before the
 * text of ws_manager_get_metrics().
 *
 * @param redis        the carrier
 * @param[out] text    the text, NUL-terminated; set on success only
 * @param[out] length  of the text in bytes, without the NUL; may be NULL
 *
 * @return the results of ws_redis_get_stats()
 *
 * @threads Any thread.
 * @ownership The caller owns `*text`: ws_redis_free_text() frees it.
 */
WS_EXPORT int ws_redis_get_metrics(ws_redis *redis, char **text, size_t *length);

/** The figures of all processes, as of the last heartbeat, as one JSON object.
 *
 * It contains `nodes` (for each process's name its total_connections, unique_users and rooms), and
 * the sums total_connections and rooms. A process whose list of rooms has more than 256 KiB sends
 * no rooms. The figures of all processes are read up to 16 MiB, or `max_pending_bytes` if that is
 * more; processes beyond that are left out.
 *
 * @param redis        the carrier
 * @param[out] text    the JSON text, NUL-terminated; set on success only
 * @param[out] length  of the text in bytes, without the NUL; may be NULL
 *
 * @return the results of ws_redis_get_stats()
 *
 * @threads Any thread.
 * @ownership The caller owns `*text`: ws_redis_free_text() frees it.
 */
WS_EXPORT int ws_redis_get_nodes(ws_redis *redis, char **text, size_t *length);

/** Frees a text of ws_redis_get_stats(), ws_redis_get_metrics() or ws_redis_get_nodes().
 *
 * @param redis  the carrier that made the text
 * @param text   the text; NULL does nothing
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_redis_free_text(ws_redis *redis, char *text);

/** @} */

WS_END_DECLS

#endif
