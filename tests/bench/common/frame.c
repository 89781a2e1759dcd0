/* frame.c: WebSocket frames as bytes.
 * Not here: sockets, and the contents of the frames. */
#include "frame.h"

#include <stdint.h>
#include <string.h>

enum { FIN = 0x80, RSV1 = 0x40, OPCODE = 0x0F, MASK = 0x80, MASK_KEY_BYTES = 4 };
enum { LENGTH_IS_2_BYTES = 126, LENGTH_IS_8_BYTES = 127 };

static size_t length_bytes(unsigned short_length)
{
    if (short_length == LENGTH_IS_8_BYTES)
        return 8;
    return short_length == LENGTH_IS_2_BYTES ? 2 : 0;
}

size_t frame_read(const unsigned char *data, size_t length, struct frame *frame)
{
    uint64_t payload_length;
    size_t extended;
    size_t head;

    if (length < 2)
        return 0;
    payload_length = data[1] & ~(unsigned)MASK;
    extended = length_bytes((unsigned)payload_length);
    head = 2 + extended + ((data[1] & MASK) != 0 ? MASK_KEY_BYTES : 0);
    if (length < head)
        return 0;
    if (extended > 0) {
        payload_length = 0;
        for (size_t i = 0; i < extended; i++)
            payload_length = payload_length << 8 | data[2 + i];
    }
    if (length - head < payload_length)
        return 0;
    *frame = (struct frame){
        .opcode = data[0] & OPCODE,
        .compressed = (data[0] & RSV1) != 0,
        .payload = data + head,
        .length = (size_t)payload_length,
    };
    return head + (size_t)payload_length;
}

size_t frame_write_head(unsigned char *out, unsigned opcode, bool masked, size_t length)
{
    unsigned short_length = length <= UINT16_MAX ? LENGTH_IS_2_BYTES : LENGTH_IS_8_BYTES;
    size_t extended;

    if (length < LENGTH_IS_2_BYTES)
        short_length = (unsigned)length;
    extended = length_bytes(short_length);
    out[0] = (unsigned char)(FIN | opcode);
    out[1] = (unsigned char)((masked ? MASK : 0) | short_length);
    for (size_t i = 0; i < extended; i++)
        out[2 + i] = (unsigned char)((uint64_t)length >> 8 * (extended - 1 - i));
    if (!masked)
        return 2 + extended;
    memset(out + 2 + extended, 0, MASK_KEY_BYTES);
    return 2 + extended + MASK_KEY_BYTES;
}
