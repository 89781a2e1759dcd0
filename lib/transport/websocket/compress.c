/* compress.c: a message's frames in their compressed form, made once for all clients that get
 * it. */
#include "transport/websocket/compress.h"

#include <string.h>

#include "transport/websocket/deflate.h"
#include "transport/websocket/frame.h"
#include "transport/websocket/loop_part.h"

enum { WINDOW_BITS_MAX = 15 };

/* Compresses one whole frame to `to`, which has room for as many bytes as the frame has; returns
 * the length of what is written, which is the frame as it is if compressing does not pay. */
static size_t compress_frame(struct deflater *deflater, int window_bits, uint32_t min_bytes,
                             const uint8_t *frame, const struct frame_size *size, uint8_t *to)
{
    size_t whole = size->header + size->payload;
    size_t length = 0;
    uint8_t header;

    if (size->payload >= min_bytes)
        length = deflate_payload(deflater, window_bits, frame + size->header, size->payload,
                                 to + size->header, size->payload);
    if (length == 0) {
        memcpy(to, frame, whole);
        return whole;
    }
    header = frame_write_header(to, (enum wslay_opcode)(frame[0] & 0x0f), length);
    to[0] |= FRAME_RSV1;
    memmove(to + header, to + size->header, length);
    return header + length;
}

/* All frames of a message, as a message of its own; NULL if none became smaller, or memory ran
 * out. */
static ws_message *make_compressed(ws_loop *loop, const ws_message *message, int window_bits,
                                   uint32_t min_bytes)
{
    const uint8_t *from = message_frame_start(message);
    size_t left = message_frame_length(message);
    ws_message *made = message_new(&loop->manager->memory, left, 0, NULL, 0);

    if (made == NULL)
        return NULL;
    made->n_messages = message->n_messages;
    made->start = 0;
    made->length = 0;
    while (left > 0) {
        struct frame_size size = frame_read_size(from);
        size_t length = compress_frame(loop_part_of(loop)->deflater, window_bits, min_bytes,
                                       from, &size, made->bytes + made->length);

        made->length += (uint32_t)length;
        made->last_frame = message->n_messages > 1 ? (uint16_t)length : 0;
        from += size.header + size.payload;
        left -= size.header + size.payload;
    }
    if (made->length == message_frame_length(message)) {
        ws_message_unref(made);
        return NULL;
    }
    /* Its bytes begin with a header, of at least 2: that it is framed is all that must be known. */
    made->start = 2;
    made->frame_header = 2;
    made->length -= 2;
    return message_trim(made);
}

ws_message *compress_message(ws_loop *loop, ws_message *message, int window_bits,
                             uint32_t min_bytes)
{
    struct loop_part *part = loop_part_of(loop);
    struct message_variant *variant;

    if (message->length < min_bytes)
        return message;
    /* Nothing in it can reach back further than its length. */
    if (message->length <= (uint32_t)1 << window_bits)
        window_bits = WINDOW_BITS_MAX;
    variant = message_find_variant(message, window_bits);
    if (variant == NULL) {
        if (part->deflater == NULL)
            part->deflater = deflater_new(&loop->manager->memory);
        if (part->deflater == NULL)
            return message;
        variant = message_add_variant(message, window_bits,
                                      make_compressed(loop, message, window_bits, min_bytes));
    }
    return variant != NULL && variant->message != NULL ? variant->message : message;
}
