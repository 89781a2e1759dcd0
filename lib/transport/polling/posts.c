/* posts.c: processes the packets that a client posts. */
#include "transport/polling/posts.h"

#include "base/utf8.h"
#include "transport/engineio/upgrade.h"
#include "transport/polling/life.h"

static void finish_post(struct polling *polling, int status)
{
    struct ticket *post = polling->post;

    polling->post = NULL;
    if (post != NULL)
        ticket_finish(polling->loop, post, status, POLLING_BAD_REQUEST);
}

/* A POST that waits gives way to what others have sent. */
static void give_way(void *owner)
{
    struct polling *polling = owner;

    polling_enter(polling);
    finish_post(polling, 503);
    polling_fail(polling, WS_CLOSE_TRY_AGAIN_LATER, UNFINISHED_TOO_MANY);
    polling_leave(polling);
}

/* Counts what waits until the session has carried it out. Others may end, or this session. */
static void count_waiting(struct polling *polling)
{
    struct http_body *body = &polling->post->body;
    const struct unfinished *ending;

    body->unfinished.owner = polling;
    body->unfinished.give_way = give_way;
    unfinished_count(polling->loop, &body->unfinished, body->bytes.capacity);
    ending = unfinished_excess(polling->loop, polling_options(polling)->max_message_bytes);
    if (ending != NULL)
        ending->give_way(ending->owner);
}

/* Goes on after a packet, as the session says. */
static void obey(struct polling *polling, const struct engineio_verdict *verdict)
{
    if (verdict->code == WS_CLOSE_NORMAL) {
        finish_post(polling, 200);
        polling_client_left(polling, verdict->code, "");
    } else if (verdict->code == WS_CLOSE_PROTOCOL_ERROR ||
               verdict->code == WS_CLOSE_MESSAGE_TOO_BIG) {
        finish_post(polling, 400);
        polling_client_left(polling, verdict->code, verdict->text);
    } else if (verdict->code != 0) {
        finish_post(polling, 400);
        polling_fail(polling, verdict->code, verdict->text);
    }
}

/* Processes the next packet; returns its cost. A session that ends finishes its POST itself, while
 * the body may be in use. */
static uint32_t process_packet(struct polling *polling)
{
    struct engineio_verdict verdict = {.code = 0};
    struct engineio_packet packet;
    struct ticket *post = polling->post;
    const char *problem = engineio_payload_next(&post->payload, &packet);
    bool is_last = !engineio_payload_has_more(&post->payload);
    uint32_t cost = INPUT_COST_MESSAGE;

    ticket_ref(post);
    unfinished_count(polling->loop, &post->body.unfinished, 0); /* it does not wait now */
    if (problem != NULL)
        verdict = (struct engineio_verdict){WS_CLOSE_PROTOCOL_ERROR, problem};
    else if (packet.is_binary)
        cost = engineio_session_received(polling_session(polling), packet.data, packet.length,
                                         false, &verdict);
    else /* the digit is before the data */
        cost = engineio_session_received(polling_session(polling), packet.data - 1,
                                         packet.length + 1, true, &verdict);
    obey(polling, &verdict);
    if (is_last && polling->state == POLLING_OPEN)
        finish_post(polling, 200);
    if (polling->post != post) /* its answer may wait for a reader */
        buffer_free(&post->body.bytes);
    ticket_unref(post);
    return cost;
}

static bool may_go_on(const struct polling *polling)
{
    return polling->post != NULL && polling->state == POLLING_OPEN;
}

/* So many times what pending_values_are_many() means: its client has posted that it enters rooms
 * again and again, or rooms that keep more than a page can show. */
enum { PROBED_TIMES = 16 };

/* While a WebSocket probes the session, its client may poll no more until its POST is answered:
 * then the POST does not wait until the client has read, unless very much waits. */
static size_t waits_for_times(const struct polling *polling)
{
    return polling->probe != NULL ? PROBED_TIMES : 0;
}

static bool must_wait(const struct polling *polling)
{
    return engineio_session_must_wait(polling_session(polling), waits_for_times(polling));
}

static uint32_t serve(ws_loop *loop, struct input *input)
{
    struct polling *polling =
        (struct polling *)(uintptr_t)((char *)input - offsetof(struct polling, input));
    uint32_t cost = 0;

    if (must_wait(polling)) {
        engineio_session_wait(polling_session(polling), waits_for_times(polling), input);
        return 0;
    }
    polling_enter(polling);
    while (may_go_on(polling) && !must_wait(polling) && input_may_go_on(loop, input))
        input_charge(loop, input, process_packet(polling), &cost);
    if (may_go_on(polling)) {
        input_list_add(&loop->inputs, input);
        count_waiting(polling);
    } else if (polling->probe != NULL) {
        engineio_upgrade_go_on(polling->probe);
    }
    polling_leave(polling);
    return cost > 0 ? cost : 1;
}

void posts_wait_anew(struct polling *polling)
{
    if (!polling->input.held)
        return;
    input_list_remove(&polling->loop->inputs, &polling->input);
    input_list_add(&polling->loop->inputs, &polling->input);
}

/* The client waits for the answer to a POST before it sends the next one. */
static bool refuse(struct polling *polling, struct ticket *post)
{
    bool is_overlapping = polling->post != NULL;
    const struct buffer *body = &post->body.bytes;
    bool is_text = body->length > 0 && utf8_valid(body->data, body->length);

    if (polling->state == POLLING_OPEN && is_text && !is_overlapping)
        return false;
    ticket_finish(polling->loop, post, 400, POLLING_BAD_REQUEST);
    if (is_overlapping)
        polling_lose(polling);
    else
        polling_client_left(polling, WS_CLOSE_PROTOCOL_ERROR, "the payload is not text");
    return true;
}

void polling_accept_post(struct polling *polling, struct ticket *post)
{
    if (polling->state == POLLING_OPEN && polling->ping != POLLING_PING_NONE)
        polling_await_ping(polling);
    if (refuse(polling, post))
        return;
    polling->post = post;
    post->polling = polling;
    engineio_payload_begin(&post->payload, post->body.bytes.data, post->body.bytes.length,
                           post->body.bytes.length);
    polling->input.serve = serve;
    input_list_add(&polling->loop->inputs, &polling->input);
    count_waiting(polling);
}
