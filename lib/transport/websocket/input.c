/* input.c: processes a client's frames, a fair share of a turn at a time. */
#include "transport/websocket/input.h"

#include <string.h>

#include "transport/shared/frame.h"
#include "transport/shared/unfinished.h"
#include "transport/websocket/closing.h"
#include "transport/websocket/floods.h"
#include "transport/websocket/loop_part.h"
#include "transport/websocket/output.h"

/* --- frames ---------------------------------------------------------------------------------- */

static void answer_ping(ws_websocket *websocket, const struct frame_event *event)
{
    uint8_t frame[FRAME_HEADER_MAX + FRAME_CONTROL_MAX];
    size_t at = frame_write_header(frame, WSLAY_PONG, event->length);

    if (event->length > 0)
        memcpy(frame + at, event->data, event->length);
    /* Pongs for a client that reads nothing are dropped when the queue is full (RFC 6455 §5.5.3
     * allows leaving some out). */
    if (!websocket_is_full(websocket))
        websocket_push(websocket, frame, at + event->length);
}

static void receive_close(ws_websocket *websocket, const struct frame_event *event)
{
    if (websocket->state == WEBSOCKET_CLOSING)
        websocket_become(websocket, WEBSOCKET_CLOSED);
    else
        websocket_finish(websocket, event->code, event->data, event->length,
                         WEBSOCKET_PEER_CLOSED);
}

/* Fails the connection (RFC 6455 §7.1.7). WS_CLOSE_POLICY_VIOLATION is used only for floods of
 * frames. */
void websocket_fail(ws_websocket *websocket, uint16_t code, const char *text)
{
    counter_add(&websocket_loop(websocket)->counters, COUNTER_protocol_errors, 1);
    if (code == WS_CLOSE_POLICY_VIOLATION)
        counter_add(&websocket_loop(websocket)->counters, COUNTER_frame_floods, 1);
    if (websocket->state == WEBSOCKET_CLOSING)
        websocket_become(websocket, WEBSOCKET_CLOSED);
    else
        websocket_finish(websocket, code, text, strlen(text), WEBSOCKET_FAILED);
}

/* The client's frame counts of this second; NULL if memory ran out, which does not end the
 * connection. */
static struct flood_counts *flood_counts(void *client)
{
    ws_websocket *websocket = client;
    ws_loop *loop = websocket_loop(websocket);

    return floods_of(&loop_part_of(loop)->floods, &loop->manager->memory, websocket,
                     &websocket->flood_place, loop->timers.now_ms);
}

/* Counts a control frame; true if there are too many. A frame without payload costs as much as
 * a small message. */
static bool is_control_flood(ws_websocket *websocket)
{
    uint32_t most = websocket->endpoint->options.max_control_frames;
    struct flood_counts *counts = most > 0 ? flood_counts(websocket) : NULL;

    return counts != NULL && counts->control_frames++ >= most;
}

static void receive_ping_or_pong(ws_websocket *websocket, const struct frame_event *event)
{
    if (websocket->state != WEBSOCKET_OPEN)
        return;
    if (is_control_flood(websocket))
        websocket_fail(websocket, WS_CLOSE_POLICY_VIOLATION, "too many control frames");
    else if (event->kind == FRAME_PING)
        answer_ping(websocket, event);
}

/* Hands a message to the session; the reason of its end is the session's. */
static uint32_t receive_for_session(ws_websocket *websocket, const struct frame_event *event)
{
    struct engineio_verdict verdict;
    uint32_t cost = engineio_session_received(websocket_session(websocket), event->data,
                                              event->length, event->is_text, &verdict);

    if (verdict.code == WS_CLOSE_NORMAL && websocket->state == WEBSOCKET_OPEN)
        websocket_finish(websocket, verdict.code, NULL, 0, WEBSOCKET_FAILED);
    else if (verdict.code != 0 && websocket_is_reading(websocket))
        websocket_fail(websocket, verdict.code, verdict.text);
    return cost;
}

/* Handles one event; returns its cost, without that of its bytes. */
static uint32_t handle_event(ws_websocket *websocket, const struct frame_event *event)
{
    switch (event->kind) {
    case FRAME_MESSAGE:
        if (websocket->state != WEBSOCKET_OPEN || !websocket->registered)
            break;
        /* The session may end what is unfinished, which frees readers, but never this one. */
        frame_reader_count_complete(websocket_loop(websocket), websocket->reader);
        if (websocket_session(websocket) != NULL)
            return receive_for_session(websocket, event);
        return transport_received(&websocket->connection, event->data, event->length,
                                  event->is_text);
    case FRAME_PING:
    case FRAME_PONG:
        receive_ping_or_pong(websocket, event);
        return INPUT_COST_CONTROL_FRAME;
    case FRAME_CLOSE:
        receive_close(websocket, event);
        break;
    case FRAME_ERROR:
        websocket_fail(websocket, event->code, event->text);
        break;
    case FRAME_NO_MEMORY:
        websocket_fail(websocket, WS_CLOSE_INTERNAL_ERROR, "out of memory");
        break;
    case FRAME_NOTHING:
    case FRAME_MORE:
    case FRAME_WAITS:
        break;
    }
    return 0;
}

/* Notes that the peer is alive: any byte counts as a pong. */
static void note_alive(ws_websocket *websocket)
{
    if (websocket->ping == PING_NONE || websocket->state != WEBSOCKET_OPEN)
        return;
    websocket->ping = PING_NONE;
    websocket_start_timer(websocket);
}

/* --- turns ----------------------------------------------------------------------------------- */

/* The reader, which exists between the handshake and the end while bytes wait or a frame is
 * unfinished; else NULL. */
static struct frame_reader *reader_of(const ws_websocket *websocket)
{
    return websocket->state == WEBSOCKET_HEAD ? NULL : websocket->reader;
}

static void give_back_reader(ws_websocket *websocket)
{
    frame_reader_give_back(websocket_loop(websocket), websocket->reader);
    websocket->reader = NULL;
}

static void end_of_input(ws_websocket *websocket)
{
    switch ((enum websocket_state)websocket->state) {
    case WEBSOCKET_OPEN:
        websocket_finish(websocket, WS_CLOSE_ABNORMAL, NULL, 0, WEBSOCKET_EOF);
        break;
    case WEBSOCKET_FAILED:
        websocket_become(websocket, WEBSOCKET_EOF);
        break;
    case WEBSOCKET_HANDSHAKE:
    case WEBSOCKET_HEAD:
    case WEBSOCKET_JUDGED:
        websocket_abort(websocket);
        break;
    case WEBSOCKET_CLOSING:
        websocket_close_for_good(websocket);
        break;
    case WEBSOCKET_PEER_CLOSED:
    case WEBSOCKET_EOF:
    case WEBSOCKET_CLOSED:
    case WEBSOCKET_ABORTED:
    case WEBSOCKET_FREED:
    case WEBSOCKET_EMPTIED:
        break;
    }
}

/* Lets the host, which was asked to stop reading, continue if there is room. */
static void resume_reading(ws_websocket *websocket)
{
    if (websocket->reading != READING_PAUSED || websocket_input_is_full(websocket))
        return;
    websocket->reading = READING_RESUMED;
    loop_list_output(websocket_loop(websocket), OUTPUT_WEBSOCKET, &websocket->output);
}

/* Its message gives way to those of others. */
static void end_unfinished(void *owner)
{
    ws_websocket *websocket = owner;

    websocket_enter(websocket);
    if (websocket_is_reading(websocket))
        websocket_fail(websocket, WS_CLOSE_TRY_AGAIN_LATER, UNFINISHED_TOO_MANY);
    give_back_reader(websocket);
    websocket_leave(websocket);
}

/* Bounds the memory of what all clients of the loop have not completed: ends a connection, maybe
 * this one. */
static void note_unfinished(ws_websocket *websocket, bool is_over)
{
    const ws_loop *loop = websocket_loop(websocket);
    struct unfinished *own = frame_reader_count_unfinished(loop, websocket->reader, is_over);
    const struct unfinished *ending;

    own->give_way = end_unfinished;
    ending = unfinished_excess(loop, websocket->endpoint->options.max_message_bytes);
    if (ending != NULL)
        ending->give_way(ending->owner);
}

/* Decides what follows after frames were processed, or could not be now. */
static void after_frames(ws_websocket *websocket, bool has_more)
{
    struct frame_reader *reader = websocket->reader;
    bool is_over = !has_more && frame_reader_idle(reader);

    if (websocket_is_reading(websocket))
        note_unfinished(websocket, is_over);
    if (!websocket_is_reading(websocket)) {
        give_back_reader(websocket);
    } else if (has_more) {
        input_list_add(&websocket_loop(websocket)->inputs, frame_reader_input(reader));
    } else {
        if (is_over)
            give_back_reader(websocket);
        if (websocket->eof)
            end_of_input(websocket);
    }
    if (websocket->state >= WEBSOCKET_FREED)
        return;
    resume_reading(websocket);
    /* The peer's close, which was awaited, leaves nothing to write: the host learns of the end
     * from the output list. */
    if (ws_websocket_ended(websocket))
        loop_list_output(websocket_loop(websocket), OUTPUT_WEBSOCKET, &websocket->output);
}

static void wait_for_client(ws_websocket *websocket, struct input *input)
{
    if (websocket_session(websocket) != NULL)
        engineio_session_wait(websocket_session(websocket), 0, input);
    else
        input_wait(websocket_loop(websocket), input, &websocket->connection);
    if (input->held)
        note_unfinished(websocket, false);
}

static uint32_t serve(ws_loop *loop, struct input *input)
{
    ws_websocket *websocket = frame_reader_owner(input);
    const struct frame_limits limits = {
        .max_message_bytes = websocket->endpoint->options.max_message_bytes,
        .max_fragments = websocket->endpoint->options.max_fragments,
        .max_continuation_frames = websocket->endpoint->options.max_continuation_frames,
        .counts = flood_counts,
        .client = websocket,
        .deflate = websocket->window_bits > 0,
    };
    bool has_more = true;
    bool waits = false;
    uint32_t cost = 0;

    if (websocket_must_wait(websocket)) {
        wait_for_client(websocket, input);
        return 0;
    }
    websocket_enter(websocket);
    input->served = true;
    while (has_more && !waits && websocket_is_reading(websocket) &&
           !websocket_must_wait(websocket) && input_may_go_on(loop, input)) {
        struct frame_event event;
        uint32_t parsing;

        frame_reader_next(websocket->reader, &limits, &event);
        parsing = frame_reader_cost(websocket->reader);
        input_charge(loop, input, parsing + handle_event(websocket, &event), &cost);
        has_more = event.kind != FRAME_NOTHING;
        waits = event.kind == FRAME_WAITS;
    }
    input->served = false;
    after_frames(websocket, has_more);
    websocket_leave(websocket);
    return cost > 0 ? cost : 1;
}

static bool is_full(const struct frame_reader *reader)
{
    return frame_reader_waiting(reader) >= INPUT_HIGH_BYTES;
}

bool websocket_input_is_full(const ws_websocket *websocket)
{
    const struct frame_reader *reader = reader_of(websocket);

    return reader != NULL && is_full(reader);
}

void websocket_input_add(ws_websocket *websocket, const void *data, size_t length)
{
    struct frame_reader *reader;
    struct input *input;

    if (!websocket_is_reading(websocket) || websocket->eof)
        return;
    note_alive(websocket);
    if (websocket->reader == NULL)
        websocket->reader = frame_reader_take(websocket_loop(websocket), websocket);
    reader = websocket->reader;
    if (reader == NULL || !frame_reader_add(reader, data, length)) {
        websocket_fail(websocket, WS_CLOSE_INTERNAL_ERROR, "out of memory");
        return;
    }
    if (is_full(reader))
        websocket->reading = READING_PAUSED;
    else if (websocket->reading == READING_PAUSED)
        websocket->reading = READING_ON;
    input = frame_reader_input(reader);
    input->serve = serve;
    input_list_add(&websocket_loop(websocket)->inputs, input);
    if (input->held)
        note_unfinished(websocket, false);
}

void websocket_input_eof(ws_websocket *websocket)
{
    struct frame_reader *reader = reader_of(websocket);

    websocket->eof = true;
    /* Bytes that wait are processed before the end, also if a callback for a part of them calls
     * this. */
    if (reader == NULL || !websocket_is_reading(websocket) ||
        !(frame_reader_input(reader)->listed || frame_reader_input(reader)->served))
        end_of_input(websocket);
}

int ws_websocket_wants_read(const ws_websocket *websocket)
{
    return websocket != NULL && !websocket->eof && !websocket_input_is_full(websocket) &&
           (websocket->state < WEBSOCKET_OPEN || websocket_is_reading(websocket));
}
