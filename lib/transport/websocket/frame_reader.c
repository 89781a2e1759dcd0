/* frame_reader.c: a client's frames and messages out of bytes in any chunks, parsed by wslay. */
#include "transport/websocket/frame_reader.h"

#include <stddef.h>
#include <string.h>

#include "base/close_code.h"
#include "base/utf8.h"
#include "transport/websocket/floods.h"
#include "transport/websocket/frame.h"
#include "transport/websocket/inflate.h"
#include "transport/websocket/loop_part.h"

enum {
    POOL_MAX = 64,          /* readers kept for a loop */
    KEPT_BYTES = 64 * 1024, /* of a pooled reader's message buffer */
    INPUT_MIN = 512,        /* of its input buffer, and what is kept of it */
    COST_AT_ONCE = 256,     /* of pieces that bring no event; one goes beyond it */
    NO_MESSAGE = 0xff       /* as message_opcode: none is unfinished */
};

struct frame_reader {
    struct frame_reader *next; /* in the pool */
    ws_loop *loop;
    const ws_allocator *memory;
    wslay_frame_context_ptr wslay;

    void *owner;
    struct input input; /* listed while bytes wait */
    uint8_t *waiting;   /* bytes that wslay has not taken yet begin at waiting_at */
    size_t waiting_at;
    size_t waiting_length; /* of them */
    size_t waiting_capacity;
    uint32_t cost;
    uint64_t taken; /* bytes that wslay took beyond the frames that it told of */

    bool failed; /* FRAME_ERROR was told: the rest is of no interest (RFC 6455 §7.1.7) */
    bool in_frame;
    uint8_t opcode;      /* of the frame */
    bool fin;            /* of the frame */
    uint64_t frame_left; /* payload bytes still to come */

    uint8_t message_opcode; /* of the unfinished message, NO_MESSAGE: none */
    uint32_t fragments;
    uint64_t received;         /* payload bytes of the message, as they came */
    struct inflater *inflater; /* of a compressed message, until it was told and used */
    bool compressed;           /* the unfinished message is */
    struct utf8_state utf8;
    uint8_t *message;
    size_t message_length;
    size_t message_capacity;

    uint8_t control[FRAME_CONTROL_MAX];
    size_t control_length;
};

/* --- the pool -------------------------------------------------------------------------------- */

static void free_reader(struct frame_reader *reader)
{
    loop_part_give_inflater(reader->loop, reader->inflater);
    wslay_frame_context_free(reader->wslay);
    memory_free(reader->memory, reader->waiting);
    memory_free(reader->memory, reader->message);
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
    if (reader->waiting_length == 0)
        return -1;
    if (length > reader->waiting_length)
        length = reader->waiting_length;
    memcpy(to, reader->waiting + reader->waiting_at, length);
    reader->waiting_at += length;
    reader->waiting_length -= length;
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
    reader->loop = loop;
    reader->memory = memory;
    reader->message_opcode = NO_MESSAGE;
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

/* A compressed message that was told has been used by now. */
static void drop_used_message(struct frame_reader *reader)
{
    if (reader->message_opcode == NO_MESSAGE && reader->inflater != NULL) {
        loop_part_give_inflater(reader->loop, reader->inflater);
        reader->inflater = NULL;
    }
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
    drop_used_message(reader);
    if (reader->message_capacity > KEPT_BYTES) {
        memory_free(reader->memory, reader->message);
        reader->message = NULL;
        reader->message_capacity = 0;
    }
    if (reader->waiting_capacity > INPUT_MIN) {
        memory_free(reader->memory, reader->waiting);
        reader->waiting = NULL;
        reader->waiting_capacity = 0;
    }
    reader->input = (struct input){0};
    reader->cost = 0;
    reader->next = part->readers;
    part->readers = reader;
    part->n_readers++;
}

/* --- rules ----------------------------------------------------------------------------------- */

static struct frame_event nothing(void)
{
    return (struct frame_event){.kind = FRAME_NOTHING};
}

static struct frame_event fail(struct frame_reader *reader, uint16_t code, const char *text)
{
    reader->failed = true;
    return (struct frame_event){.kind = FRAME_ERROR, .code = code, .text = text};
}

/* How many bytes may come for a message of at most `bytes`: what can't be compressed becomes a
 * little longer, by 5 bytes for each block, which a window of 2^9 makes as small as 512 bytes. */
static uint64_t most_compressed(uint32_t bytes)
{
    return (uint64_t)bytes + bytes / 32 + 64;
}

/* Of a whole message, as it comes. */
static uint64_t most_bytes(const struct frame_reader *reader,
                           const struct wslay_frame_iocb *frame,
                           const struct frame_limits *limits)
{
    bool compressed = frame->opcode == WSLAY_CONTINUATION_FRAME ? reader->compressed
                                                                : frame->rsv != WSLAY_RSV_NONE;

    return compressed ? most_compressed(limits->max_message_bytes) : limits->max_message_bytes;
}

/* How many frames the message's bytes pay for, this frame's among them, and what came out of those
 * before it: a client may compress each piece for itself. */
static uint64_t paid_frames(const struct frame_reader *reader,
                            const struct wslay_frame_iocb *frame)
{
    size_t inflated = 0;

    if (reader->inflater != NULL)
        inflater_output(reader->inflater, &inflated);
    return (reader->received + frame->payload_length + inflated) / FRAME_PAID_BYTES;
}

static bool is_one_too_many(const struct frame_reader *reader,
                            const struct wslay_frame_iocb *frame,
                            const struct frame_limits *limits)
{
    return limits->max_fragments > 0 && reader->fragments >= limits->max_fragments &&
           reader->fragments >= paid_frames(reader, frame);
}

/* A frame that costs as much as a message and brings none: an empty one, or one by which a message
 * has more frames behind its first than its bytes pay for. A message that had gone on before the
 * limit was reached may do so to its end, if that is bounded. */
static bool is_flood(const struct frame_reader *reader, const struct wslay_frame_iocb *frame,
                     const struct frame_limits *limits)
{
    struct flood_counts *counts;

    if (limits->max_continuation_frames == 0 ||
        (frame->opcode == WSLAY_CONTINUATION_FRAME
             ? reader->fragments <= paid_frames(reader, frame)
             : frame->payload_length > 0))
        return false;
    counts = limits->counts(limits->client);
    if (counts == NULL)
        return false;
    if (counts->continuation_frames >= limits->max_continuation_frames)
        return reader->fragments < 2 || limits->max_fragments == 0;
    counts->continuation_frames++;
    return false;
}

/* What RFC 6455 §5 demands of a frame's header, beyond what wslay has checked: the shortest
 * form of the length, and control frames that are whole and of at most 125 bytes. */
static struct frame_event check_frame(struct frame_reader *reader,
                                      const struct wslay_frame_iocb *frame,
                                      const struct frame_limits *limits)
{
    if (!frame->mask)
        return fail(reader, 1002, "frames must be masked"); /* §5.1 */
    /* §5.2; RFC 7692 §6: only the first frame of a message says that it is compressed. */
    if (frame->rsv != WSLAY_RSV_NONE &&
        (frame->rsv != WSLAY_RSV1_BIT || !limits->deflate ||
         (frame->opcode != WSLAY_TEXT_FRAME && frame->opcode != WSLAY_BINARY_FRAME)))
        return fail(reader, 1002, "reserved bit without an extension");
    switch (frame->opcode) {
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
        return nothing();
    case WSLAY_TEXT_FRAME:
    case WSLAY_BINARY_FRAME:
        if (reader->message_opcode != NO_MESSAGE)
            return fail(reader, 1002, "new message within another"); /* §5.4 */
        break;
    case WSLAY_CONTINUATION_FRAME:
        if (reader->message_opcode == NO_MESSAGE)
            return fail(reader, 1002, "nothing to continue"); /* §5.4 */
        break;
    default:
        return fail(reader, 1002, "reserved opcode"); /* §5.2 */
    }
    if (frame->payload_length > most_bytes(reader, frame, limits) - reader->received)
        return fail(reader, 1009, "message too big"); /* §7.4.1 */
    if (is_one_too_many(reader, frame, limits))
        return fail(reader, 1009, "too many fragments");
    if (is_flood(reader, frame, limits))
        return fail(reader, 1008, "too many continuation or empty frames");
    return nothing();
}

static void begin_frame(struct frame_reader *reader, const struct wslay_frame_iocb *frame)
{
    size_t extended = frame->payload_length < 126           ? 0
                      : frame->payload_length <= UINT16_MAX ? 2
                                                            : 8;

    reader->taken -= 2 + extended + 4; /* the mask, which check_frame() demands */
    reader->opcode = frame->opcode;
    reader->fin = frame->fin;
    reader->frame_left = frame->payload_length;
    reader->control_length = 0;
}

/* False if memory ran out. */
static bool begin_message_frame(struct frame_reader *reader,
                                const struct wslay_frame_iocb *frame)
{
    if (reader->opcode != WSLAY_CONTINUATION_FRAME) {
        reader->message_opcode = reader->opcode;
        reader->utf8 = (struct utf8_state){0};
        reader->compressed = frame->rsv != WSLAY_RSV_NONE;
        if (reader->compressed)
            reader->inflater = loop_part_take_inflater(reader->loop);
    }
    reader->fragments++;
    reader->received += frame->payload_length;
    return !reader->compressed || reader->inflater != NULL;
}

static bool append(struct frame_reader *reader, const uint8_t *data, size_t length)
{
    size_t needed = reader->message_length + length;
    size_t capacity = reader->message_capacity < 1024 ? 1024 : reader->message_capacity;

    if (length == 0)
        return true;
    while (capacity < needed)
        capacity *= 2;
    if (capacity != reader->message_capacity) {
        uint8_t *message = memory_realloc(reader->memory, reader->message, capacity);

        if (message == NULL)
            return false;
        reader->message = message;
        reader->message_capacity = capacity;
    }
    memcpy(reader->message + reader->message_length, data, length);
    reader->message_length = needed;
    return true;
}

/* Whatever was told of it stays valid until the next call. */
static void end_message(struct frame_reader *reader)
{
    reader->message_opcode = NO_MESSAGE;
    reader->message_length = 0;
    reader->fragments = 0;
    reader->received = 0;
}

static struct frame_event fail_without_memory(struct frame_reader *reader)
{
    reader->failed = true;
    return (struct frame_event){.kind = FRAME_NO_MEMORY};
}

static struct frame_event fail_inflating(struct frame_reader *reader,
                                         enum inflate_result result)
{
    switch (result) {
    case INFLATE_TOO_BIG:
        return fail(reader, 1009, "message too big");
    case INFLATE_NO_MEMORY:
        return fail_without_memory(reader);
    default:
        return fail(reader, 1007, "the compressed data is corrupt");
    }
}

/* The inflater keeps the message until the next call. */
static struct frame_event take_compressed_piece(struct frame_reader *reader,
                                                const uint8_t *data, size_t length,
                                                bool complete, uint32_t max_bytes)
{
    struct frame_event event = {.kind = FRAME_MESSAGE,
                                .is_text = reader->message_opcode == WSLAY_TEXT_FRAME};
    enum inflate_result result;
    size_t before;

    inflater_output(reader->inflater, &before);
    result = inflater_feed(reader->inflater, data, length, max_bytes);
    if (result == INFLATE_OK && complete)
        result = inflater_finish(reader->inflater, max_bytes);
    event.data = inflater_output(reader->inflater, &event.length);
    reader->cost += (uint32_t)((event.length - before) / INPUT_BYTES_PER_UNIT);
    reader->cost += INPUT_COST_BLOCK * inflater_take_blocks(reader->inflater);
    if (result != INFLATE_OK)
        return fail_inflating(reader, result);
    if (!complete)
        return nothing();
    if (event.is_text && !utf8_valid(event.data, event.length))
        return fail(reader, 1007, "text is not UTF-8");
    end_message(reader);
    return event;
}

/* A message that one piece holds whole is told from where wslay keeps it, without a copy. */
static struct frame_event take_plain_piece(struct frame_reader *reader, const uint8_t *data,
                                           size_t length, bool complete)
{
    bool is_text = reader->message_opcode == WSLAY_TEXT_FRAME;
    struct frame_event event = {.kind = FRAME_MESSAGE, .is_text = is_text};

    if (is_text && !utf8_feed(&reader->utf8, data, length))
        return fail(reader, 1007, "text is not UTF-8"); /* §8.1 */
    if (complete && is_text && !utf8_complete(&reader->utf8))
        return fail(reader, 1007, "text is not UTF-8");
    if (complete && reader->message_length == 0) {
        event.data = data;
        event.length = length;
    } else if (!append(reader, data, length)) {
        return fail_without_memory(reader);
    } else {
        event.data = reader->message;
        event.length = reader->message_length;
    }
    if (!complete)
        return nothing();
    end_message(reader);
    return event;
}

static struct frame_event take_message_piece(struct frame_reader *reader, const uint8_t *data,
                                             size_t length, uint32_t max_bytes)
{
    bool complete = reader->frame_left == 0 && reader->fin;

    return reader->compressed ? take_compressed_piece(reader, data, length, complete, max_bytes)
                              : take_plain_piece(reader, data, length, complete);
}

static struct frame_event read_close(struct frame_reader *reader)
{
    struct frame_event event = {.kind = FRAME_CLOSE, .code = 1005};

    if (reader->control_length == 1)
        return fail(reader, 1002, "close code of one byte"); /* §5.5.1 */
    if (reader->control_length == 0)
        return event;
    event.code = (uint16_t)(reader->control[0] << 8 | reader->control[1]);
    event.data = reader->control + 2;
    event.length = reader->control_length - 2;
    if (!close_code_valid(event.code))
        return fail(reader, 1002, "close code not allowed"); /* §7.4 */
    if (!utf8_valid(event.data, event.length))
        return fail(reader, 1007, "close reason is not UTF-8"); /* §5.5.1 */
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
        return nothing();
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
        struct frame_event event = check_frame(reader, frame, limits);

        if (event.kind != FRAME_NOTHING)
            return event;
        begin_frame(reader, frame);
        if (!is_control && !begin_message_frame(reader, frame))
            return fail_without_memory(reader);
    }
    reader->taken -= frame->data_length;
    reader->frame_left -= frame->data_length;
    reader->in_frame = reader->frame_left > 0;
    return is_control ? take_control_piece(reader, frame->data, frame->data_length)
                      : take_message_piece(reader, frame->data, frame->data_length,
                                           limits->max_message_bytes);
}

/* --- the bytes that wait --------------------------------------------------------------------- */

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

/* A block of the right size is made for what a host reads at once, and given back with the reader:
 * for 40 clients that send as fast as they can that is what they sent and no more. What comes in
 * small pieces doubles it. */
static bool reserve_waiting(struct frame_reader *reader, size_t length)
{
    size_t needed = reader->waiting_length + length;
    uint8_t *waiting;

    if (reader->waiting_length > 0 && reader->waiting_at > 0)
        memmove(reader->waiting, reader->waiting + reader->waiting_at, reader->waiting_length);
    reader->waiting_at = 0;
    if (needed <= reader->waiting_capacity)
        return true;
    if (needed < INPUT_MIN)
        needed = INPUT_MIN;
    if (reader->waiting_length > 0 && needed < 2 * reader->waiting_capacity)
        needed = 2 * reader->waiting_capacity;
    waiting = memory_realloc(reader->memory, reader->waiting, needed);
    if (waiting == NULL)
        return false;
    reader->waiting = waiting;
    reader->waiting_capacity = needed;
    return true;
}

bool frame_reader_add(struct frame_reader *reader, const void *data, size_t length)
{
    if (!reserve_waiting(reader, length))
        return false;
    memcpy(reader->waiting + reader->waiting_length, data, length);
    reader->waiting_length += length;
    return true;
}

size_t frame_reader_waiting(const struct frame_reader *reader)
{
    return reader->waiting_length;
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
    drop_used_message(reader);
    while (!reader->failed) {
        struct wslay_frame_iocb frame;
        struct frame_event event;
        ssize_t result;

        memset(&frame, 0, sizeof frame);
        result = wslay_frame_recv(reader->wslay, &frame);
        if (result == WSLAY_ERR_WANT_READ)
            return nothing();
        if (result < 0)
            return fail(reader, 1002, "malformed frame header");
        reader->cost++;
        event = take_frame(reader, &frame, limits);
        if (event.kind != FRAME_NOTHING)
            return event;
        if (reader->cost >= COST_AT_ONCE)
            return (struct frame_event){.kind = FRAME_MORE};
    }
    return nothing();
}

bool frame_reader_idle(const struct frame_reader *reader)
{
    return !reader->failed && !reader->in_frame && reader->taken == 0 &&
           reader->waiting_length == 0 && reader->message_opcode == NO_MESSAGE;
}
