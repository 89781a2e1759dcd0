/* loop_run.h: makes, runs and ends an event-loop thread's loop.
 * What the loop has is connection/state.h. */
#ifndef WS_SERVER_LOOP_RUN_H
#define WS_SERVER_LOOP_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "server/connection/state.h"
#include "server/parts/server_state.h"

/* Creates a loop without a listener. NULL with errno. */
struct loop *loop_new(struct ws_server *server, uint32_t thread);

/* Makes the loop accept connections at a socket, which it owns on success. False with errno. */
bool loop_listen(struct loop *loop, enum listener_kind kind, int fd);

/* Makes the loop call `on_fd` when the application's descriptor can be read from. False with
 * errno. */
bool loop_watch_application(struct loop *loop, int fd);

/* Frees a loop that does not run; on its thread, if it ever ran. */
void loop_free(struct loop *loop);

/* On the loop's thread: runs until `stopping` is set and all connections are closed. */
void loop_run(struct loop *loop);

#endif
