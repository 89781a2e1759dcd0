/* frame_reader.c: reads a client's frames and messages from bytes in chunks of any size, parsed
 * by wslay. */
#include "transport/websocket/frame_reader.h"

#include <stddef.h>
#include <string.h>

#include "base/close_code.h"
#include "base/utf8.h"
#include "transport/websocket/frame.h"
#include "transport/websocket/loop_part.h"
#include "transport/websocket/waiting_bytes.h"

enum {
    POOL_MAX = 64,      /* readers kept in each loop's pool */
    COST_AT_ONCE = 256, /* of pieces without an event; one piece may exceed it */
};

struct frame_reader {
    struct frame_reader *next; /* in the pool */
    const ws_allocator *memory;
    wslay_frame_context_ptr wslay;

    void *owner;
    struct input input; /* listed while bytes are unparsed */
    struct waiting_bytes waiting;
    uint32_t cost;
    uint64_t taken; /* bytes that wslay took beyond the frames that it returned */

    bool failed; /* after FRAME_ERROR: the rest is ignored (RFC 6455 §7.1.7) */
    bool in_frame;
    uint8_t opcode;      /* of the frame */
    bool fin;            /* of the frame */
    uint64_t frame_left; /* payload bytes still to come */
    struct partial_message message;

    uint8_t control[FRAME_CONTROL_MAX];
    size_t control_length;
};

/* --- the pool -------------------------------------------------------------------------------- */

static void free_reader(struct frame_reader *reader)
{
    partial_message_free(&reader->message);
    wslay_frame_context_free(reader->wslay);
    waiting_bytes_free(&reader->waiting, reader->memory);
    memory_free(reader->memory, reader);
}

void frame_readers_free(ws_loop *loop)
{
    struct loop_part *part = loop_part_of(loop);

    while (part->readers != NULL) {
        struct frame_reader *reader = part->readers;

        part->readers = reader->next;
        free_reader(reader);
    }
}

static ssize_t take_bytes(uint8_t *to, size_t length, int flags, void *user_data)
{
    struct frame_reader *reader = user_data;

    (void)flags;
    length = waiting_bytes_take(&reader->waiting, to, length);
    if (length == 0)
        return -1;
    reader->taken += length;
    reader->cost += (uint32_t)(length / INPUT_BYTES_PER_UNIT);
    return (ssize_t)length;
}

static struct frame_reader *make_reader(ws_loop *loop)
{
    const ws_allocator *memory = &loop->manager->memory;
    const struct wslay_frame_callbacks callbacks = {.recv_callback = take_bytes};
    struct frame_reader *reader = memory_zalloc(memory, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->memory = memory;
    partial_message_init(&reader->message, loop);
    if (wslay_frame_context_init(&reader->wslay, &callbacks, reader) != 0) {
        memory_free(memory, reader);
        return NULL;
    }
    return reader;
}

struct frame_reader *frame_reader_take(ws_loop *loop, void *owner)
{
    struct loop_part *part = loop_part_of(loop);
    struct frame_reader *reader = part->readers;

    if (reader == NULL) {
        reader = make_reader(loop);
    } else {
        part->readers = reader->next;
        part->n_readers--;
    }
    if (reader != NULL)
        reader->owner = owner;
    return reader;
}

void frame_reader_give_back(ws_loop *loop, struct frame_reader *reader)
{
    struct loop_part *part = loop_part_of(loop);

    if (reader == NULL)
        return;
    input_list_remove(&loop->inputs, &reader->input);
    if (part->n_readers >= POOL_MAX || !frame_reader_idle(reader)) {
        free_reader(reader);
        return;
    }
    partial_message_drop_used(&reader->message);
    partial_message_trim(&reader->message);
    waiting_bytes_trim(&reader->waiting, reader->memory);
    reader->input = (struct input){0};
    reader->cost = 0;
    reader->next = part->readers;
    part->readers = reader;
    part->n_readers++;
}

/* --- frames ---------------------------------------------------------------------------------- */

static void begin_frame(struct frame_reader *reader, const struct wslay_frame_iocb *frame)
{
    size_t extended = frame->payload_length < 126           ? 0
                      : frame->payload_length <= UINT16_MAX ? 2
                                                            : 8;

    reader->taken -= 2 + extended + 4; /* the mask, which frame_rules_check() requires */
    reader->opcode = frame->opcode;
    reader->fin = frame->fin;
    reader->frame_left = frame->payload_length;
    reader->control_length = 0;
}

static struct frame_event read_close(struct frame_reader *reader)
{
    struct frame_event event = {.kind = FRAME_CLOSE, .code = WS_CLOSE_NO_STATUS};

    if (reader->control_length == 1)
        return frame_error(WS_CLOSE_PROTOCOL_ERROR, "close code of one byte"); /* §5.5.1 */
    if (reader->control_length == 0)
        return event;
    event.code = (uint16_t)(reader->control[0] << 8 | reader->control[1]);
    event.data = reader->control + 2;
    event.length = reader->control_length - 2;
    if (!close_code_valid(event.code))
        return frame_error(WS_CLOSE_PROTOCOL_ERROR, "close code not allowed"); /* §7.4 */
    if (!utf8_valid(event.data, event.length))
        return frame_error(WS_CLOSE_INVALID_DATA, "close reason is not UTF-8"); /* §5.5.1 */
    return event;
}

static struct frame_event take_control_piece(struct frame_reader *reader, const uint8_t *data,
                                             size_t length)
{
    struct frame_event event = {.kind = FRAME_PING};

    if (length > 0)
        memcpy(reader->control + reader->control_length, data, length);
    reader->control_length += length;
    if (reader->frame_left > 0)
        return frame_nothing();
    if (reader->opcode == WSLAY_CONNECTION_CLOSE)
        return read_close(reader);
    if (reader->opcode == WSLAY_PONG)
        event.kind = FRAME_PONG;
    event.data = reader->control;
    event.length = reader->control_length;
    return event;
}

static struct frame_event take_frame(struct frame_reader *reader,
                                     const struct wslay_frame_iocb *frame,
                                     const struct frame_limits *limits)
{
    bool is_control = wslay_is_ctrl_frame(frame->opcode);

    if (!reader->in_frame) {
        struct frame_event event = frame_rules_check(&reader->message, frame, limits);

        if (event.kind != FRAME_NOTHING)
            return event;
        begin_frame(reader, frame);
        if (!is_control && !partial_message_begin_frame(&reader->message, frame))
            return frame_no_memory();
    }
    reader->taken -= frame->data_length;
    reader->frame_left -= frame->data_length;
    reader->in_frame = reader->frame_left > 0;
    if (is_control)
        return take_control_piece(reader, frame->data, frame->data_length);
    return partial_message_add(&reader->message, frame->data, frame->data_length,
                               reader->frame_left == 0 && reader->fin,
                               limits->max_message_bytes, &reader->cost);
}

/* --- unparsed bytes ----------------------------------------------------------------------- */

struct input *frame_reader_input(struct frame_reader *reader)
{
    return &reader->input;
}

void *frame_reader_owner(struct input *input)
{
    const struct frame_reader *reader =
        (const struct frame_reader *)(const void *)((const char *)input -
                                                    offsetof(struct frame_reader, input));

    return reader->owner;
}

bool frame_reader_add(struct frame_reader *reader, const void *data, size_t length)
{
    return waiting_bytes_add(&reader->waiting, reader->memory, data, length);
}

size_t frame_reader_waiting(const struct frame_reader *reader)
{
    return reader->waiting.length;
}

uint32_t frame_reader_cost(struct frame_reader *reader)
{
    uint32_t cost = reader->cost;

    reader->cost = 0;
    return cost;
}

/* --- events ---------------------------------------------------------------------------------- */

struct frame_event frame_reader_next(struct frame_reader *reader,
                                     const struct frame_limits *limits)
{
    partial_message_drop_used(&reader->message);
    while (!reader->failed) {
        struct wslay_frame_iocb frame;
        struct frame_event event;
        ssize_t result;

        memset(&frame, 0, sizeof frame);
        result = wslay_frame_recv(reader->wslay, &frame);
        if (result == WSLAY_ERR_WANT_READ)
            return frame_nothing();
        reader->cost += result >= 0;
        event = result >= 0 ? take_frame(reader, &frame, limits)
                            : frame_error(WS_CLOSE_PROTOCOL_ERROR, "malformed frame header");
        reader->failed = frame_event_is_failure(&event);
        if (event.kind != FRAME_NOTHING)
            return event;
        if (reader->cost >= COST_AT_ONCE)
            return (struct frame_event){.kind = FRAME_MORE};
    }
    return frame_nothing();
}

bool frame_reader_idle(const struct frame_reader *reader)
{
    return !reader->failed && !reader->in_frame && reader->taken == 0 &&
           reader->waiting.length == 0 && partial_message_is_none(&reader->message);
}
