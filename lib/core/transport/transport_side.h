/* transport_side.h: the interface of the core for a transport inside the library. Such a
 * transport includes no other header of the core, except for messages (core/events/message.h).
 * Of what the headers below declare, it uses the functions that TRANSPORT_CALLS lists in
 * tests/lint/check-layers, which finds any other call.
 *
 * Its connections begin with a struct connection, which is zeroed at first except for `loop`
 * and `transport`. It reads a connection's `id` and `state`. Of a loop it uses
 * `manager->memory`, `->options` and `->builtin`, `timers` (of its own kind), `inputs`,
 * `counters`, its list of output, and its `parts`. The core calls it through struct
 * builtin_transport.
 *
 * All functions are for the loop's thread. Applications' own transports use the public
 * ws_transport instead. */
#ifndef WS_CORE_TRANSPORT_TRANSPORT_SIDE_H
#define WS_CORE_TRANSPORT_TRANSPORT_SIDE_H

#include "core/calls.h"
#include "core/checks.h"
#include "core/clients/input.h"  /* for the turns in which client input is processed */
#include "core/cluster/recall.h" /* for what a cluster remembers */
#include "core/connections/connection.h"
#include "core/log_limit.h"
#include "core/sending/waiting_ack.h"
#include "protocol/json/client_message.h"

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
 * connection_must_wait() is false. Returns the cost, for input_charge(). `data` is
 * changed but not kept; it must stay valid during callbacks. The connection may end, and be freed,
 * during the call. */
uint32_t transport_received(struct connection *connection, char *data, size_t length,
                            bool is_text);

/* Whether messages wait for one that the client may have sent to another process before. */
bool transport_is_held(const struct connection *connection);

/* The three parts of transport_received(), for a transport whose messages have a protocol of their
 * own (builtin_messages.h). */
bool transport_admit(struct connection *connection, size_t length, struct json_slice ref);
uint32_t transport_request(struct connection *connection, const struct client_message *message);
void transport_refuse(struct connection *connection, struct json_slice ref,
                      struct answer_problem problem);

/* transport_request() of a client whose further input has waited: not within serve(). */
void transport_request_later(struct connection *connection,
                             const struct client_message *message);

/* Whether the application has registered a message type or else a method of that name: *type is
 * CLIENT_OWN or CLIENT_REQUEST then. */
bool transport_has_handler(const ws_loop *loop, const char *name,
                           enum client_message_type *type);

/* Notes that messages were compressed or turned into packets, at this cost (core/costs.h): the
 * turn, or the client for which it was done, is charged. */
void transport_prepared(ws_loop *loop, uint32_t cost);

/* Ends the connection, because memory for what its client wants ran out. */
void transport_out_of_memory(struct connection *connection);

/* Settles an acknowledgement that the application waits for: calls it, and frees the
 * acknowledgement. In the child of a fork() it only frees. */
void transport_settle_ack(ws_loop *loop, struct waiting_ack *ack,
                          ws_socketio_ack_result result);

enum { TRANSPORT_NAME_SIZE = 32 }; /* with a NUL */

/* Writes the connection's name, which is unique among all processes; returns its length. */
size_t transport_name(const struct connection *connection, char name[TRANSPORT_NAME_SIZE]);

/* Writes the name of any connection's id; the id of a name, which is 0 if it is not one of this
 * process. */
size_t transport_name_of(const ws_manager *manager, ws_conn_id connection,
                         char name[TRANSPORT_NAME_SIZE]);
ws_conn_id transport_id_of(const ws_manager *manager, const char *name);

/* Adds the user of a connection, which may be of another loop, ("u" and the id, or "-") and its
 * rooms, each with a NUL. False if there is no such connection. buffer->failed, if that were more
 * than `max` bytes. */
bool transport_describe(ws_manager *manager, ws_conn_id connection, size_t max,
                        struct buffer *buffer);

/* Notifies the application that the client's queue has exceeded its high mark. */
void transport_filled(struct connection *connection);

/* Notifies the application that the client's queue is below its low mark, and continues a
 * recovery. The application may end the connection. For calls after which the host need not run
 * the loop. */
void transport_writable(struct connection *connection);

/* Posts the end of a connection, which is ordered after the answers to the client's earlier
 * messages. The core then calls builtin_transport's close; if memory ran out, it does so at once.
 * The reason is copied. */
void transport_post_end(struct connection *connection, uint16_t code, const char *reason,
                        size_t length);

/* Ends a connection now: calls on_disconnect, then builtin_transport's close. */
void transport_end(struct connection *connection, uint16_t code, const char *reason);

/* Finds a connection of the loop, if it is one of this kind of transport; NULL if there is none. */
struct connection *transport_find(ws_loop *loop, ws_conn_id id, enum transport_kind kind);

/* The user of a registered connection; NULL if it is anonymous. */
const char *transport_user_id(const struct connection *connection);

/* Writes the id of the newest event up to which the connection has been served, and its position.
 * False if that is not known now, because the loop has commands to carry out or
 * the client's rooms are still to be joined. */
bool transport_newest_id(const struct connection *connection, char id[EVENT_ID_SIZE],
                         uint64_t *position);

/* The number of the loop's connections. */
size_t transport_count(ws_loop *loop);

/* Lists up to `max` of the loop's connections whose slots are below *below, which moves down
 * and is 0 at the end; UINT32_MAX: from the beginning. */
size_t transport_walk(ws_loop *loop, uint32_t *below, struct connection **found, size_t max);

/* Writes the id of the newest event up to which a connection has been served, for a message that is
 * delivered to it now. */
void transport_served_id(const struct connection *connection, char id[EVENT_ID_SIZE]);

/* The later of two events: `id`, or `floor` if that is an event of the present history and `id`
 * is an earlier one of it, or one of another history. */
const char *transport_later_id(const ws_loop *loop, const char *id, const char *floor);

/* Writes the id of the newest event that was sent. */
void transport_sent_id(ws_manager *manager, char id[EVENT_ID_SIZE]);

/* Within builtin_transport's close: when the client shall connect again, in milliseconds; 0: that
 * is for the client to decide. */
uint32_t transport_retry_ms(const ws_loop *loop);

/* The transport has lost the connection: calls on_disconnect, and the transport is no longer
 * called. */
void transport_gone(struct connection *connection, uint16_t code);

#endif
