/** @file
 * One event-loop thread's share of a manager.
 *
 * Create as many loops as there are threads with an event loop. Each turn of such a thread:
 *
 * @code
 * // 1. Wait for sockets until the deadline. Watch for reading only those clients of which
 * //    ws_websocket_wants_read() is 1.
 * // 2. Hand in what was read: ws_websocket_receive().
 * deadline_ms = ws_loop_run(loop, now_ms());
 * while ((websocket = ws_loop_next_output(loop)) != NULL)
 *     write_client(websocket); // ws_websocket_output(), writev(), ws_websocket_sent()
 * @endcode
 */
#ifndef WS_MANAGER_LOOP_H
#define WS_MANAGER_LOOP_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** The deadline of a loop that has nothing to do until it is woken. */
#define WS_NO_DEADLINE UINT64_MAX

/** The options of a loop, set up by ws_loop_options_init(). */
typedef struct ws_loop_options {
    size_t size; /**< set by ws_loop_options_init() */

    /** Makes the host's loop call ws_loop_run() soon.
     *
     * It is called when a call leaves work to the loop, even if the call was made on the loop's own
     * thread (ws_websocket_sent()). It is not called by ws_websocket_new(), ws_websocket_receive(),
     * ws_websocket_upgrade(), ws_websocket_eof() and ws_websocket_close(), because the host runs
     * the loop after these anyway. Nor is it called for calls that callbacks make within these
     * functions or within ws_loop_run(). NULL is for a host with one thread that runs the loop
     * after every call.
     */
    ws_wake_callback *wake;

    void *user_data; /**< passed to `wake`; NULL if it needs none */
} ws_loop_options;

/** Fills in the defaults for a struct of a given size: use ws_loop_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_loop_options_init_size(ws_loop_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_loop_options_init(ws_loop_options *options)
{
    ws_loop_options_init_size(options, sizeof *options);
}

/** Makes a loop.
 *
 * @param manager    the manager; the loop keeps it in memory
 * @param options    copied; NULL for the defaults
 * @param now_ms     the host's monotonic clock in milliseconds (CLOCK_MONOTONIC, not the time
 *                   of day, which may be set): one clock for all loops of a manager, and for
 *                   ws_loop_run()
 * @param[out] loop  the loop; set on success only
 *
 * @retval WS_OK             the loop is made
 * @retval WS_ERR_INVALID    an option is not acceptable
 * @retval WS_ERR_LIMIT      the manager has 256 loops
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread. The loop then belongs to the thread that runs it.
 * @ownership The caller owns `*loop`: ws_loop_free() frees it.
 */
WS_EXPORT int ws_loop_new(ws_manager *manager, const ws_loop_options *options, uint64_t now_ms,
                          ws_loop **loop);

/** Carries out the calls that were posted to this loop, due timers, and the input of clients.
 *
 * The application's calls come first, in order. They have a budget of about a millisecond (8,192
 * deliveries or 1,024 other calls), so that a broadcast to very many clients does not keep the host
 * from reading. The next run continues with the rest.
 *
 * The input of clients has a budget of the same size, or an eighth of it while calls are left over.
 * Clients take turns. A message is charged by its cost: its bytes, also after inflating, the
 * application's callbacks, and the checking of tokens. So a client that floods the loop delays
 * another client's message by its share of a turn (a sixteenth), and delays no event. The messages
 * that a callback sends because of a client's message are charged to that client. While more than
 * two turns' worth of such deliveries wait on any loop, no further message of this loop's clients
 * is carried out.
 *
 * @param loop    the loop
 * @param now_ms  the host's monotonic clock in milliseconds; a time before that of the last run
 *                is logged once and counts as that of the last run
 *
 * @return the time at which the loop must be run again at the latest, on the same clock:
 * `now_ms` if there is more to do at once, #WS_NO_DEADLINE if nothing is due. Within a callback
 * of that loop nothing is done and `now_ms` is returned.
 *
 * @threads The loop's thread.
 */
WS_EXPORT uint64_t ws_loop_run(ws_loop *loop, uint64_t now_ms);

/** Ends a loop, after its WebSockets were freed.
 *
 * Its connections end as if they had broken: `on_disconnect` gets #WS_CLOSE_GOING_AWAY. Calls
 * that were not carried out are dropped. In the child of a fork() that has not run the loop, no
 * callback is called (ws_manager.h).
 *
 * @param loop  the loop; NULL does nothing
 *
 * @threads The loop's thread, not within a callback.
 */
WS_EXPORT void ws_loop_free(ws_loop *loop);

WS_END_DECLS

#endif
