/* inflate.c: inflates a message compressed by permessage-deflate (RFC 7692 §7.2.2), with a
 * bound. */
#include "transport/websocket/inflate.h"

#include <limits.h>
#include <stdbool.h>

#include "transport/shared/zlib_memory.h"

enum {
    WINDOW_BITS = 15, /* the largest, for any window of a client */
    FIRST_BYTES = 1024,

    /* Bits of data_type after Z_BLOCK, beside the number of unused input bits. */
    BLOCK_IS_FINAL = 64,
    BLOCK_ENDED = 128,
    FINAL_ENDED = BLOCK_ENDED | BLOCK_IS_FINAL
};

struct inflater {
    const ws_allocator *memory;
    z_stream stream;
    bool between_streams; /* no input since the start or since a final block */
    uint32_t blocks;      /* blocks ended since inflater_take_blocks() */
    uint8_t *output;
    size_t length;
    size_t capacity;
};

struct inflater *inflater_new(const ws_allocator *memory)
{
    struct inflater *inflater = memory_zalloc(memory, sizeof *inflater);

    if (inflater == NULL)
        return NULL;
    inflater->memory = memory;
    inflater->between_streams = true;
    zlib_memory_use(&inflater->stream, &inflater->memory);
    if (inflateInit2(&inflater->stream, -WINDOW_BITS) != Z_OK) {
        memory_free(memory, inflater);
        return NULL;
    }
    return inflater;
}

static void free_output(struct inflater *inflater)
{
    memory_free(inflater->memory, inflater->output);
    inflater->output = NULL;
    inflater->length = 0;
    inflater->capacity = 0;
}

void inflater_free(struct inflater *inflater)
{
    if (inflater == NULL)
        return;
    free_output(inflater);
    inflateEnd(&inflater->stream);
    memory_free(inflater->memory, inflater);
}

void inflater_reset(struct inflater *inflater)
{
    free_output(inflater);
    inflater->between_streams = true;
}

uint8_t *inflater_output(const struct inflater *inflater, size_t *length)
{
    *length = inflater->length;
    return inflater->output;
}

uint32_t inflater_take_blocks(struct inflater *inflater)
{
    uint32_t blocks = inflater->blocks;

    inflater->blocks = 0;
    return blocks;
}

/* Makes room for more output, unless the bound is reached; false if memory ran out. */
static bool make_room(struct inflater *inflater, size_t max_bytes)
{
    size_t capacity = inflater->capacity == 0 ? FIRST_BYTES : 2 * inflater->capacity;
    uint8_t *output;

    if (inflater->length < inflater->capacity || inflater->capacity == max_bytes)
        return true;
    if (capacity > max_bytes)
        capacity = max_bytes;
    output = memory_realloc(inflater->memory, inflater->output, capacity);
    if (output == NULL)
        return false;
    inflater->output = output;
    inflater->capacity = capacity;
    return true;
}

/* Inflates once: at most to the end of a block, or until the output is full. */
static enum inflate_result step(struct inflater *inflater, size_t max_bytes)
{
    z_stream *stream = &inflater->stream;
    uint8_t excess; /* the first byte above the bound */
    size_t room;
    int result;

    if (!make_room(inflater, max_bytes))
        return INFLATE_NO_MEMORY;
    room = inflater->capacity - inflater->length;
    stream->next_out = room > 0 ? inflater->output + inflater->length : &excess;
    stream->avail_out = room > 0 ? (unsigned)room : 1;
    result = inflate(stream, Z_BLOCK);
    if (room == 0 && stream->avail_out == 0)
        return INFLATE_TOO_BIG;
    if (room > 0)
        inflater->length += room - stream->avail_out;
    inflater->between_streams = result == Z_STREAM_END;
    inflater->blocks += (stream->data_type & BLOCK_ENDED) != 0;
    switch (result) {
    case Z_OK:
    case Z_STREAM_END:
    case Z_BUF_ERROR: /* no progress was possible */
        return INFLATE_OK;
    case Z_MEM_ERROR:
        return INFLATE_NO_MEMORY;
    default:
        return INFLATE_CORRUPT;
    }
}

/* Whether zlib may have more output although all input is used. */
static bool holds_output(const struct inflater *inflater)
{
    return inflater->stream.avail_out == 0 && !inflater->between_streams;
}

/* Inflates all of the input. A message starts with a fresh stream, and so does what follows a
 * final block (RFC 7692 §7.2.1 allows that): neither refers to earlier data. */
static enum inflate_result run(struct inflater *inflater, const void *data, unsigned length,
                               size_t max_bytes)
{
    z_stream *stream = &inflater->stream;
    enum inflate_result result;

    stream->next_in = data;
    stream->avail_in = length;
    do {
        if (inflater->between_streams)
            inflateReset(stream);
        result = step(inflater, max_bytes);
    } while (result == INFLATE_OK && (stream->avail_in > 0 || holds_output(inflater)));
    return result;
}

enum inflate_result inflater_feed(struct inflater *inflater, const void *data, size_t length,
                                  uint32_t max_bytes)
{
    enum inflate_result result;

    if (length == 0)
        return INFLATE_OK;
    if (length > UINT_MAX)
        return INFLATE_TOO_BIG;
    result = run(inflater, data, (unsigned)length, max_bytes);
    /* zlib reports that the block which has just ended was final only when it is called
     * again. */
    if (result == INFLATE_OK && (inflater->stream.data_type & FINAL_ENDED) == FINAL_ENDED)
        result = step(inflater, max_bytes);
    return result;
}

/* Whether a block has just ended and no input bit is left. */
static bool at_block_boundary(const z_stream *stream)
{
    return (stream->data_type & ~BLOCK_IS_FINAL) == BLOCK_ENDED;
}

/* The sender has cut off the end of an empty block (RFC 7692 §7.2.1), which is put back here. A
 * message after which no block is to be completed is accepted too, because nothing can be
 * missing: one that ends with a final block instead of the first byte of an empty one, and one
 * of no bytes, which zlib makes of an empty payload right after a flush. */
enum inflate_result inflater_finish(struct inflater *inflater, uint32_t max_bytes)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};
    size_t length = inflater->length;
    enum inflate_result result;

    if (inflater->between_streams)
        return INFLATE_OK;
    result = run(inflater, tail, sizeof tail, max_bytes);
    if (result != INFLATE_OK)
        return result;
    /* The end was inflated as data, so the message was incomplete. */
    if (inflater->length > length)
        return INFLATE_CORRUPT;
    return at_block_boundary(&inflater->stream) ? INFLATE_OK : INFLATE_CORRUPT;
}
