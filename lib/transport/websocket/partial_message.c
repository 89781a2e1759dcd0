/* partial_message.c: assembles a client's message from its frames. */
#include "transport/websocket/partial_message.h"

#include <string.h>

#include "transport/websocket/inflate.h"

enum { CAPACITY_MIN = 1024, KEPT_BYTES = 64 * 1024 /* of the buffer, in the pool */ };

static const ws_allocator *memory_of(const struct partial_message *message)
{
    return &message->loop->manager->memory;
}

void partial_message_init(struct partial_message *message, ws_loop *loop)
{
    *message = (struct partial_message){.loop = loop, .opcode = PARTIAL_MESSAGE_NONE};
}

static void give_back_inflater(struct partial_message *message)
{
    loop_part_give_inflater(message->loop, message->inflater);
    message->inflater = NULL;
}

static void free_bytes(struct partial_message *message)
{
    memory_free(memory_of(message), message->bytes);
    message->bytes = NULL;
    message->capacity = 0;
}

void partial_message_free(struct partial_message *message)
{
    give_back_inflater(message);
    free_bytes(message);
}

void partial_message_drop_used(struct partial_message *message)
{
    if (partial_message_is_none(message))
        give_back_inflater(message);
}

void partial_message_trim(struct partial_message *message)
{
    if (message->capacity > KEPT_BYTES)
        free_bytes(message);
}

size_t partial_message_inflated(const struct partial_message *message)
{
    size_t length = 0;

    if (message->inflater != NULL)
        inflater_output(message->inflater, &length);
    return length;
}

bool partial_message_begin_frame(struct partial_message *message,
                                 const struct wslay_frame_iocb *frame)
{
    if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
        message->opcode = frame->opcode;
        message->utf8 = (struct utf8_state){0};
        message->compressed = frame->rsv != WSLAY_RSV_NONE;
        if (message->compressed)
            message->inflater = loop_part_take_inflater(message->loop);
    }
    message->fragments++;
    message->received += frame->payload_length;
    return !message->compressed || message->inflater != NULL;
}

static bool append(struct partial_message *message, const uint8_t *data, size_t length)
{
    size_t needed = message->length + length;
    size_t capacity = message->capacity < CAPACITY_MIN ? CAPACITY_MIN : message->capacity;

    if (length == 0)
        return true;
    while (capacity < needed)
        capacity *= 2;
    if (capacity != message->capacity) {
        uint8_t *bytes = memory_realloc(memory_of(message), message->bytes, capacity);

        if (bytes == NULL)
            return false;
        message->bytes = bytes;
        message->capacity = capacity;
    }
    memcpy(message->bytes + message->length, data, length);
    message->length = needed;
    return true;
}

/* Ends the message. The data of the last event stays valid until the next call. */
static void end_message(struct partial_message *message)
{
    message->opcode = PARTIAL_MESSAGE_NONE;
    message->length = 0;
    message->fragments = 0;
    message->received = 0;
}

static struct frame_event inflate_failure(enum inflate_result result)
{
    switch (result) {
    case INFLATE_TOO_BIG:
        return frame_error(WS_CLOSE_MESSAGE_TOO_BIG, "message too big");
    case INFLATE_NO_MEMORY:
        return frame_no_memory();
    default:
        return frame_error(WS_CLOSE_INVALID_DATA, "the compressed data is corrupt");
    }
}

/* Adds a piece of a compressed message. The inflater keeps the message until the next call. */
static struct frame_event add_compressed(struct partial_message *message, const uint8_t *data,
                                         size_t length, bool complete, uint32_t max_bytes,
                                         uint32_t *cost)
{
    struct frame_event event = {.kind = FRAME_MESSAGE,
                                .is_text = message->opcode == WSLAY_TEXT_FRAME};
    enum inflate_result result;
    size_t before;

    inflater_output(message->inflater, &before);
    result = inflater_feed(message->inflater, data, length, max_bytes);
    if (result == INFLATE_OK && complete)
        result = inflater_finish(message->inflater, max_bytes);
    event.data = inflater_output(message->inflater, &event.length);
    *cost += (uint32_t)((event.length - before) / INPUT_BYTES_PER_UNIT);
    *cost += INPUT_COST_BLOCK * inflater_take_blocks(message->inflater);
    if (result != INFLATE_OK)
        return inflate_failure(result);
    if (!complete)
        return frame_nothing();
    if (event.is_text && !utf8_valid(event.data, event.length))
        return frame_error(WS_CLOSE_INVALID_DATA, "text is not UTF-8");
    end_message(message);
    return event;
}

/* Adds a piece of an uncompressed message. A message that is one piece is passed on from
 * wslay's buffer, without a copy. */
static struct frame_event add_plain(struct partial_message *message, const uint8_t *data,
                                    size_t length, bool complete)
{
    bool is_text = message->opcode == WSLAY_TEXT_FRAME;
    struct frame_event event = {.kind = FRAME_MESSAGE, .is_text = is_text};

    if (is_text && !utf8_feed(&message->utf8, data, length))
        return frame_error(WS_CLOSE_INVALID_DATA, "text is not UTF-8"); /* §8.1 */
    if (complete && is_text && !utf8_complete(&message->utf8))
        return frame_error(WS_CLOSE_INVALID_DATA, "text is not UTF-8");
    if (complete && message->length == 0) {
        event.data = (void *)(uintptr_t)data; /* wslay does not read it again */
        event.length = length;
    } else if (!append(message, data, length)) {
        return frame_no_memory();
    } else {
        event.data = message->bytes;
        event.length = message->length;
    }
    if (!complete)
        return frame_nothing();
    end_message(message);
    return event;
}

struct frame_event partial_message_add(struct partial_message *message, const uint8_t *data,
                                       size_t length, bool complete, uint32_t max_bytes,
                                       uint32_t *cost)
{
    return message->compressed
               ? add_compressed(message, data, length, complete, max_bytes, cost)
               : add_plain(message, data, length, complete);
}
