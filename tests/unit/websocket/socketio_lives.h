/* socketio_lives.h: clients of Socket.IO that reconnect, as stock clients do: with the pid of their
 * session and the offset of the last event that they have. */
#ifndef TEST_WEBSOCKET_SOCKETIO_LIVES_H
#define TEST_WEBSOCKET_SOCKETIO_LIVES_H

#include "websocket/socketio_host.h"

/* The connect packet that a client has received for its socket. */
struct life {
    char sid[64];
    char pid[128]; /* "": nothing */
};

/* The next frame, a text; valid until the next call. */
char *lives_text(struct peer *peer);

/* Reads the answer to a client's CONNECT. */
struct life lives_answer(struct peer *peer);

/* Connects a socket; `auth` is the inner part of a JSON object. */
struct peer *lives_join(const char *auth, struct life *life);

/* What a client that reconnects says; offset NULL: it has none. Valid until the next call. */
const char *lives_auth(const struct life *life, const char *offset);

/* Reads an event with this data; returns its offset, valid until the next call. */
const char *lives_expect(struct peer *peer, const char *data);

/* Requests to join a room, and reads the answer. */
void lives_enter(struct peer *peer, const char *room);

bool lives_is_in(const struct peer *peer, const char *room);

#endif
