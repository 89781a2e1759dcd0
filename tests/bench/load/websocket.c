/* websocket.c: clients that speak WebSocket, and those that speak Socket.IO over it.
 * Not here: frames as bytes (common/frame.h), packets (socketio.c). */
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "socketio.h"

enum { CONTROL_MAX_BYTES = 125 };

static void open_websocket(struct clients *clients, struct client *client)
{
    static const char upgrade[] = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: " HANDSHAKE_KEY "\r\n"
                                  "Sec-WebSocket-Version: 13\r\n";
    static const char upgrade_and_offer[] =
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: " HANDSHAKE_KEY "\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; "
        "client_no_context_takeover; server_no_context_takeover\r\n";

    client_request(clients, client, "GET", "",
                   clients->options->deflate ? upgrade_and_offer : upgrade, NULL);
}

static void send_frame(struct clients *clients, struct client *client, unsigned opcode,
                       const void *payload, size_t length)
{
    unsigned char head[FRAME_MAX_HEAD];
    struct bytes frame = {0};

    bytes_append(&frame, head, frame_write_head(head, opcode, true, length));
    bytes_append(&frame, payload, length);
    client_send(clients, client, frame.data, frame.length);
    free(frame.data);
}

static void send_text(struct clients *clients, struct client *client, const char *text)
{
    send_frame(clients, client, FRAME_TEXT, text, strlen(text));
}

static void handle_data(struct clients *clients, struct client *client,
                        const struct frame *frame)
{
    if (client->protocol == &socketio_protocol && !frame->compressed)
        socketio_packet(clients, client, frame->payload, frame->length);
    else if (clients->on_frame != NULL)
        clients->on_frame(clients, client, frame);
}

static void handle_frame(struct clients *clients, struct client *client,
                         const struct frame *frame)
{
    switch (frame->opcode) {
    case FRAME_TEXT:
    case FRAME_BINARY:
        handle_data(clients, client, frame);
        break;
    case FRAME_PING:
        if (frame->length <= CONTROL_MAX_BYTES)
            send_frame(clients, client, FRAME_PONG, frame->payload, frame->length);
        break;
    case FRAME_CLOSE:
        client_lose(clients, client, "the server closed it");
        break;
    default:
        break;
    }
}

/* Returns the answer's length, or 0 if the answer is incomplete or is a refusal. */
static size_t read_answer(struct clients *clients, struct client *client,
                          const unsigned char *data, size_t length)
{
    const unsigned char *end = memmem(data, length, "\r\n\r\n", 4);
    size_t size;

    if (end == NULL)
        return 0;
    size = (size_t)(end - data) + 4;
    if (memmem(data, size, " 101 ", 5) == NULL ||
        memmem(data, size, HANDSHAKE_ACCEPT, sizeof HANDSHAKE_ACCEPT - 1) == NULL) {
        client_lose(clients, client, "the handshake was refused");
        return 0;
    }
    if (client->protocol == &socketio_protocol) {
        socketio_begin(clients, client);
        return size;
    }
    if (clients->options->hello != NULL)
        send_text(clients, client, clients->options->hello);
    client_opened(clients, client);
    return size;
}

static size_t input(struct clients *clients, struct client *client, const unsigned char *data,
                    size_t length)
{
    struct frame frame;
    size_t done = 0;
    size_t size;

    if (client->state == CLIENT_REQUESTING) {
        done = read_answer(clients, client, data, length);
        if (done == 0)
            return 0;
    }
    while (client->state >= CLIENT_JOINING &&
           (size = frame_read(data + done, length - done, &frame)) > 0) {
        handle_frame(clients, client, &frame);
        done += size;
    }
    return done;
}

const struct protocol websocket_protocol = {open_websocket, input, send_text};
const struct protocol socketio_protocol = {open_websocket, input, send_text};
