/* socketio_host.h: the host of host.h as a server of Socket.IO, and clients that connect
 * sockets. */
#ifndef TEST_WEBSOCKET_SOCKETIO_HOST_H
#define TEST_WEBSOCKET_SOCKETIO_HOST_H

#include "websocket/host.h"

#define SOCKETIO_TARGET "/socket.io/?EIO=4&transport=websocket"

/* What on_event was called with last; copies. */
struct socketio_seen {
    unsigned n_events;
    ws_conn_id connection;
    char name_space[32];
    char name[64];
    char args[256];
    char attachments[256]; /* one after the other, each followed by a '|' */
    int64_t ack_id;
};

extern struct host host;
extern struct socketio_seen seen;

/* What a test wants to do in on_event; may be NULL. */
extern void (*on_event_hook)(ws_conn_id connection, const ws_socketio_event *event);

/* The defaults of host_options_init() with WS_PROTOCOL_SOCKETIO, pings every 10 s, the namespace
 * "/custom", at most 2 attachments, at most 1,000 bytes of a message, and no recovery. */
void socketio_options_init(struct host_options *options);

/* Opens the host; options NULL: those of socketio_options_init(). */
void socketio_open(struct host_options *options);

/* Closes it, and forgets what was seen. */
void socketio_close(void);

/* A client with a session, whose open packet was read; `headers` as in host_client_with(). */
struct peer *socketio_session(const char *headers);

/* A client with a socket in "/", whose packet was read. */
struct peer *socketio_client(void);

/* The id of a client's socket in "/". */
ws_conn_id socketio_id(const struct peer *peer);

/* What the server sends to a client; `args` is a JSON array or NULL. */
ws_socketio_message socketio_message(const char *name, const char *args);
int socketio_emit(ws_conn_id connection, const char *name, const char *args);

/* Sends a packet of Engine.IO, a text. */
void socketio_send(struct peer *peer, const char *packet);

/* Reads the next frame and checks that it is this text, or that it begins so. */
void socketio_expect(struct peer *peer, const char *packet);
void socketio_expect_prefix(struct peer *peer, const char *prefix);

#endif
