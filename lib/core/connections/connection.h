/* connection.h: a registered connection, its groups, and what is delivered to it.
 * Not here: its end (clients/disconnect.h), its bytes (a transport's) and what its messages mean
 * (clients/requests.h).
 *
 * Owned by its loop's thread; what other threads may touch is marked. */
#ifndef WS_CORE_CONNECTIONS_CONNECTION_H
#define WS_CORE_CONNECTIONS_CONNECTION_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/connection.h>

#include "core/groups/room_set.h"
#include "core/loop_state.h"

enum connection_state {
    CONNECTION_NEW,     /* not registered yet */
    CONNECTION_PENDING, /* has an id; its CONNECT command is on its way */
    CONNECTION_LIVE,
    CONNECTION_DOOMED, /* still registered, but gets nothing more and is about to be ended */
    CONNECTION_GONE
};

/* Why the manager itself ends one. */
enum doom { DOOM_NONE, DOOM_TOO_SLOW, DOOM_OUT_OF_MEMORY, DOOM_TOO_FAST };

/* A million of them are idle: every byte here is a megabyte. */
struct connection {
    ws_conn_id id;
    _Atomic(void *) user_data; /* any thread */
    struct share *user;        /* NULL: anonymous, or gone */
    struct rooms rooms;
    union {
        struct connection *next;   /* on the loop's list of doomed, or of graves */
        struct recovery *recovery; /* while it recovers (recovery.h) */
    };
    uint32_t user_place; /* among the members of user */
    uint32_t pins;       /* commands on their way that name it; guarded by the manager's lock */

    /* What a delivery touches begins here, and ends 64 bytes later in struct ws_websocket, which
     * asserts it. */
    ws_loop *loop;
    uint32_t pace;           /* of its messages (pace.h) */
    uint8_t state : 7;       /* enum connection_state */
    bool awaits_room : 1;    /* its client's request for a room is in the inbox */
    uint8_t protocol : 1;    /* enum ws_protocol */
    uint8_t doom : 2;        /* enum doom */
    bool is_inner : 1;       /* in the block of an inner transport; else an outer_connection */
    bool transport_gone : 1; /* the transport is not to be called any more */
    bool on_doomed_list : 1;
    bool announced : 1;  /* on_connect was called, so on_disconnect is due */
    bool recovering : 1; /* gets events from the history first */
    uint16_t refused;    /* messages in a row that came too fast */
};

static_assert(sizeof(struct connection) <= 88, "an idle connection does not grow unnoticed");

/* A connection of a transport that the application wrote. */
struct outer_connection {
    struct connection connection;
    const ws_transport *transport;
    void *transport_data;

    /* What the client sent and waits for its turn (outer_input.h). */
    struct input input;
    struct waiting_message *first_waiting;
    struct waiting_message *last_waiting;
    size_t n_waiting;
    size_t waiting_bytes;
    bool is_paused; /* the transport was told that too much waits */
};

/* Registers a connection in the memory of an inner transport, all zero till now, and posts its
 * CONNECT command; checked options, whose transport is of no interest. Errors as
 * ws_manager_connect(). */
int connection_start(struct connection *connection, ws_loop *loop,
                     const ws_connect_options *options);

/* Whether what its client sends next has to wait for a command in the inbox: CONNECT, or one about a
 * room. */
static inline bool connection_awaits_command(const struct connection *connection)
{
    return connection->state == CONNECTION_PENDING || connection->awaits_room;
}

/* What callbacks get to see of a connection, as it was when the callback began: a callback may
 * end the connection, and still read what it was given. */
struct connection_view {
    ws_connection_info info;
    char user_id[WS_NAME_MAX + 1];
};

const ws_connection_info *connection_view(const struct connection *connection,
                                          struct connection_view *view);

/* The connection of an id, or NULL. The manager's lock is held. */
struct connection *connection_find(ws_manager *manager, ws_conn_id id);

/* Hands a message to its transport, if it is live. */
void connection_deliver(struct connection *connection, ws_message *message);

/* The same with a reference that becomes the connection's, always. WS_OK; WS_ERR_BACKPRESSURE when
 * it was taken but there should not be more for now; WS_ERR_DROPPED, WS_ERR_NO_MEMORY,
 * WS_ERR_CLOSED. */
int connection_give(struct connection *connection, ws_message *message);

/* The same with a text of ours, whose buffer is freed. Without memory for it the connection
 * ends. */
void connection_deliver_text(struct connection *connection, struct buffer *buffer);

/* The same with a reference that was taken before, for many recipients at once: true if the
 * transport keeps it, else it is still the caller's. */
bool connection_hand_over(struct connection *connection, ws_message *message);

/* Tells the application that its queue has grown long, or is short again. */
void connection_backpressure(struct connection *connection, bool is_high);

/* Its transport is to close. */
void connection_close_transport(struct connection *connection, uint16_t code,
                                const char *reason);

/* The connection is to be ended as soon as the current command is done. */
void connection_doom(struct connection *connection, enum doom doom);

/* The close code and reason for that. */
uint16_t doom_code(enum doom doom);
const char *doom_reason(enum doom doom);

/* Something for the client could not be made: one that misses an event, or waits for an answer that
 * never comes, is better sent away. */
void connection_out_of_memory(struct connection *connection);

/* Logs that it ends, and why. */
void connection_log_end(const struct connection *connection, int level, uint16_t code,
                        const char *reason);

#endif
