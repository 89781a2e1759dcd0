/* acks.c: the acknowledgements that the application waits for from a session's client. */
#include "transport/engineio/acks.h"

static void remove_ack(struct engineio_session *session, struct waiting_ack *ack)
{
    if (ack->previous != NULL)
        ack->previous->next = ack->next;
    else
        session->work->acks = ack->next;
    if (ack->next != NULL)
        ack->next->previous = ack->previous;
    session->work->n_acks--;
    timer_stop(&ack->timer);
    engineio_session_trim(session);
}

/* Keeps the list sorted. An id is taken before its event is posted, so if several threads emit at
 * once, an event may arrive after one with a higher id: a few places from the front. */
static void insert(struct session_work *work, struct waiting_ack *ack)
{
    struct waiting_ack *before = NULL;
    struct waiting_ack *after = work->acks;

    while (after != NULL && after->id > ack->id) {
        before = after;
        after = after->next;
    }
    ack->previous = before;
    ack->next = after;
    if (before != NULL)
        before->next = ack;
    else
        work->acks = ack;
    if (after != NULL)
        after->previous = ack;
    work->n_acks++;
}

static void settle(ws_loop *loop, struct waiting_ack *ack, int result)
{
    transport_settle_ack(loop, ack, (ws_socketio_ack_result){.result = result});
}

/* It cannot be awaited. */
static void refuse(ws_loop *loop, struct waiting_ack *ack, int result)
{
    transport_prepared(loop, INPUT_COST_CALLBACK);
    settle(loop, ack, result);
}

void acks_await(struct connection *connection, struct waiting_ack *ack)
{
    const struct engineio_socket *socket = (const struct engineio_socket *)connection;
    struct engineio_session *session = socket->session;
    struct session_work *work = session != NULL ? engineio_session_work(session) : NULL;
    ws_loop *loop = connection->loop;

    if (work == NULL) {
        refuse(loop, ack, session == NULL ? WS_ERR_CLOSED : WS_ERR_NO_MEMORY);
        return;
    }
    if (work->n_acks >= session->endpoint->socketio->options.max_waiting_acks) {
        engineio_session_trim(session);
        refuse(loop, ack, WS_ERR_LIMIT);
        return;
    }
    ack->session = session;
    ack->space = socket->space;
    insert(work, ack);
    timer_start(&loop->timers, &ack->timer, ack->timeout_ms);
}

struct waiting_ack *acks_take(struct engineio_session *session, uint8_t space, int64_t id)
{
    struct waiting_ack *ack = session->work != NULL ? session->work->acks : NULL;

    while (ack != NULL && ack->id > id)
        ack = ack->next;
    if (ack == NULL || ack->id != id || ack->space != space)
        return NULL;
    remove_ack(session, ack);
    return ack;
}

void acks_drop(struct engineio_session *session, uint8_t space)
{
    struct waiting_ack *dropped = NULL;
    struct waiting_ack *ack;
    struct waiting_ack *next;
    uint32_t n_dropped = 0;

    /* Taken out before the application is called, which may change the list. Taking out the last
     * one may free the work. */
    for (ack = session->work != NULL ? session->work->acks : NULL; ack != NULL; ack = next) {
        next = ack->next;
        if (ack->space != space)
            continue;
        remove_ack(session, ack);
        ack->next = dropped;
        dropped = ack;
        n_dropped++;
    }
    transport_prepared(session->loop, n_dropped * INPUT_COST_CALLBACK);
    while (dropped != NULL) {
        ack = dropped;
        dropped = ack->next;
        settle(session->loop, ack, WS_ERR_CLOSED);
    }
}

void acks_timer_expired(struct timer *timer)
{
    struct waiting_ack *ack =
        (struct waiting_ack *)(void *)((char *)timer - offsetof(struct waiting_ack, timer));
    struct engineio_session *session = ack->session;

    remove_ack(session, ack);
    counter_add(&session->loop->counters, COUNTER_timeouts, 1);
    timer_wheel_spend(&session->loop->timers, INPUT_COST_CALLBACK);
    settle(session->loop, ack, WS_ERR_TIMEOUT);
}
