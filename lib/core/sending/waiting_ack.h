/* waiting_ack.h: an acknowledgement, or a response to a request, of a client that the application
 * waits for. It is made with the event, travels with it to the connection's loop, and is settled
 * exactly once, on that loop's thread.
 * Not here: which ones a session of Socket.IO waits for (transport/engineio/acks.h), and any other
 * connection (clients/waiting.h). */
#ifndef WS_CORE_SENDING_WAITING_ACK_H
#define WS_CORE_SENDING_WAITING_ACK_H

#include <ws_manager/requests.h>
#include <ws_manager/socketio.h>

#include "core/manager.h"
#include "core/timer_wheel.h"

struct waiting_ack {
    /* What the session or connection uses, once it waits for it: */
    struct timer timer; /* of kind TIMER_ACK or TIMER_RESPONSE */
    struct waiting_ack *next;
    struct waiting_ack *previous;
    void *session; /* or the struct connection */
    uint8_t space; /* the number of the socket's namespace */

    int64_t id;
    ws_conn_id connection;
    uint32_t timeout_ms;
    ws_socketio_ack_callback *on_ack;
    ws_response_callback *on_response; /* of a request; NULL: on_ack is called */
    void *user_data;
};

enum { WAITING_ACK_MAX_MS = 24 * 3600 * 1000 };

/* Makes one with a new id and without a callback; NULL if memory ran out. */
struct waiting_ack *waiting_ack_new(ws_manager *manager, ws_conn_id connection,
                                    uint32_t timeout_ms);

/* Calls the application and frees the acknowledgement; sets the result's `size`. The loop's thread,
 * without the lock. In the child of a fork() that does not own the loop the application is not
 * called. */
void waiting_ack_settle(ws_manager *manager, struct waiting_ack *ack,
                        ws_socketio_ack_result result);

/* Calls the application with the response of a client without Socket.IO, and frees `ack`. Like
 * waiting_ack_settle(), on the loop's thread without the lock; in the child of a fork() that
 * does not own the loop the application is not called. */
void waiting_response_settle(ws_manager *manager, struct waiting_ack *ack,
                             ws_response response);

#endif
