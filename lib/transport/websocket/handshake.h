/* handshake.h: the server's side of the opening handshake (RFC 6455 §4.2): asks the application
 * about a valid request, and writes the answer. Not here: which requests are valid (opening.h)
 * and the answers to invalid ones (refusal.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_HANDSHAKE_H
#define WS_TRANSPORT_WEBSOCKET_HANDSHAKE_H

#include "base/buffer.h"
#include "transport/websocket/endpoint.h"
#include "transport/websocket/extension.h"
#include "transport/websocket/request.h"

struct ws_handshake {
    ws_websocket *websocket;
    const struct request *request;
    const ws_allocator *memory;
    char *target; /* a copy that is cut into path and query */
    const char *path;
    const char *query;
    const char *subprotocol; /* in the endpoint, or in texts */
    char user_id[WS_NAME_MAX + 1];
    struct permessage_deflate deflate;
    bool has_user;
    void *user_data;
    int status;                   /* 101, or the status with which it is refused */
    char *refusal;                /* text, or NULL for the status' name */
    struct handshake_text *texts; /* strings that accessors returned */
    bool out_of_memory; /* an accessor failed, so the application's decision is void */
};

/* Asks the application about a valid request. Afterwards handshake->status is 101 or an HTTP error
 * status. False if memory ran out. */
bool handshake_judge(struct ws_handshake *handshake, ws_websocket *websocket,
                     const ws_endpoint *endpoint, const struct request *request);

void handshake_free(struct ws_handshake *handshake);

/* The close code with which to refuse the client after a handshake, because a browser's script
 * sees no HTTP status (WHATWG WebSockets). 0 if the refusal is to be an HTTP answer. */
uint16_t handshake_close_code(const struct ws_handshake *handshake);

/* Writes the answer that opens the WebSocket: 101. */
void handshake_write_answer(const struct ws_handshake *handshake, struct buffer *buffer);

#endif
