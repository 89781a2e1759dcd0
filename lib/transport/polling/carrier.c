/* carrier.c: HTTP requests as the carrier of an Engine.IO session. */
#include "transport/polling/carrier.h"

#include "transport/engineio/form.h"
#include "transport/polling/life.h"
#include "transport/polling/posts.h"

static int push_within_limit(struct polling *polling, struct frames *form)
{
    polling->too_slow = polling_is_full(polling, form->before_last);
    if (polling->too_slow)
        return WS_ERR_DROPPED;
    if (!polling_push_frames(polling, form))
        return WS_ERR_NO_MEMORY;
    if (output_queue_bytes(&polling->queue) <= polling_options(polling)->queue_high_bytes)
        return WS_OK;
    if (polling->is_writable) { /* which the application has not learnt yet, and need not */
        polling->is_writable = false;
        polling->queue_high = true;
    } else if (!polling->queue_high) {
        polling->queue_high = true;
        engineio_session_filled(polling_session(polling));
    }
    return WS_ERR_BACKPRESSURE;
}

/* A volatile message is for a client that can have it now: by a poll that waits for it. */
static bool is_dropped(const struct polling *polling, const ws_message *message)
{
    return message->is_volatile &&
           (polling->poll == NULL || output_queue_count(&polling->queue) > 0);
}

static int carrier_send(void *carrier, const struct engineio_socket *socket,
                        ws_message *message)
{
    struct polling *polling = carrier;
    struct engineio_form form;
    int result;

    if (is_dropped(polling, message)) {
        counter_add(&polling->loop->counters, COUNTER_drop_slow_client, 1);
        ws_message_unref(message);
        return WS_OK;
    }
    form = engineio_form_of(polling->loop, socket, message);
    if (form.frames == NULL)
        return WS_ERR_NO_MEMORY;
    if (frames_hold(&message->frames, form.frames))
        return push_within_limit(polling, form.frames);
    if (!form.is_new)
        frames_ref_n(form.frames, 1);
    result = push_within_limit(polling, form.frames);
    frames_unref(result == WS_OK || result == WS_ERR_BACKPRESSURE ? &message->frames
                                                                  : form.frames);
    return result;
}

/* A client that fetches nothing may still connect sockets, again and again. */
static void carrier_push(void *carrier, const char *packet, size_t length)
{
    static const char reason[] = "the client reads too slowly; its queue is full";
    struct polling *polling = carrier;

    if (!polling_is_full(polling, 0)) {
        polling_push(polling, packet, length);
        return;
    }
    counter_add(&polling->loop->counters, COUNTER_drop_slow_client, 1);
    polling->too_slow = true;
    polling_finish(polling, WS_CLOSE_TRY_AGAIN_LATER, reason);
}

static void carrier_fail(void *carrier, uint16_t code, const char *text)
{
    polling_fail(carrier, code, text);
}

/* The close packet of Engine.IO has no code and no reason. */
static void carrier_close(void *carrier, uint16_t code, const char *reason, size_t length)
{
    (void)code;
    (void)reason;
    (void)length;
    polling_close(carrier);
}

static void carrier_give_way(void *carrier)
{
    polling_lose(carrier);
}

static void carrier_hold(void *carrier)
{
    polling_enter(carrier);
}

static void carrier_let_go(void *carrier)
{
    polling_leave(carrier);
}

/* A session outlives each of its requests. */
static void *host_data(const void *carrier)
{
    (void)carrier;
    return NULL;
}

/* --- the upgrade ----------------------------------------------------------------------------- */

static bool can_leave(const void *carrier)
{
    const struct polling *polling = carrier;

    return polling->state == POLLING_OPEN && !polling->is_doomed && polling->probe == NULL;
}

static void set_probe(void *carrier, struct engineio_session *probe, enum probe_state state)
{
    struct polling *polling = carrier;

    polling->probe = state != PROBE_ENDS ? probe : NULL;
    polling->is_probed = state == PROBE_ANSWERED;
    posts_wait_anew(polling);
    polling_offer(polling);
}

static bool is_quiet(const void *carrier)
{
    const struct polling *polling = carrier;

    return polling->state == POLLING_OPEN && !polling->is_doomed && polling->post == NULL;
}

static void leave(void *carrier, struct engineio_rest *rest)
{
    polling_move(carrier, rest);
}

const struct engineio_carrier polling_carrier = {
    .send = carrier_send,
    .push = carrier_push,
    .fail = carrier_fail,
    .close = carrier_close,
    .give_way = carrier_give_way,
    .hold = carrier_hold,
    .let_go = carrier_let_go,
    .host_data = host_data,
    .can_leave = can_leave,
    .set_probe = set_probe,
    .is_quiet = is_quiet,
    .leave = leave,
};
