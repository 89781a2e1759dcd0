/* output.c: queues a session's packets, and gives them to the polls that fetch them. */
#include "transport/polling/output.h"

#include "base/base64.h"
#include "transport/shared/frame.h"
#include "transport/shared/queue_limit.h"

/* --- the queue ------------------------------------------------------------------------------- */

bool polling_is_full(const struct polling *polling, size_t more)
{
    return queue_limit_is_exceeded(polling->loop, polling_options(polling), &polling->queue,
                                   output_queue_bytes(&polling->queue) + more);
}

bool polling_push_frames(struct polling *polling, struct frames *frames)
{
    size_t bytes = output_queue_bytes(&polling->queue);

    if (!output_queue_push(&polling->queue, polling_memory(polling), frames))
        return false;
    queue_sums_update(polling->loop, &polling->queue, bytes);
    polling_offer(polling);
    return true;
}

void polling_push(struct polling *polling, const char *packet, size_t length)
{
    struct frames *frames = frames_new(polling_memory(polling), FRAME_HEADER_MAX + length);
    uint8_t size;

    if (frames == NULL) {
        polling_doom(polling);
        return;
    }
    frames->is_own = true;
    size = frame_write_header(frames_end(frames), WSLAY_TEXT_FRAME, length);
    memcpy(frames_end(frames) + size, packet, length);
    frames_add(frames, size + length);
    if (!polling_push_frames(polling, frames)) {
        frames_unref(frames);
        polling_doom(polling);
    }
}

bool polling_has_output(const struct polling *polling)
{
    return output_queue_count(&polling->queue) > 0 || polling->is_probed;
}

void polling_drop_output(struct polling *polling)
{
    size_t bytes = output_queue_bytes(&polling->queue);

    output_queue_drop_rest(&polling->queue);
    queue_sums_update(polling->loop, &polling->queue, bytes);
}

/* --- responses ------------------------------------------------------------------------------- */

/* Adds the packets that are framed for a WebSocket. */
static void add_packets(struct buffer *payload, const uint8_t *from, size_t length)
{
    const uint8_t *end = from + length;

    while (from < end) {
        struct frame_size size = frame_read_size(from);
        bool is_binary = (*from & 0xf) == WSLAY_BINARY_FRAME;

        if (payload->length > 0)
            buffer_add_text(payload, "\x1e");
        if (is_binary) {
            buffer_add_text(payload, "b");
            base64_add(payload, from + size.header, size.payload);
        } else {
            buffer_add(payload, from + size.header, size.payload);
        }
        from += size.header + size.payload;
    }
}

/* The application learns in the next turn that the queue is at its low mark: this may be a call of
 * the host that must not call it. */
static void note_low_mark(struct polling *polling)
{
    if (!polling->queue_high ||
        output_queue_bytes(&polling->queue) > polling_options(polling)->queue_low_bytes)
        return;
    polling->queue_high = false;
    polling->is_writable = true;
    polling_later(polling);
}

/* A pong is not due before the client has the ping. */
static void note_ping_sent(struct polling *polling)
{
    if (polling->ping != POLLING_PING_QUEUED || polling->state != POLLING_OPEN)
        return;
    if (output_queue_count(&polling->queue) == 0)
        polling->ping = POLLING_PING_SENT;
    polling->ping_ms = (uint32_t)polling->loop->timers.now_ms;
    timer_start(&polling->loop->timers, &polling->heartbeat,
                polling_options(polling)->pong_timeout_ms);
}

void polling_take_packets(struct polling *polling, struct buffer *payload)
{
    size_t most = polling_options(polling)->max_message_bytes;
    size_t bytes = output_queue_bytes(&polling->queue);
    struct iovec piece;

    while (output_queue_peek(&polling->queue, &piece, 1) > 0 &&
           (payload->length == 0 || payload->length + piece.iov_len <= most)) {
        add_packets(payload, piece.iov_base, piece.iov_len);
        output_queue_written(&polling->queue, polling_memory(polling), piece.iov_len);
    }
    queue_sums_update(polling->loop, &polling->queue, bytes);
    transport_prepared(polling->loop, (uint32_t)(payload->length / INPUT_BYTES_PER_UNIT));
    note_low_mark(polling);
    note_ping_sent(polling);
}

void polling_respond(struct polling *polling)
{
    struct ticket *poll = polling->poll;

    polling->poll = NULL;
    ticket_note_unread(poll, &polling->unread);
    polling_take_packets(polling, &poll->body.bytes);
    if (poll->body.bytes.length == 0)
        buffer_add_text(&poll->body.bytes, "6");
    if (poll->body.bytes.failed)
        polling_doom(polling);
    ticket_finish(polling->loop, poll, poll->body.bytes.failed ? 503 : 200,
                  POLLING_BAD_REQUEST);
}

void polling_offer(struct polling *polling)
{
    const struct ticket *poll = polling->poll;

    if (poll == NULL || !polling_has_output(polling))
        return;
    if (poll->origin != polling->loop->number)
        polling_respond(polling);
    else if (poll->http != NULL)
        loop_list_output(polling->loop, OUTPUT_HTTP, &poll->http->output);
}
