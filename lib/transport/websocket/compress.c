/* compress.c: compresses a message's frames once for all clients that get them compressed. */
#include "transport/websocket/compress.h"

#include <string.h>

#include "transport/shared/deflate.h"
#include "transport/shared/frame.h"
#include "transport/shared/shared_part.h"

enum { WINDOW_BITS_MIN = 9, WINDOW_BITS_MAX = 15 };

/* Compresses one whole frame to `to`, which has room for as many bytes as the frame has.
 * Returns the length written, which is that of the uncompressed frame if compressing does not
 * make it smaller. */
static size_t compress_frame(struct deflater *deflater, int window_bits,
                             const ws_endpoint_options *options, const uint8_t *frame,
                             const struct frame_size *size, uint8_t *to)
{
    size_t whole = size->header + size->payload;
    size_t length = 0;
    uint8_t header;

    if (deflate_pays(options, size->payload))
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

/* Compresses all frames; NULL if none became smaller, or memory ran out. */
static struct frames *make_compressed(ws_loop *loop, const struct frames *plain,
                                      int window_bits, const ws_endpoint_options *options)
{
    const uint8_t *from = frames_bytes(plain);
    const uint8_t *end = from + plain->length;
    struct frames *made = frames_new(&loop->manager->memory, plain->length);

    if (made == NULL)
        return NULL;
    while (from < end) {
        struct frame_size size = frame_read_size(from);

        if (deflate_pays(options, size.payload))
            transport_prepared(loop, compressing_cost((uint32_t)size.payload));
        frames_add(made, compress_frame(shared_part_of(loop)->deflater, window_bits, options,
                                        from, &size, frames_end(made)));
        from += size.header + size.payload;
    }
    if (made->length == plain->length) {
        frames_unref(made);
        return NULL;
    }
    return frames_trim(made);
}

struct frames *compress_form(ws_loop *loop, ws_message *message, struct frames *plain, int kind,
                             int window_bits, const ws_endpoint_options *options)
{
    struct frames_variant *variant;
    uint32_t bytes = plain == &message->frames ? message->payload_bytes : plain->length;

    if (!deflate_pays(options, message->payload_bytes))
        return plain;
    /* A payload cannot refer further back than its length. For the windows in between the smallest
     * one serves, so that clients cannot cause more than two compressed forms of a message. */
    if (bytes <= (uint32_t)1 << window_bits)
        window_bits = WINDOW_BITS_MAX;
    else if (window_bits > WINDOW_BITS_MIN && window_bits < WINDOW_BITS_MAX)
        window_bits = WINDOW_BITS_MIN;
    variant = frames_find_variant(&message->frames, kind + window_bits);
    if (variant == NULL) {
        if (shared_part_deflater(loop) == NULL)
            return plain;
        variant = frames_add_variant(&message->frames, kind + window_bits,
                                     make_compressed(loop, plain, window_bits, options));
    }
    return variant != NULL && variant->form != NULL ? variant->form : plain;
}

struct frames *compress_message(ws_loop *loop, ws_message *message, int window_bits,
                                const ws_endpoint_options *options)
{
    return compress_form(loop, message, &message->frames, FORM_COMPRESSED, window_bits,
                         options);
}
