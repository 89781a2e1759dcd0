/* transport_side.h: the interface of the core for a transport inside the library. Such a
 * transport uses no other header of the core, except for messages (core/events/message.h).
 *
 * Its connections begin with a struct connection, which is zeroed at first except for `loop`.
 * It reads a connection's `id` and `state`. Of a loop it uses `manager->memory` and
 * `->options`, `timers` (of kind TIMER_TRANSPORT), `inputs`, `counters`, the list of output,
 * and `transport_part`, which it owns. The core calls it through struct inner_transport.
 *
 * All functions are for the loop's thread. Applications' own transports use the public
 * ws_transport instead. */
#ifndef WS_CORE_TRANSPORT_TRANSPORT_SIDE_H
#define WS_CORE_TRANSPORT_TRANSPORT_SIDE_H

#include "core/clients/input.h" /* for the turns in which client input is processed */
#include "core/connections/connection.h"
#include "core/log_share.h"

/* --- host calls --------------------------------------------------------------------------- */

/* Enclose a call of the host that may call back and after which the host runs the loop: what it
 * posts needs no wake-up. transport_call_begin() returns the argument for
 * transport_call_end(). */
ws_loop *transport_call_begin(ws_loop *loop);
void transport_call_end(ws_loop *loop, ws_loop *previous);

/* Call it at the end of any other call of the host: wakes the loop if the call left work for
 * it. */
void transport_call_left(ws_loop *loop);

/* --- a connection's life --------------------------------------------------------------------- */

/* Registers a connection with options that were checked. Errors as in ws_manager_connect(). */
int transport_connect(struct connection *connection, ws_loop *loop,
                      const ws_connect_options *options);

/* Processes one whole message of the client; text has been checked to be UTF-8, and
 * connection_awaits_command() is false. Returns the cost, for input_charge(). `data` is
 * changed but not kept; it must stay valid during callbacks. The connection may end, and be freed,
 * during the call. */
uint32_t transport_received(struct connection *connection, char *data, size_t length,
                            bool is_text);

/* Notifies the application that the client's queue has exceeded its high mark. */
void transport_filled(struct connection *connection);

/* Notifies the application that the client's queue is below its low mark, and continues a
 * recovery. The application may end the connection. For calls after which the host need not run
 * the loop. */
void transport_writable(struct connection *connection);

/* Posts the end of a connection, which is ordered after the answers to the client's earlier
 * messages. The core then calls inner_transport's close; if memory ran out, it does so at once.
 * The reason is copied. */
void transport_post_end(struct connection *connection, uint16_t code, const char *reason,
                        size_t length);

/* Ends a connection now: calls on_disconnect, then inner_transport's close. */
void transport_end(struct connection *connection, uint16_t code, const char *reason);

/* The transport has lost the connection: calls on_disconnect, and the transport is not called
 * any more. */
void transport_gone(struct connection *connection, uint16_t code);

#endif
