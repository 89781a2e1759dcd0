/* peer.c: what a client of the memory host sends, and what it expects to read. */
#include <stdlib.h>
#include <string.h>

#include "websocket/host.h"

struct peer *host_client(struct host *host)
{
    struct peer *peer = host_peer(host);
    struct bytes request = {0};
    struct frame frame;

    client_request(&request, "/ws", "");
    ck_assert_int_eq(peer_send(peer, &request), WS_OK);
    bytes_free(&request);
    ck_assert_int_eq(peer_head(peer), 101);
    if (peer_next(peer, &frame)) {
        peer->read = 0;
        peer_head(peer);
        peer_expect_type(peer, "welcome");
    }
    return peer;
}

int peer_send_text(struct peer *peer, const char *text)
{
    const struct bytes bytes = {(uint8_t *)(uintptr_t)text, strlen(text), 0};

    return peer_send(peer, &bytes);
}

int peer_send_frame(struct peer *peer, unsigned first, const void *payload, size_t length)
{
    struct bytes frame = {0};
    int result;

    client_frame(&frame, first, payload, length);
    result = peer_send(peer, &frame);
    bytes_free(&frame);
    return result;
}

int peer_send_close(struct peer *peer, uint16_t code, const char *reason)
{
    struct bytes frame = {0};
    int result;

    client_close(&frame, code, reason);
    result = peer_send(peer, &frame);
    bytes_free(&frame);
    return result;
}

/* --- what came ------------------------------------------------------------------------------ */

int peer_head(struct peer *peer)
{
    const char *text = (const char *)peer->received.data;
    const char *end = text != NULL ? strstr(text + peer->read, "\r\n\r\n") : NULL;

    ck_assert_ptr_nonnull(end);
    text += peer->read;
    ck_assert_int_eq(strncmp(text, "HTTP/1.1 ", 9), 0);
    peer->read += (size_t)(end + 4 - text);
    return atoi(text + 9);
}

bool peer_next(struct peer *peer, struct frame *frame)
{
    size_t left = peer->received.length - peer->read;
    size_t used = server_frame(peer->received.data + peer->read, left, frame);

    ck_assert(used > 0 || left == 0);
    peer->read += used;
    return used > 0;
}

void peer_expect(struct peer *peer, unsigned opcode, const void *payload, size_t length)
{
    struct frame frame;

    ck_assert(peer_next(peer, &frame));
    ck_assert_uint_eq(frame.opcode, opcode);
    ck_assert_uint_eq(frame.length, length);
    if (length > 0)
        ck_assert_mem_eq(frame.payload, payload, length);
}

void peer_expect_text(struct peer *peer, const char *text)
{
    peer_expect(peer, TEXT, text, strlen(text));
}

void peer_expect_type(struct peer *peer, const char *type)
{
    struct bytes wanted = {0};
    struct bytes text = {0};
    struct frame frame;

    ck_assert(peer_next(peer, &frame));
    ck_assert_uint_eq(frame.opcode, TEXT);
    bytes_add_text(&wanted, "\"type\":\"");
    bytes_add_text(&wanted, type);
    bytes_add_text(&wanted, "\"");
    bytes_add(&text, frame.payload, frame.length);
    ck_assert_msg(strstr((char *)text.data, (char *)wanted.data) != NULL, "%s has no %s",
                  (char *)text.data, (char *)wanted.data);
    bytes_free(&wanted);
    bytes_free(&text);
}

void peer_expect_close_reason(struct peer *peer, uint16_t code, const char *reason)
{
    struct frame frame;

    ck_assert(peer_next(peer, &frame));
    ck_assert_uint_eq(frame.opcode, CLOSE);
    if (code == 1005) {
        ck_assert_uint_eq(frame.length, 0);
        return;
    }
    ck_assert_uint_ge(frame.length, 2);
    ck_assert_uint_eq((unsigned)frame.payload[0] << 8 | frame.payload[1], code);
    if (reason == NULL)
        return;
    ck_assert_uint_eq(frame.length - 2, strlen(reason));
    ck_assert_mem_eq(frame.payload + 2, reason, frame.length - 2);
}

void peer_expect_close(struct peer *peer, uint16_t code)
{
    peer_expect_close_reason(peer, code, NULL);
}

void peer_expect_nothing(struct peer *peer)
{
    ck_assert_uint_eq(peer->received.length, peer->read);
}

void peer_expect_failed(struct peer *peer, uint16_t code)
{
    peer_expect_close(peer, code);
    peer_expect_nothing(peer);
    ck_assert_uint_eq(peer->host->called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(peer->host->code, code);
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
}
