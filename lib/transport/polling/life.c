/* life.c: how a session that HTTP requests carry ends. */
#include "transport/polling/life.h"

#include <string.h>

#include "transport/engineio/unconnected.h"
#include "transport/shared/queue_limit.h"

/* The WebSocket that was to take over the session has nothing to carry: a session that ends
 * does not move. */
static void end_probe(struct polling *polling)
{
    static const char reason[] = "the session has ended";
    struct engineio_session *probe = polling->probe;

    polling->probe = NULL;
    polling->is_probed = false;
    if (probe == NULL)
        return;
    engineio_probe_detach(probe);
    probe->carrier_class->close(probe->carrier, WS_CLOSE_NORMAL, reason, sizeof reason - 1);
}

/* Requests no longer find it. Those that wait are answered: a poll with one packet. */
static void end(struct polling *polling, const char *packet)
{
    struct ticket *poll = polling->poll;
    struct ticket *post = polling->post;

    polling_become(polling, POLLING_GONE);
    session_table_remove(polling->loop, &polling->node);
    timer_stop(&polling->heartbeat);
    timer_stop(&polling->later);
    input_list_remove(&polling->loop->inputs, &polling->input);
    polling->poll = polling->post = NULL;
    end_probe(polling);
    if (poll != NULL) {
        buffer_add_text(&poll->body.bytes, packet);
        ticket_finish(polling->loop, poll, poll->body.bytes.failed ? 503 : 200,
                      POLLING_BAD_REQUEST);
    }
    if (post != NULL)
        ticket_finish(polling->loop, post, 400, POLLING_BAD_REQUEST);
}

void polling_lose(struct polling *polling)
{
    if (polling->state == POLLING_GONE)
        return;
    polling_enter(polling);
    end(polling, "1");
    engineio_session_gone(polling_session(polling));
    polling_leave(polling);
}

void polling_give_up(struct polling *polling)
{
    struct ticket *post = polling->post;

    polling_enter(polling);
    polling->post = NULL;
    if (post != NULL)
        ticket_finish(polling->loop, post, 503, POLLING_BAD_REQUEST);
    polling_lose(polling);
    polling_leave(polling);
}

/* A poll of the same turn as the end of the session, or as the client's last packet of the upgrade,
 * may have come after that. */
static void refuse_new_poll(struct polling *polling)
{
    struct ticket *poll = polling->poll;

    if (poll == NULL || poll->has_waited)
        return;
    polling->poll = NULL;
    ticket_finish(polling->loop, poll, 400, POLLING_UNKNOWN_SID);
}

void polling_time_out(struct polling *polling)
{
    polling_enter(polling);
    refuse_new_poll(polling);
    polling_lose(polling);
    polling_leave(polling);
}

/* The next ping may be due already, if the loop comes late. */
static uint32_t ping_in_ms(const struct polling *polling)
{
    int32_t left_ms = (int32_t)(polling->ping_ms - (uint32_t)polling->loop->timers.now_ms);

    return left_ms > 0 ? (uint32_t)left_ms : 1;
}

void polling_move(struct polling *polling, struct engineio_rest *rest)
{
    size_t bytes = output_queue_bytes(&polling->queue);

    polling_enter(polling);
    rest->queue = polling->queue;
    rest->awaits_pong = polling->ping != POLLING_PING_NONE;
    rest->ping_in_ms = ping_in_ms(polling);
    rest->queue_high = polling->queue_high;
    rest->is_writable = polling->is_writable;
    polling->queue = (struct output_queue){.only = NULL};
    queue_sums_update(polling->loop, &polling->queue, bytes);
    polling->probe = NULL;
    polling->node.session = NULL;
    refuse_new_poll(polling);
    end(polling, "6");
    polling_leave(polling);
}

void polling_finish(struct polling *polling, uint16_t code, const char *text)
{
    if (polling->state != POLLING_OPEN)
        return;
    polling_become(polling, POLLING_ENDING);
    end_probe(polling);
    engineio_session_finish(polling_session(polling), code, text, strlen(text));
}

void polling_fail(struct polling *polling, uint16_t code, const char *text)
{
    if (polling->state != POLLING_OPEN)
        return;
    counter_add(&polling->loop->counters, COUNTER_protocol_errors, 1);
    polling_finish(polling, code, text);
}

void polling_client_left(struct polling *polling, uint16_t code, const char *text)
{
    if (polling->state != POLLING_OPEN)
        return;
    if (code != WS_CLOSE_NORMAL)
        counter_add(&polling->loop->counters, COUNTER_protocol_errors, 1);
    polling->client_left = true;
    polling->has_said_close = code == WS_CLOSE_NORMAL;
    polling_finish(polling, code, text);
}

void polling_end_if_closed(struct polling *polling)
{
    if (polling->state != POLLING_CLOSED || output_queue_count(&polling->queue) > 0)
        return;
    polling_enter(polling);
    end(polling, "1");
    polling_leave(polling);
}

/* A session that waits for its client's last poll is no connection of the core any more: it counts
 * as one without a socket, because a client can open and end any number. A drain ends no more than
 * there were connections, and no further ones are opened. */
static bool may_linger(const struct polling *polling)
{
    struct engineio_session *session = polling_session(polling);

    if (ws_manager_is_draining(polling->loop->manager))
        return true;
    if (engineio_session_work(session) == NULL)
        return false;
    unconnected_add(session);
    return true;
}

/* A client that was too slow for its queue will not get the queue before the close either: it
 * reconnects and recovers. */
void polling_close(struct polling *polling)
{
    if (polling->state >= POLLING_CLOSED)
        return;
    if (polling->too_slow)
        polling_drop_output(polling);
    if (polling->state == POLLING_OPEN)
        polling_become(polling, POLLING_ENDING);
    end_probe(polling);
    if (polling->client_left) {
        polling_enter(polling);
        end(polling, polling->has_said_close ? "6" : "1");
        polling_leave(polling);
        return;
    }
    polling_enter(polling);
    polling_become(polling, POLLING_CLOSED);
    timer_start(&polling->loop->timers, &polling->heartbeat,
                polling_options(polling)->close_timeout_ms);
    polling_push(polling, "1", 1);
    if (polling->poll != NULL)
        polling_respond(polling);
    polling_end_if_closed(polling);
    if (polling->state == POLLING_CLOSED && !may_linger(polling))
        end(polling, "1");
    polling_leave(polling);
}
