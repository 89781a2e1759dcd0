/* protocol.h: what a client speaks to the server. Each protocol opens a client's connection, and
 * hands the messages that arrive to clients->on_frame.
 * Not here: sockets (client.c), and what is sent and when (modes.h). */
#ifndef LOAD_PROTOCOL_H
#define LOAD_PROTOCOL_H

#include "clients.h"

struct protocol {
    /* The socket is connected: sends the first request. */
    void (*open)(struct clients *clients, struct client *client);

    /* Handles bytes that have arrived. Returns how many; the others are the beginning of something
     * that has not arrived completely. */
    size_t (*input)(struct clients *clients, struct client *client, const unsigned char *data,
                    size_t length);

    /* Sends a text message. NULL: its clients only receive. */
    void (*send_text)(struct clients *clients, struct client *client, const char *text);
};

extern const struct protocol websocket_protocol;
extern const struct protocol socketio_protocol; /* over a WebSocket */
extern const struct protocol event_stream_protocol;
extern const struct protocol polling_protocol; /* Socket.IO over HTTP long-polling */

/* For protocols: sends a GET or POST request for the client's path and `query`, with header lines
 * that each end with CRLF, and a body. */
void client_request(struct clients *clients, struct client *client, const char *method,
                    const char *query, const char *headers, const struct bytes *body);

/* For protocols: the server has admitted the client. */
void client_opened(struct clients *clients, struct client *client);

/* For protocols: the connection has failed; the first reason is printed. */
void client_lose(struct clients *clients, struct client *client, const char *why);

/* For protocols: hands over a message. */
void client_message(struct clients *clients, struct client *client, const unsigned char *text,
                    size_t length);

#endif
