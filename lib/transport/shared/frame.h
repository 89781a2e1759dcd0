/* frame.h: the header of a frame that the server sends (RFC 6455 §5.2), never masked.
 * Not here: reading frames (frame_reader.h, by wslay). */
#ifndef WS_TRANSPORT_SHARED_FRAME_H
#define WS_TRANSPORT_SHARED_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <wslay/wslay.h>

enum { FRAME_HEADER_MAX = 10, FRAME_CONTROL_MAX = 125, FRAME_RSV1 = 0x40 };

/* Writes the header of an unfragmented frame; returns its length. */
static inline uint8_t frame_write_header(uint8_t header[FRAME_HEADER_MAX],
                                         enum wslay_opcode opcode, size_t length)
{
    header[0] = (uint8_t)(0x80u | (unsigned)opcode);
    if (length < 126) {
        header[1] = (uint8_t)length;
        return 2;
    }
    if (length <= UINT16_MAX) {
        header[1] = 126;
        header[2] = (uint8_t)(length >> 8);
        header[3] = (uint8_t)length;
        return 4;
    }
    header[1] = 127;
    for (int i = 0; i < 8; i++)
        header[2 + i] = (uint8_t)((uint64_t)length >> (56 - 8 * i));
    return 10;
}

struct frame_size {
    size_t header;
    size_t payload;
};

/* Reads the size of a frame from the header that frame_write_header() wrote. */
static inline struct frame_size frame_read_size(const uint8_t *frame)
{
    struct frame_size size = {2, frame[1]};
    size_t extended = size.payload == 126 ? 2 : size.payload == 127 ? 8 : 0;

    if (extended > 0)
        size.payload = 0;
    for (size_t i = 0; i < extended; i++)
        size.payload = size.payload << 8 | frame[2 + i];
    size.header += extended;
    return size;
}

/* The message_framing of this transport: the header goes right before the payload. */
static inline uint8_t frame_before_payload(uint8_t *payload, size_t length, bool is_text)
{
    uint8_t header[FRAME_HEADER_MAX];
    uint8_t size =
        frame_write_header(header, is_text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, length);

    memcpy(payload - size, header, size);
    return size;
}

#endif
