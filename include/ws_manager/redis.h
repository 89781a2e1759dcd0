/* redis.h: events between processes by Redis Streams: the library libwsmanager-redis (pkg-config
 * ws-manager-redis). Every process that has one with the same key on the same Redis delivers the
 * same events in the same order. What the manager asks of it is cluster.h.
 *
 * A ws_redis is made before the manager's loops and belongs to the one thread that runs it. A turn
 * of that thread's loop is: wait for the descriptors that watch() named, at most until the
 * deadline; hand in what is ready (ws_redis_ready()); ws_redis_run(). It is the first to be
 * freed.
 *
 * After fork() it is the parent's. In the child ws_redis_run() and ws_redis_ready() do nothing,
 * whatever is sent through its manager is refused with WS_ERR_FORKED, and ws_redis_free() closes
 * the child's copies of the descriptors without a word to Redis, or to `watch`. A process that
 * forks makes the manager and the carrier of each child there. While it forks, no other thread may
 * be within a call to this library but ws_redis_lookup_done(): the child would wait for that
 * thread's locks. The memory of a look-up that is under way then is lost to the child. */
#ifndef WS_MANAGER_REDIS_H
#define WS_MANAGER_REDIS_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

typedef struct ws_redis ws_redis;

/* The look-up of a host's name. */
typedef struct ws_redis_lookup ws_redis_lookup;

struct addrinfo;

/* What to wait for on a descriptor, and what it is ready for; bits. */
enum ws_redis_events { WS_REDIS_READ = 1, WS_REDIS_WRITE = 2 };

/* Set up by ws_redis_options_init(), which fills in the defaults named here. Texts are copied. */
typedef struct ws_redis_options {
    size_t size;

    /* Make the host's loop wait for these events (of enum ws_redis_events) on a descriptor, as long
     * as they last (level-triggered); 0: no more, and the descriptor is about to be closed. Called
     * on the thread that calls ws_redis_ready(), _run() or _free(), within these. It must not call
     * this library. Required. */
    void (*watch)(int fd, int events, void *user_data);

    /* Make the host's loop call ws_redis_run() soon. Called from any thread, once for all calls
     * between two runs, not after ws_redis_free(). That waits for a call that is under way, and so
     * may ws_redis_run(): it must not block, nor take a lock that is held while one of these is
     * called. It must not call this library. Required. */
    void (*wake)(void *user_data);

    /* Redis was reached (`connected` 1), was lost or can't be reached (0), or takes no new events
     * (1), with one line on why, as fit for a log as the manager's. Called when that has changed,
     * within ws_redis_run(), without a lock held. NULL: not told. */
    void (*on_state)(int connected, const char *text, void *user_data);

    void *user_data; /* of all hooks */

    /* redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE][?timeout_ms=N], IPv6 addresses in
     * brackets, or redis+unix://[[USER]:PASSWORD@]/PATH[?timeout_ms=N]; what is special in a
     * part is written as %XX (RFC 3986): in a user or password at least : / ? # and %, in a path
     * or a parameter ? # & and %. Anything else is refused, such as other parameters. timeout_ms
     * (default 5000) is how long a look-up and connecting may take each, and how long Redis may be
     * silent while it owes an answer; one that comes bit by bit may take ten times as long. When
     * HOST is a name, see `resolve`.
     *
     * rediss:// as redis://, by TLS 1.2 or newer. Redis' certificate must be for HOST and of an
     * authority that the system trusts, or of one in the PEM file ?ca=PATH. With &cert=PATH and
     * &key=PATH this process shows a certificate of its own (PEM, the key without passphrase).
     * The files are read for each connection, so that they can be renewed: better
     * one authority than a system's whole bundle, which takes 20 ms of the thread. Refused where the
     * library was built with a hiredis without TLS.
     *
     * redis://[[USER]:PASSWORD@]HOST[:PORT],HOST[:PORT],... names up to 16 servers. The first
     * server that answers and confirms with ROLE that it is a master is used. After a loss or a
     * demotion they are tried again in turn.
     *
     * Each host may be a node of a Redis Cluster. The node that it names as the one that serves
     * the keys (MOVED, ASK) is used, with the same user, password and TLS. A cluster has no
     * DATABASE other than 0.
     *
     * redis+sentinel://[[USER]:PASSWORD@]SENTINEL[:PORT],.../MASTER[/DATABASE] asks these sentinels
     * (default port 26379) in turn for the master of that name. The sentinel that answered is asked
     * again every second and after each loss. A sentinel that does not answer within a second
     * (timeout_ms if that is less, or if there is one sentinel only) is skipped. USER and PASSWORD
     * are those of the master; ?sentinel_user=USER&sentinel_password=PASSWORD are those of the
     * sentinels, if they have any. rediss+sentinel:// uses TLS for the sentinels and the master,
     * with the parameters of rediss://; the master's certificate must be for the host by which the
     * sentinels name it.
     *
     * Default redis://127.0.0.1:6379. */
    const char *uri;

    /* With what the names of all keys begin; no control characters, blanks or braces. Default
     * "wsmanager". */
    const char *key;

    /* Of this process, for ws_redis_get_nodes(). NULL: ws_manager_process_id(). */
    const char *node;

    /* Copied; NULL: malloc(), realloc() and free(). hiredis takes its memory from malloc() in any
     * case, and before its version 1.0 ends the process when there is none. */
    const ws_allocator *allocator;

    /* How many events Redis keeps, and a few more; default 100000. */
    uint32_t max_stream_events;

    /* Events that wait until they are stored: what is sent beyond that is refused with
     * WS_ERR_BACKPRESSURE. Default 100000 of them, and 64 MiB. What Redis answers at once may have
     * as many bytes (or 16 MiB if that is more) and 1 MiB: otherwise it is asked for less. */
    uint32_t max_pending_events;
    uint64_t max_pending_bytes;

    /* Of the events that Redis has at the start, how many are kept for clients that come back;
     * better no more than the manager's history_events. At least 1, default 10000, and 64 MiB at
     * most. */
    uint32_t preload_events;

    /* How often a process tells the others who is connected to it; when it has not done so three
     * times it is forgotten. Default 5000. */
    uint32_t heartbeat_interval_ms;

    /* Begins to look up the addresses of a host's name; both are valid until the look-up is
     * answered by ws_redis_lookup_done(), from any thread, within this call or later, also after
     * ws_redis_free(). WS_OK, or an error of enum ws_error: then it is not answered. Called within
     * ws_redis_run() before each round of attempts to connect, for the URI's hosts and those that
     * servers name, one look-up of a name at a time; not for addresses and Unix sockets. Each
     * address is tried, in the order of the answer, but the one that worked last first. Without an
     * answer in timeout_ms, or without an address in it, those of the last look-up are tried again.
     *
     * ws_redis_resolve_in_thread() is one for hosts with threads. NULL: getaddrinfo() within
     * ws_redis_run(), for which the host's loop waits: seconds, when no name server answers. */
    int (*resolve)(ws_redis_lookup *lookup, const char *host, void *user_data);
} ws_redis_options;

WS_EXPORT void ws_redis_options_init_size(ws_redis_options *options, size_t size);

static inline void ws_redis_options_init(ws_redis_options *options)
{
    ws_redis_options_init_size(options, sizeof *options);
}

/* For the option `resolve`: looks up the name by getaddrinfo() in a thread of its own, which begins
 * with this call and ends with the answer; it takes no signals. A look-up that is under way at
 * ws_redis_free() goes on until getaddrinfo() returns: until then this library must not be unloaded
 * (dlclose()). Errors: WS_ERR_NO_MEMORY, WS_ERR_SYSTEM. */
WS_EXPORT int ws_redis_resolve_in_thread(ws_redis_lookup *lookup, const char *host,
                                         void *user_data);

/* Answers a look-up, once: with a list of addresses as getaddrinfo() makes it, of which `ai_family`,
 * `ai_addr`, `ai_addrlen` and `ai_next` are read and which remains the caller's, or with one line on
 * why there are none. IPv4 and IPv6 addresses are taken, 16 at most. Any thread. */
WS_EXPORT void ws_redis_lookup_done(ws_redis_lookup *lookup, const struct addrinfo *addresses,
                                    const char *error);

/* WS_OK if the option `uri` can be this, which includes that its files can be read; otherwise
 * WS_ERR_INVALID or WS_ERR_NO_MEMORY, with one line on why in `text`, cut short at `size` bytes
 * with the NUL. The line repeats no password. Any thread. */
WS_EXPORT int ws_redis_check_uri(const char *uri, char *text, size_t size);

/* Makes a carrier and sets it in the manager, before that has a loop or sent an event. Nothing is
 * connected before the first ws_redis_run(). `now_ms` is the host's monotonic clock in
 * milliseconds, the same that ws_redis_run() gets. Errors: WS_ERR_INVALID, WS_ERR_ALREADY (the
 * manager has a carrier, a loop or an event), WS_ERR_NO_MEMORY, WS_ERR_SYSTEM. */
WS_EXPORT int ws_redis_new(ws_manager *manager, const ws_redis_options *options,
                           uint64_t now_ms, ws_redis **redis);

/* Ends it, and takes it out of the manager: events that wait are not stored, and of those that are
 * under way it is not known; those who asked are told of both (WS_ERR_CLOSED). Meanwhile no other
 * thread may send or run a loop, and afterwards nothing may be sent. The other processes are told
 * that this one is gone, if Redis can be reached at once; nothing is waited for. NULL does nothing.
 * The thread that runs it, not within a callback. */
WS_EXPORT void ws_redis_free(ws_redis *redis);

/* The descriptor is ready for `events`. One that is not watched any more is passed over. */
WS_EXPORT void ws_redis_ready(ws_redis *redis, int fd, int events);

/* Carries out what is due: connects, sends what waits, delivers what has come. Returns the time, on
 * the same clock, at which it wants to be called again at the latest. If that clock is set back,
 * which a monotonic one is not, everything goes on from there. */
WS_EXPORT uint64_t ws_redis_run(ws_redis *redis, uint64_t now_ms);

/* What it has done as one JSON object: whether it is connected, `server` (HOST:PORT or a socket's
 * path, "" while it is not), the epoch, counters. The metrics
 * are the same as OpenMetrics text without the final "# EOF": put them before those of
 * ws_manager_get_metrics(). *text is NUL-terminated, `length` (may be NULL) its length without the
 * NUL; free it with ws_redis_free_text(). Errors: WS_ERR_INVALID, WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_redis_get_stats(ws_redis *redis, char **text, size_t *length);
WS_EXPORT int ws_redis_get_metrics(ws_redis *redis, char **text, size_t *length);

/* All processes, as of the last heartbeat, as one JSON object: `nodes` (name: its
 * total_connections, unique_users and rooms), total_connections and rooms, summed up. A process
 * with more than 256 KiB of rooms leaves these out, and so are processes behind the first 16 MiB or
 * max_pending_bytes. Otherwise as ws_redis_get_stats(). */
WS_EXPORT int ws_redis_get_nodes(ws_redis *redis, char **text, size_t *length);
WS_EXPORT void ws_redis_free_text(ws_redis *redis, char *text);

WS_END_DECLS

#endif
