/* transport_side.h: what a transport inside the library may call of the core, and embed. It has no
 * business with other headers of the core, the messages' aside (core/events/message.h).
 *
 * Its connections begin with a struct connection, all zero at first but for `loop`. Of a connection
 * it reads `id` and `state`; of a loop it uses `manager->memory` and `->options`, `timers` (of kind
 * TIMER_TRANSPORT), `inputs`, `counters`, the list of output, and `transport_part`, which is its own.
 * What the core asks of it is struct inner_transport.
 *
 * Everything here is for the loop's thread. Transports of the application's own have the public
 * ws_transport instead. */
#ifndef WS_CORE_TRANSPORT_TRANSPORT_SIDE_H
#define WS_CORE_TRANSPORT_TRANSPORT_SIDE_H

#include "core/clients/input.h" /* the turns in which what clients sent is carried out */
#include "core/connections/connection.h"
#include "core/log_share.h"

/* --- around the host's calls ----------------------------------------------------------------- */

/* Around a call of the host's that may call back, and after which the host runs the loop: what it
 * posts needs no wake-up. Returns what transport_call_end() wants. */
ws_loop *transport_call_begin(ws_loop *loop);
void transport_call_end(ws_loop *loop, ws_loop *previous);

/* At the end of any other call of the host's: wakes the loop if the call left something to it. */
void transport_call_left(ws_loop *loop);

/* --- a connection's life --------------------------------------------------------------------- */

/* Registers a connection, by checked options. Errors as ws_manager_connect(). */
int transport_connect(struct connection *connection, ws_loop *loop,
                      const ws_connect_options *options);

/* Carries out a whole message of the client, for which connection_awaits_command() is false: text has
 * been checked to be UTF-8. Returns the cost, for input_charge(). `data` is not kept; the connection
 * may end, and be freed, there. */
uint32_t transport_received(struct connection *connection, const char *data, size_t length,
                            bool is_text);

/* What waits for the client has grown long: the application is told. */
void transport_filled(struct connection *connection);

/* It is short again: the application is told, which may end the connection there, and a recovery
 * goes on. For a call after which the host need not run the loop. */
void transport_writable(struct connection *connection);

/* Posts the end of a connection: it comes behind the answers to what the client sent before. The core
 * calls inner_transport's close then; at once if memory ran out. The reason is copied. */
void transport_post_end(struct connection *connection, uint16_t code, const char *reason,
                        size_t length);

/* Ends a connection now: on_disconnect is called, then inner_transport's close. */
void transport_end(struct connection *connection, uint16_t code, const char *reason);

/* The connection has gone: on_disconnect is called, and the transport is not called any more. */
void transport_gone(struct connection *connection, uint16_t code);

#endif
