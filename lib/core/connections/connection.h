/* connection.h: a registered connection and its groups. Not here: its end (doom.h,
 * clients/disconnect.h), its bytes (the transport) and the meaning of its messages
 * (clients/builtin_messages.h).
 *
 * Owned by its loop's thread; fields that other threads may use are marked. */
#ifndef WS_CORE_CONNECTIONS_CONNECTION_H
#define WS_CORE_CONNECTIONS_CONNECTION_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/connection.h>

#include "core/connections/pending_values.h"
#include "core/groups/room_set.h"
#include "core/loop_state.h"

enum connection_state {
    CONNECTION_NEW,     /* not registered yet */
    CONNECTION_PENDING, /* has an id; its CONNECT command is posted */
    CONNECTION_LIVE,
    CONNECTION_DOOMED, /* still registered, gets no more messages, will be ended */
    CONNECTION_GONE
};

/* Why the manager ends a connection. */
enum doom { DOOM_NONE, DOOM_TOO_SLOW, DOOM_OUT_OF_MEMORY, DOOM_TOO_FAST };

enum { REFUSED_MAX = 4095 }; /* manager.h names it; what 12 bits hold */

/* With a million idle connections, every byte here is a megabyte. */
struct connection {
    ws_conn_id id;
    _Atomic(void *) user_data; /* any thread */
    struct share *user;        /* NULL: anonymous, or gone */
    struct rooms rooms;
    union {
        struct connection *next; /* in the loop's list `doomed` or `graves` */
        /* While it recovers (recovery.h). Its first member are the client's pending values. */
        struct recovery *recovery;
    };

    /* Guarded by the manager's lock: */
    uint32_t user_place : 30; /* among the members of user */
    uint32_t is_of_user : 1;  /* it is one of them */
    uint32_t is_counted : 1;  /* for presence in the whole service */
    uint32_t pins;            /* queued commands that name it */

    /* The fields that a delivery touches begin here and end 64 bytes later, in struct
     * ws_websocket, which asserts it. */
    ws_loop *loop;
    uint32_t bucket;       /* rate limit of its messages (token_bucket.h) */
    uint8_t transport : 2; /* enum transport_kind; TRANSPORT_CUSTOM: a custom_connection */
    uint8_t protocol : 2;  /* enum ws_protocol; other threads read these two, under the lock */
    uint8_t : 0;           /* so the bits that the loop's thread writes are another object */
    uint8_t state : 3;     /* enum connection_state */
    bool awaits_room : 1;  /* a command of its client is in the inbox, or former_holds() */
    bool enters_rooms : 1; /* rooms that it named when it connected are still to be joined */
    bool has_waiting : 1;  /* the loop has a struct waiting for it (clients/waiting.h) */
    uint8_t doom : 2;      /* enum doom */
    bool transport_gone : 1; /* the transport must no longer be called */
    bool on_doomed_list : 1;
    bool announced : 1;    /* on_connect was called, so on_disconnect is due */
    bool recovering : 1;   /* gets values, and events from the history, before live ones */
    uint16_t refused : 12; /* consecutive messages refused by the rate limit */
};

static_assert(sizeof(struct connection) <= 88, "an idle connection does not grow unnoticed");

/* A connection of a transport that the application implements. */
struct custom_connection {
    struct connection connection;
    const ws_transport *transport;
    void *transport_data;

    /* Client messages that wait to be processed (custom_input.h). */
    struct input input;
    struct waiting_message *first_waiting;
    struct waiting_message *last_waiting;
    size_t n_waiting;
    size_t waiting_bytes;
    bool is_paused; /* the transport was asked to pause */
};

/* Registers a connection that is embedded in a built-in transport's block and zeroed, except
 * for `transport`, and posts its CONNECT command. The options have been checked; their transport
 * is ignored. Errors as in ws_manager_connect(). */
int connection_start(struct connection *connection, ws_loop *loop,
                     const ws_connect_options *options);

/* The namespace of a socket of Socket.IO, "/" or another one; NULL for any other connection. It is
 * valid while the connection is registered. */
const char *connection_space(const struct connection *connection);

/* What the recovering connection is to receive before its next events. */
static inline struct pending_values *connection_values(const struct connection *connection)
{
    return (struct pending_values *)connection->recovery;
}

/* The number of values that rooms keep for the client and that it has not received yet, and of
 * the events that wait behind them. */
static inline size_t connection_pending_values(const struct connection *connection)
{
    return connection->recovering ? pending_values_left(connection_values(connection)) : 0;
}

/* Whether so many of these wait, counted as in pending_values_reach(); 0: whether any do. */
static inline bool connection_has_values(const struct connection *connection, size_t times)
{
    return connection_pending_values(connection) > 0 &&
           pending_values_reach(connection_values(connection), times);
}

/* Whether the connection is at an earlier point of the order than its loop: its next events are in
 * the history. Where none is kept, they wait behind its values, or are skipped. */
static inline bool connection_is_behind(const struct connection *connection)
{
    return connection->recovering && (manager_keeps_events(connection->loop->manager) ||
                                      connection_values(connection)->skips_events ||
                                      connection_pending_values(connection) > 0);
}

/* Whether further client messages must wait: for a command in the inbox, which is CONNECT or a
 * join, leave or watch that the client requested; for the rooms that the client named before; or
 * for a message that the client may have sent to another process before. */
static inline bool connection_awaits_command(const struct connection *connection)
{
    return connection->state == CONNECTION_PENDING || connection->awaits_room ||
           connection->enters_rooms;
}

/* Whether they must wait for that, or until the client has read what rooms keep for it. It
 * could otherwise enter a room again and again, and read only the answers: what waits for it
 * would have no limit. */
static inline bool connection_must_wait(const struct connection *connection)
{
    return connection_awaits_command(connection) || connection_pending_values(connection) > 0;
}

/* The view of a connection that callbacks get, copied when the callback begins: a callback may
 * end the connection and still read the view. */
struct connection_view {
    ws_connection_info info;
    char user_id[WS_NAME_MAX + 1];
};

const ws_connection_info *connection_view(const struct connection *connection,
                                          struct connection_view *view);

/* Finds a connection by its id, or returns NULL. The manager's lock is held. */
struct connection *connection_find(ws_manager *manager, ws_conn_id id);

/* Asks the connection's transport to close. */
void connection_close_transport(struct connection *connection, uint16_t code,
                                const char *reason);

/* Logs that the connection ends, and why. */
void connection_log_end(const struct connection *connection, int level, uint16_t code,
                        const char *reason);

#endif
