/* peer.c: what a client of the memory host sends, and what it expects to read. */
#include <stdlib.h>
#include <string.h>

#include "websocket/host.h"
#include "websocket/zlib_peer.h"

struct peer *host_client(struct host *host)
{
    return host_client_with(host, "");
}

void peer_request(struct peer *peer, const char *headers)
{
    struct bytes request = {0};

    client_request(&request, "/ws", headers);
    peer_send(peer, &request);
    bytes_free(&request);
}

struct peer *host_newcomer(struct host *host)
{
    struct peer *peer = host_peer(host);
    struct bytes request = {0};

    client_request(&request, "/ws", "");
    peer_feed(peer, request.data, request.length, WHOLE);
    bytes_free(&request);
    return peer;
}

struct peer *host_request(struct host *host, const char *headers)
{
    struct peer *peer = host_peer(host);

    peer_request(peer, headers);
    return peer;
}

struct peer *host_client_with(struct host *host, const char *headers)
{
    struct peer *peer = host_request(host, headers);
    struct frame frame;

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

/* --- reading -------------------------------------------------------------------------------- */

/* 0 if the answer does not agree on permessage-deflate. */
static int agreed_window_bits(const char *answer, size_t length)
{
    static const char extension[] = "\r\nSec-WebSocket-Extensions: permessage-deflate";
    static const char window[] = "server_max_window_bits=";
    const char *found = memmem(answer, length, extension, sizeof extension - 1);

    if (found == NULL)
        return 0;
    found = memmem(found, length - (size_t)(found - answer), window, sizeof window - 1);
    return found != NULL ? atoi(found + sizeof window - 1) : 15;
}

void peer_expect_header(const struct peer *peer, const char *line)
{
    ck_assert_msg(strstr((const char *)peer->received.data, line) != NULL, "no %s in\n%s", line,
                  (const char *)peer->received.data);
}

int peer_head(struct peer *peer)
{
    const char *text = (const char *)peer->received.data;
    const char *end = text != NULL ? strstr(text + peer->read, "\r\n\r\n") : NULL;

    ck_assert_ptr_nonnull(end);
    text += peer->read;
    ck_assert_int_eq(strncmp(text, "HTTP/1.1 ", 9), 0);
    peer->window_bits = agreed_window_bits(text, (size_t)(end - text));
    peer->read += (size_t)(end + 4 - text);
    return atoi(text + 9);
}

static void inflate_frame(struct peer *peer, struct frame *frame)
{
    enum { ROOM = 1 << 20 };
    uint8_t *to = malloc(ROOM);

    ck_assert_int_gt(peer->window_bits, 0);
    peer->inflated.length = 0;
    bytes_add(&peer->inflated, to,
              zlib_inflate(peer->window_bits, frame->payload, frame->length, to, ROOM));
    free(to);
    frame->payload = peer->inflated.data;
    frame->length = peer->inflated.length;
}

bool peer_next(struct peer *peer, struct frame *frame)
{
    size_t left = peer->received.length - peer->read;
    size_t used = server_frame(peer->received.data + peer->read, left, frame);

    ck_assert(used > 0 || left == 0);
    peer->read += used;
    if (used > 0 && frame->compressed)
        inflate_frame(peer, frame);
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
