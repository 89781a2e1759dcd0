/* connection.h: a registered connection, its groups, and what is delivered to it.
 * Not here: its end (disconnect.h), its bytes (a transport's) and what its messages mean
 * (client.h).
 *
 * Owned by its loop's thread; what other threads may touch is marked. */
#ifndef WS_CORE_CONNECTION_H
#define WS_CORE_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/connection.h>

#include "core/loop.h"
#include "core/rooms.h"

enum connection_state {
    CONNECTION_PENDING, /* has an id; its CONNECT command is on its way */
    CONNECTION_LIVE,
    CONNECTION_DOOMED, /* still registered, but gets nothing more and is about to be ended */
    CONNECTION_GONE
};

struct connection {
    ws_conn_id id;
    ws_loop *loop;
    const ws_transport *transport;
    void *transport_data;
    _Atomic(void *) user_data; /* any thread */
    struct share *user;        /* NULL: anonymous, or gone */
    struct rooms rooms;
    uint32_t user_place;    /* among the members of user */
    uint32_t unnamed_place; /* among the members of GROUP_EVERYONE or GROUP_RAW */
    uint32_t pins; /* commands on their way that name it; guarded by the manager's lock */
    uint32_t ping_interval_ms;
    uint64_t walk;           /* the last delivery to a share that reached it */
    struct connection *next; /* on the loop's list of doomed, or of graves */
    const char *doom_reason; /* static */
    uint16_t doom_code;
    bool held; /* its transport has this pointer, and says itself when it goes */
    bool on_doomed_list;
    bool announced;   /* on_connect was called, so on_disconnect is due */
    uint8_t state;    /* enum connection_state */
    uint8_t protocol; /* enum ws_protocol */
};

/* Makes a connection and posts its CONNECT command; checked options. Errors as
 * ws_manager_connect(). A transport on the loop's own thread may ask for the pointer, which it
 * keeps until its `close` or connection_transport_gone(); else NULL. */
int connection_new(ws_loop *loop, const ws_connect_options *options,
                   struct connection **connection, ws_conn_id *id);

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

/* Carries out COMMAND_CONNECT: registers it with everyone and its user. Returns
 * WS_ERR_NO_MEMORY with nothing changed. */
int connection_activate(struct connection *connection);

/* Enters or leaves the room of a share that the caller has pinned. */
int connection_enter_room(struct connection *connection, struct share *share);
int connection_leave_room(struct connection *connection, struct share *share);

/* Hands a message to its transport, if it is live. */
void connection_deliver(struct connection *connection, ws_message *message);

/* The connection is to be ended as soon as the current command is done. */
void connection_doom(struct connection *connection, uint16_t code, const char *static_reason);

/* Something for the client could not be made: one that misses an event, or waits for an answer that
 * never comes, is better sent away. */
void connection_out_of_memory(struct connection *connection);

/* Takes it out of its groups: O(its rooms). The manager's lock is held. */
void connection_leave_everything(struct connection *connection);

/* Logs that it ends, and why. */
void connection_log_end(const struct connection *connection, int level, uint16_t code,
                        const char *reason);

#endif
