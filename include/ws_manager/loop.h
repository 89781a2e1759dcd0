/* loop.h: one event-loop thread's share of a manager.
 *
 * A turn of the host's loop is: wait for its sockets, at most until the deadline, and for reading only
 * those of which ws_websocket_wants_read() is 1; hand in what they brought (ws_websocket_receive());
 * ws_loop_run(); write what ws_loop_next_output() names. */
#ifndef WS_MANAGER_LOOP_H
#define WS_MANAGER_LOOP_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

#define WS_NO_DEADLINE UINT64_MAX

/* Set up by ws_loop_options_init(). */
typedef struct ws_loop_options {
    size_t size;

    /* Make the host's loop call ws_loop_run() soon: write to an eventfd, uv_async_send(). Called
     * from any thread, without a lock held, once for all calls between two runs: whenever a call
     * leaves something to the loop, also one on the loop's own thread such as
     * ws_websocket_sent(). Not for ws_websocket_new(), _receive(), _upgrade(), _eof() and _close(),
     * after which the host runs the loop anyway, nor for calls that a callback makes within these
     * or ws_loop_run(). It must not call this library. May be NULL when only one thread exists and
     * it runs the loop after every call. */
    void (*wake)(void *user_data);
    void *user_data;
} ws_loop_options;

/* Fills in the defaults. What is exported is told the size of the caller's struct, so that a newer
 * library writes no more than an older program has room for. Any thread. */
WS_EXPORT void ws_loop_options_init_size(ws_loop_options *options, size_t size);

static inline void ws_loop_options_init(ws_loop_options *options)
{
    ws_loop_options_init_size(options, sizeof *options);
}

/* Adds a loop; from then on it belongs to the thread that runs it. `now_ms` is the host's
 * monotonic clock in milliseconds (CLOCK_MONOTONIC; not the time of day, which may be set), the
 * same that ws_loop_run() gets and the same for all loops of a manager. Errors: WS_ERR_INVALID,
 * WS_ERR_LIMIT (256 loops), WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_loop_new(ws_manager *manager, const ws_loop_options *options, uint64_t now_ms,
                          ws_loop **loop);

/* Ends the loop: its connections leave as if they had broken (on_disconnect with 1001), and
 * calls not yet carried out are dropped. WebSockets of this loop must be freed before. In a child of
 * fork() that has not run the loop nobody is told (manager.h). NULL does nothing. The loop's thread,
 * not within a callback. */
WS_EXPORT void ws_loop_free(ws_loop *loop);

/* Carries out what was called for this loop, the timers up to `now_ms` (monotonic milliseconds), and
 * then what the clients sent. A time that is earlier than the last one is logged, once, and taken as
 * if none had passed: the loop goes on from there.
 *
 * The application's calls come first, and have a budget of about a millisecond (8,192 deliveries or
 * 1,024 other calls), so that a broadcast to very many does not keep the host from reading; the rest
 * is done by the next call, in order. What clients sent has a budget as large, an eighth of it while
 * calls are left over. Clients take turns, and what they send is counted by what it costs: its bytes,
 * also after inflating, the application's callbacks, the checking of a token. So
 * each client that floods delays another's message by its share of a turn (a sixteenth), and none
 * delays an event. What a callback sends for a client's message is charged to that client, and no
 * further message of the loop's clients is carried out while more than two turns' worth of it waits,
 * on any loop.
 *
 * Returns the time, on the same clock, at which it wants to be called again at the latest: `now_ms`
 * if there is more to do at once, WS_NO_DEADLINE if nothing is due. Within a callback of the same
 * loop it does nothing and returns `now_ms`. The loop's thread. */
WS_EXPORT uint64_t ws_loop_run(ws_loop *loop, uint64_t now_ms);

WS_END_DECLS

#endif
