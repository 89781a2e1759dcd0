/* partial_message.c: assembles a client's message from its frames. */
#include "transport/websocket/partial_message.h"

#include <string.h>

#include "transport/websocket/inflate.h"

enum {
    CAPACITY_MIN = 1024,
    KEPT_BYTES = 64 * 1024, /* of the buffer, in the pool */
    FED_BYTES = 4096        /* to the inflater in one step */
};

static const ws_allocator *memory_of(const struct partial_message *message)
{
    return &message->loop->manager->memory;
}

void partial_message_init(struct partial_message *message, ws_loop *loop)
{
    *message = (struct partial_message){.loop = loop, .opcode = PARTIAL_MESSAGE_NONE};
}

void partial_message_give_back_inflater(struct partial_message *message)
{
    loop_part_give_inflater(message->loop, message->inflater);
    message->inflater = NULL;
}

void partial_message_free_bytes(struct partial_message *message)
{
    memory_free(memory_of(message), message->bytes);
    message->bytes = NULL;
    message->capacity = 0;
}

void partial_message_free(struct partial_message *message)
{
    partial_message_give_back_inflater(message);
    partial_message_free_bytes(message);
}

void partial_message_trim(struct partial_message *message)
{
    if (message->capacity > KEPT_BYTES)
        partial_message_free_bytes(message);
}

/* `is_last`: of the message's frames. */
static bool grow(struct partial_message *message, size_t needed, bool is_last)
{
    size_t capacity = message->capacity < CAPACITY_MIN ? CAPACITY_MIN : message->capacity;
    size_t least = message->capacity + message->capacity / 2; /* few copies of each byte */
    uint8_t *bytes;

    while (capacity < needed)
        capacity *= 2;
    if (capacity > message->received) /* of the frames that have begun */
        capacity = is_last || message->received > least ? (size_t)message->received : least;
    bytes = memory_realloc(memory_of(message), message->bytes, capacity);
    if (bytes == NULL)
        return false;
    message->bytes = bytes;
    message->capacity = capacity;
    return true;
}

static bool append(struct partial_message *message, const struct wslay_frame_iocb *piece)
{
    size_t needed = message->length + piece->data_length;

    if (needed > message->capacity && !grow(message, needed, piece->fin))
        return false;
    memcpy(message->bytes + message->length, piece->data, piece->data_length);
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
    message->is_received = false;
    message->n_fed = 0;
}

static void inflate_failure(enum inflate_result result, struct frame_event *event)
{
    switch (result) {
    case INFLATE_TOO_BIG:
        frame_event_error(event, WS_CLOSE_MESSAGE_TOO_BIG,
                          "the message is longer than max_message_bytes");
        break;
    case INFLATE_NO_MEMORY:
        frame_event_no_memory(event);
        break;
    default:
        frame_event_error(event, WS_CLOSE_INVALID_DATA, "the compressed data is corrupt");
    }
}

static void set_message(struct frame_event *event, uint8_t opcode, void *data, size_t length)
{
    event->kind = FRAME_MESSAGE;
    event->is_text = opcode == WSLAY_TEXT_FRAME;
    event->data = data;
    event->length = length;
}

/* The piece's bytes, which may be changed: wslay does not read them again. */
static void *bytes_of(const struct wslay_frame_iocb *piece)
{
    return (void *)(uintptr_t)piece->data;
}

/* Checks the text of a piece (§8.1). */
static bool is_text_valid(struct partial_message *message, const struct wslay_frame_iocb *piece,
                          bool complete)
{
    return utf8_feed(&message->utf8, piece->data, piece->data_length) &&
           (!complete || utf8_complete(&message->utf8));
}

void partial_message_add(struct partial_message *message, const struct wslay_frame_iocb *piece,
                         bool complete, struct frame_event *event)
{
    if (piece->data_length == 0 && !complete)
        return;
    if (message->opcode == WSLAY_TEXT_FRAME && !is_text_valid(message, piece, complete)) {
        frame_event_error(event, WS_CLOSE_INVALID_DATA, "text is not UTF-8");
    } else if (complete && message->length == 0) {
        set_message(event, message->opcode, bytes_of(piece), piece->data_length);
        end_message(message);
    } else if (!append(message, piece)) {
        frame_event_no_memory(event);
    } else if (complete) {
        set_message(event, message->opcode, message->bytes, message->length);
        end_message(message);
    }
}

void partial_message_pass_whole(struct partial_message *message,
                                const struct wslay_frame_iocb *frame, struct frame_event *event)
{
    if (frame->opcode == WSLAY_TEXT_FRAME && !is_text_valid(message, frame, true))
        frame_event_error(event, WS_CLOSE_INVALID_DATA, "text is not UTF-8");
    else
        set_message(event, frame->opcode, bytes_of(frame), frame->data_length);
}

/* Sets the event after the last bytes were inflated, and before that only for a failure. The
 * inflater keeps the message until the next call. */
static void note_inflated(struct partial_message *message, enum inflate_result result,
                          bool is_last, struct frame_event *event)
{
    size_t length;
    void *inflated = inflater_output(message->inflater, &length);

    if (result != INFLATE_OK) {
        inflate_failure(result, event);
    } else if (is_last && message->opcode == WSLAY_TEXT_FRAME &&
               !utf8_valid(inflated, length)) {
        frame_event_error(event, WS_CLOSE_INVALID_DATA, "text is not UTF-8");
    } else if (is_last) {
        set_message(event, message->opcode, inflated, length);
        end_message(message);
    }
}

/* Inflates some bytes; returns the cost. */
static uint32_t inflate_bytes(struct partial_message *message, const void *data, size_t length,
                              bool is_last, uint32_t max_bytes, struct frame_event *event)
{
    enum inflate_result result;
    size_t before;
    size_t after;

    if (message->inflater == NULL)
        message->inflater = loop_part_take_inflater(message->loop);
    if (message->inflater == NULL) {
        frame_event_no_memory(event);
        return 0;
    }
    inflater_output(message->inflater, &before);
    result = inflater_feed(message->inflater, data, length, max_bytes);
    if (result == INFLATE_OK && is_last)
        result = inflater_finish(message->inflater, max_bytes);
    inflater_output(message->inflater, &after);
    note_inflated(message, result, is_last, event);
    return (uint32_t)((after - before) / INPUT_BYTES_PER_UNIT) +
           INPUT_COST_BLOCK * inflater_take_blocks(message->inflater);
}

uint32_t partial_message_add_compressed(struct partial_message *message,
                                        const struct wslay_frame_iocb *piece, bool complete,
                                        uint32_t max_bytes, struct frame_event *event)
{
    if (complete && message->length == 0)
        return inflate_bytes(message, piece->data, piece->data_length, true, max_bytes, event);
    if (piece->data_length > 0 && !append(message, piece))
        frame_event_no_memory(event);
    message->is_received = complete;
    return 0;
}

uint32_t partial_message_inflate(struct partial_message *message, uint32_t max_bytes,
                                 struct frame_event *event)
{
    const uint8_t *next = message->bytes + message->n_fed;
    size_t length = message->length - message->n_fed;
    bool is_last = length <= FED_BYTES;

    if (message->inflater == NULL && !loop_part_may_inflate(message->loop)) {
        event->kind = FRAME_WAITS;
        return 0;
    }
    if (!is_last)
        length = FED_BYTES;
    message->n_fed += length;
    return inflate_bytes(message, next, length, is_last, max_bytes, event);
}
