/* frame_reader.c: reads a client's frames and messages from bytes in chunks of any size, parsed
 * by wslay. */
#include "transport/websocket/frame_reader.h"

#include <stddef.h>
#include <string.h>

#include "base/close_code.h"
#include "base/utf8.h"
#include "transport/shared/frame.h"
#include "transport/shared/unfinished.h"
#include "transport/websocket/loop_part.h"
#include "transport/websocket/waiting_bytes.h"

enum {
    POOL_MAX = 64,      /* readers kept in each loop's pool */
    COST_AT_ONCE = 256, /* of pieces without an event; one piece may exceed it */
};

struct frame_reader {
    struct frame_reader *next; /* in the pool */
    struct unfinished unfinished;
    const ws_allocator *memory;
    wslay_frame_context_ptr wslay;

    struct input input; /* listed while bytes are unparsed */
    struct waiting_bytes waiting;
    uint32_t cost;
    int64_t taken; /* bytes that wslay took beyond the frames that began, or lacks for them */

    bool failed;         /* after FRAME_ERROR: the rest is ignored (RFC 6455 §7.1.7) */
    uint64_t frame_left; /* payload bytes of an unfinished frame still to come */
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
    reader->taken += (int64_t)length;
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
        reader->unfinished.owner = owner;
    return reader;
}

/* Between messages no buffer is kept, unless the reader goes to the pool: a client may leave a
 * frame unfinished behind a message, even a pong of which one byte has come, or its next message
 * may have to wait. */
static void free_unneeded(struct frame_reader *reader)
{
    if (partial_message_is_none(&reader->message))
        partial_message_free_bytes(&reader->message);
    if (reader->waiting.length == 0)
        waiting_bytes_trim(&reader->waiting, reader->memory);
}

struct unfinished *frame_reader_count_unfinished(const ws_loop *loop,
                                                 struct frame_reader *reader, bool is_over)
{
    size_t bytes = 0;

    partial_message_drop_used(&reader->message);
    if (!is_over) {
        free_unneeded(reader);
        bytes = reader->message.capacity;
    }
    if (reader->input.held && reader->waiting.length > 0)
        bytes += reader->waiting.capacity;
    unfinished_count(loop, &reader->unfinished, bytes);
    return &reader->unfinished;
}

void frame_reader_count_complete(const ws_loop *loop, struct frame_reader *reader)
{
    unfinished_count(loop, &reader->unfinished, 0);
}

void frame_reader_give_back(ws_loop *loop, struct frame_reader *reader)
{
    struct loop_part *part = loop_part_of(loop);

    if (reader == NULL)
        return;
    input_list_remove(&loop->inputs, &reader->input);
    unfinished_count(loop, &reader->unfinished, 0);
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
    reader->frame_left = frame->payload_length;
    if (wslay_is_ctrl_frame(frame->opcode))
        reader->control_length = 0;
    else
        partial_message_begin_frame(&reader->message, frame);
}

/* The bytes of a frame with a mask, which frame_rules_allow() requires. */
static uint64_t bytes_of(const struct wslay_frame_iocb *frame)
{
    size_t extended = frame->payload_length < 126           ? 0
                      : frame->payload_length <= UINT16_MAX ? 2
                                                            : 8;

    return 2 + extended + 4 + frame->payload_length;
}

static void read_close(struct frame_reader *reader, struct frame_event *event)
{
    event->kind = FRAME_CLOSE;
    event->code = WS_CLOSE_NO_STATUS;
    event->length = 0;
    if (reader->control_length == 0)
        return;
    if (reader->control_length == 1) { /* §5.5.1 */
        frame_event_error(event, WS_CLOSE_PROTOCOL_ERROR, "close code of one byte");
        return;
    }
    event->code = (uint16_t)(reader->control[0] << 8 | reader->control[1]);
    event->data = reader->control + 2;
    event->length = reader->control_length - 2;
    if (!close_code_valid(event->code)) /* §7.4 */
        frame_event_error(event, WS_CLOSE_PROTOCOL_ERROR, "close code not allowed");
    else if (!utf8_valid(event->data, event->length)) /* §5.5.1 */
        frame_event_error(event, WS_CLOSE_INVALID_DATA, "close reason is not UTF-8");
}

static void take_control_piece(struct frame_reader *reader,
                               const struct wslay_frame_iocb *frame, struct frame_event *event)
{
    if (frame->data_length > 0)
        memcpy(reader->control + reader->control_length, frame->data, frame->data_length);
    reader->control_length += frame->data_length;
    if (reader->frame_left > 0)
        return;
    if (frame->opcode == WSLAY_CONNECTION_CLOSE) {
        read_close(reader, event);
        return;
    }
    event->kind = frame->opcode == WSLAY_PING ? FRAME_PING : FRAME_PONG;
    event->data = reader->control;
    event->length = reader->control_length;
}

static void take_piece(struct frame_reader *reader, const struct wslay_frame_iocb *piece,
                       const struct frame_limits *limits, struct frame_event *event)
{
    struct partial_message *message = &reader->message;
    bool complete;

    reader->frame_left -= piece->data_length;
    complete = reader->frame_left == 0 && piece->fin;
    if (wslay_is_ctrl_frame(piece->opcode))
        take_control_piece(reader, piece, event);
    else if (message->compressed)
        reader->cost += partial_message_add_compressed(message, piece, complete,
                                                       limits->max_message_bytes, event);
    else
        partial_message_add(message, piece, complete, event);
}

/* Takes a frame, as much of it as has arrived, or the next piece of one that has begun. */
static void take_frame(struct frame_reader *reader, const struct wslay_frame_iocb *frame,
                       const struct frame_limits *limits, struct frame_event *event)
{
    if (reader->frame_left == 0) {
        if (!frame_rules_allow(&reader->message, frame, limits, event))
            return;
        reader->taken -= (int64_t)bytes_of(frame);
        if (partial_message_is_whole(frame)) {
            partial_message_pass_whole(&reader->message, frame, event);
            return;
        }
        begin_frame(reader, frame);
    }
    take_piece(reader, frame, limits, event);
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

    return reader->unfinished.owner;
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

void frame_reader_next(struct frame_reader *reader, const struct frame_limits *limits,
                       struct frame_event *event)
{
    event->kind = FRAME_NOTHING;
    partial_message_drop_used(&reader->message);
    if (reader->failed)
        return;
    do {
        struct wslay_frame_iocb frame; /* set as a whole, unless the result is an error */
        ssize_t result;

        if (reader->message.is_received) {
            reader->cost +=
                1 + partial_message_inflate(&reader->message, limits->max_message_bytes, event);
            continue;
        }
        result = wslay_frame_recv(reader->wslay, &frame);
        if (result == WSLAY_ERR_WANT_READ)
            return;
        if (result < 0) {
            frame_event_error(event, WS_CLOSE_PROTOCOL_ERROR, "malformed frame header");
            break;
        }
        reader->cost++;
        take_frame(reader, &frame, limits, event);
    } while (event->kind == FRAME_NOTHING && reader->cost < COST_AT_ONCE);
    if (event->kind == FRAME_NOTHING)
        event->kind = FRAME_MORE;
    reader->failed = frame_event_is_failure(event);
}

bool frame_reader_idle(const struct frame_reader *reader)
{
    return !reader->failed && reader->frame_left == 0 && reader->taken == 0 &&
           reader->waiting.length == 0 && partial_message_is_none(&reader->message);
}
