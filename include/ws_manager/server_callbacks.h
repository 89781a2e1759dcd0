/** @file
 * What a server (server.h) asks the application on its threads, beside HTTP requests
 * (server_http.h).
 */
#ifndef WS_MANAGER_SERVER_CALLBACKS_H
#define WS_MANAGER_SERVER_CALLBACKS_H

#include <stdint.h>

#include <ws_manager/export.h>

WS_BEGIN_DECLS

/** Called once on each thread before it serves clients.
 *
 * @param thread     which one, from 0 on
 * @param user_data  that of ws_server_options
 *
 * @threads That thread.
 */
typedef void ws_server_thread_callback(uint32_t thread, void *user_data);

/** Called in each turn of a thread's loop, for timers of the application's. It must not block.
 *
 * @param thread     which one, from 0 on
 * @param now_ms     the time, of CLOCK_MONOTONIC
 * @param user_data  that of ws_server_options
 *
 * @return when it must be called again at the latest; #WS_NO_DEADLINE: when something happens
 *
 * @threads That thread.
 */
typedef uint64_t ws_server_turn_callback(uint32_t thread, uint64_t now_ms, void *user_data);

/** Called by thread 0 when `fd` of ws_server_options can be read from. It must not block.
 *
 * @param user_data  that of ws_server_options
 *
 * @threads Thread 0.
 */
typedef void ws_server_fd_callback(void *user_data);

/** Asked when the server stops and all clients are gone, until it returns 1 or the time for
 * stopping is over.
 *
 * @param user_data  that of ws_server_options
 *
 * @return 1: the application has nothing left to do; 0: ask again in 50 ms at most
 *
 * @threads Thread 0, after the others have ended.
 */
typedef int ws_server_finished_callback(void *user_data);

/** Notifies that the server has stopped: no callback follows. ws_server_stop() and
 * ws_server_free() must not be called here.
 *
 * @param user_data  that of ws_server_options
 *
 * @threads The last of the server's threads.
 */
typedef void ws_server_stopped_callback(void *user_data);

/** Frees what ws_server_client_set_data() set.
 *
 * @param data       that pointer; not NULL
 * @param user_data  that of ws_server_options
 *
 * @threads The client's thread.
 */
typedef void ws_server_free_data_callback(void *data, void *user_data);

WS_END_DECLS

#endif
