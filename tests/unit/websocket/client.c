/* client.c: the client's side of RFC 6455 as bytes. */
#include "websocket/client.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

void bytes_add(struct bytes *bytes, const void *data, size_t length)
{
    if (bytes->length + length + 1 > bytes->capacity) {
        bytes->capacity = 2 * (bytes->length + length + 1);
        bytes->data = realloc(bytes->data, bytes->capacity);
        ck_assert_ptr_nonnull(bytes->data);
    }
    if (length > 0)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}

void bytes_add_text(struct bytes *bytes, const char *text)
{
    bytes_add(bytes, text, strlen(text));
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void client_request(struct bytes *to, const char *target, const char *headers)
{
    bytes_add_text(to, "GET ");
    bytes_add_text(to, target);
    bytes_add_text(to, " HTTP/1.1\r\n"
                       "Host: server.example.com\r\n"
                       "Upgrade: websocket\r\n"
                       "Connection: Upgrade\r\n"
                       "Sec-WebSocket-Key: " CLIENT_KEY "\r\n"
                       "Sec-WebSocket-Version: 13\r\n");
    bytes_add_text(to, headers);
    bytes_add_text(to, "\r\n");
}

static void add_number(struct bytes *to, uint64_t number, unsigned n_bytes)
{
    while (n_bytes-- > 0) {
        uint8_t byte = (uint8_t)(number >> (8 * n_bytes));

        bytes_add(to, &byte, 1);
    }
}

static void add_header(struct bytes *to, unsigned first, unsigned length_bytes, bool masked,
                       uint64_t length)
{
    unsigned second = masked ? 0x80 : 0;

    second |= length_bytes == 0 ? (unsigned)length : length_bytes == 2 ? 126 : 127;
    add_number(to, first, 1);
    add_number(to, second, 1);
    add_number(to, length, length_bytes);
}

void client_header(struct bytes *to, unsigned first, unsigned length_bytes, bool masked,
                   uint64_t length)
{
    add_header(to, first, length_bytes, masked, length);
    if (masked)
        add_number(to, 0, 4);
}

void client_frame(struct bytes *to, unsigned first, const void *payload, size_t length)
{
    static uint32_t last_mask = 0x12345678;
    const uint8_t *from = payload;
    uint8_t *masked;
    uint8_t mask[4];
    size_t start;

    last_mask = last_mask * 1664525 + 1013904223;
    memcpy(mask, &last_mask, sizeof mask);
    add_header(to, first, length < 126 ? 0 : length <= UINT16_MAX ? 2 : 8, true, length);
    bytes_add(to, mask, sizeof mask);
    start = to->length;
    bytes_add(to, from, length);
    masked = to->data + start;
    for (size_t i = 0; i < length; i++)
        masked[i] = from[i] ^ mask[i % 4];
}

void client_text(struct bytes *to, unsigned first, const char *text)
{
    client_frame(to, first, text, strlen(text));
}

void client_close(struct bytes *to, uint16_t code, const char *reason)
{
    struct bytes payload = {0};

    if (code != 0)
        add_number(&payload, code, 2);
    bytes_add_text(&payload, reason);
    client_frame(to, FIN | CLOSE, payload.data, payload.length);
    bytes_free(&payload);
}

size_t server_frame(const uint8_t *data, size_t length, struct frame *frame)
{
    unsigned length_bytes;
    uint64_t payload;
    size_t header;

    if (length < 2)
        return 0;
    ck_assert_uint_eq(data[0] & (FIN | RSV2 | RSV3), FIN); /* one frame is one message */
    ck_assert_uint_eq(data[1] & 0x80u, 0); /* RFC 6455 section 5.1: never masked */
    frame->opcode = data[0] & 0x0fu;
    frame->compressed = (data[0] & RSV1) != 0;
    payload = data[1];
    length_bytes = payload == 126 ? 2 : payload == 127 ? 8 : 0;
    header = 2 + length_bytes;
    if (length < header)
        return 0;
    if (length_bytes > 0)
        payload = 0;
    for (unsigned i = 0; i < length_bytes; i++)
        payload = payload << 8 | data[2 + i];
    if (length_bytes == 2)
        ck_assert_uint_ge(payload, 126); /* section 5.2: the minimal number of bytes */
    if (length_bytes == 8)
        ck_assert_uint_gt(payload, UINT16_MAX);
    if (frame->opcode >= CLOSE) {
        ck_assert_uint_le(payload, 125);
        ck_assert(!frame->compressed); /* RFC 7692 section 6 */
    }
    if (length - header < payload)
        return 0;
    frame->payload = data + header;
    frame->length = (size_t)payload;
    return header + frame->length;
}
