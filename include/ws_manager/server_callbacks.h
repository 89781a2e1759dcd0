/** @file
 * The callbacks of a server (server.h) on its threads, except those for HTTP requests
 * (server_http.h).
 */
#ifndef WS_MANAGER_SERVER_CALLBACKS_H
#define WS_MANAGER_SERVER_CALLBACKS_H

#include <stdint.h>

#include <ws_manager/export.h>

WS_BEGIN_DECLS

/** Notifies that a thread has begun, before it serves clients.
 *
 * @param thread     which one, from 0 on
 * @param user_data  that of ws_server_options
 *
 * @threads That thread.
 */
typedef void ws_server_thread_callback(uint32_t thread, void *user_data);

/** Runs the application's timers of a thread: called in each turn of its loop. It must not block.
 *
 * @param thread     which one, from 0 on
 * @param now_ms     the time in milliseconds, by CLOCK_MONOTONIC
 * @param user_data  that of ws_server_options
 *
 * @return the latest time at which it must be called again, by CLOCK_MONOTONIC; #WS_NO_DEADLINE:
 * not before something else causes a turn
 *
 * @threads That thread.
 */
typedef uint64_t ws_server_run_timers_callback(uint32_t thread, uint64_t now_ms,
                                               void *user_data);

/** Notifies that `fd` of ws_server_options can be read from. It must not block.
 *
 * @param user_data  that of ws_server_options
 *
 * @threads Thread 0.
 */
typedef void ws_server_fd_callback(void *user_data);

/** Decides whether the server may end. Called when it is stopping and all clients are gone, until
 * it returns 1 or `stop_timeout_ms` is over.
 *
 * @param user_data  that of ws_server_options
 *
 * @return 1: the application has no work left; 0: it is asked again within 50 ms
 *
 * @threads Thread 0, after the others have ended.
 */
typedef int ws_server_confirm_stop_callback(void *user_data);

/** Notifies that the server has stopped: no callback follows. ws_server_stop() and
 * ws_server_free() must not be called here.
 *
 * @param user_data  that of ws_server_options
 *
 * @threads The last of the server's threads.
 */
typedef void ws_server_stopped_callback(void *user_data);

/** Frees the pointer that ws_server_client_set_data() set.
 *
 * @param data       that pointer; not NULL
 * @param user_data  that of ws_server_options
 *
 * @threads The client's thread.
 */
typedef void ws_server_free_data_callback(void *data, void *user_data);

WS_END_DECLS

#endif
