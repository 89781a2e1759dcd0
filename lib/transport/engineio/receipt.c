/* receipt.c: a client joins or leaves a room when a cluster's carrier has its session. */
#include "transport/engineio/receipt.h"

#include "transport/engineio/plan.h"
#include "transport/engineio/remember.h"

enum {
    RECEIPT_MAX_MS = 5000,
    ASK_AGAIN_MS = 1000 /* while the carrier does not answer */
};

/* A value that nobody writes: the keys of sessions and of notes have other lengths. */
static const char receipt_key[] = "0";

/* A loop's part. */
struct receipts {
    ws_loop *loop;
    bool is_away;        /* the carrier has not answered in time */
    struct recall *late; /* an answer after which clients wait again; NULL: none is awaited */
    uint64_t ask_ms;     /* the next one is not asked for before */
};

/* --- a carrier that does not answer ----------------------------------------------------------- */

static void answered_late(ws_loop *loop, struct recall *recall)
{
    struct receipts *part = recall->owner;

    (void)loop;
    part->late = NULL;
    part->is_away = recall->is_unknown;
}

/* Only one question is kept, however many clients join. */
static void ask_again(struct receipts *part)
{
    uint64_t now_ms = part->loop->timers.now_ms;

    if (part->late != NULL || now_ms < part->ask_ms)
        return;
    part->ask_ms = now_ms + ASK_AGAIN_MS;
    part->late = cluster_recall(part->loop, receipt_key, answered_late, part);
}

/* --- one client ------------------------------------------------------------------------------- */

/* The socket may have ended, and another one may have its place. */
static bool is_there(const struct engineio_session *session, ws_conn_id id)
{
    const struct engineio_socket *socket = engineio_session_find(session, 0);

    return socket != NULL && socket->connection.id == id;
}

/* Requests it of the core. Until that has carried it out, each record has the room. */
static void request(struct plan *plan)
{
    struct engineio_socket *socket = plan->socket;
    struct engineio_session *session = socket->session;
    ws_loop *loop = session->loop;
    ws_conn_id id = socket->connection.id;
    struct session_work *work;

    session->work->plan = NULL; /* the application may end the session */
    plan->is_requested = true;
    timer_stop(&plan->timer);
    input_list_release(&loop->inputs, &plan->input);
    if (!socket->client_left)
        transport_request_later(&socket->connection, &plan->message);
    work = is_there(session, id) ? engineio_session_work(session) : NULL;
    if (work == NULL || work->plan != NULL) {
        plan_free(plan, loop);
        return;
    }
    work->plan = plan;
    engineio_remember(socket); /* if the client was refused, it is not in the record any more */
}

static void go_on(struct plan *plan)
{
    const struct engineio_carrier *carrier_class = plan->socket->session->carrier_class;
    void *carrier = plan->socket->session->carrier;

    carrier_class->hold(carrier);
    request(plan);
    carrier_class->let_go(carrier);
}

static struct receipts *part_of(ws_loop *loop);

static void answered(ws_loop *loop, struct recall *recall)
{
    struct plan *plan = recall->owner;

    plan->recall = NULL;
    if (recall->is_unknown)
        part_of(loop)->is_away = true;
    go_on(plan);
}

static void expired(struct timer *timer)
{
    struct plan *plan = (struct plan *)(void *)((char *)timer - offsetof(struct plan, timer));
    struct receipts *part = part_of(plan->socket->session->loop);

    part->is_away = true;
    if (part->late == NULL) {
        part->late = plan->recall;
        part->late->done = answered_late;
        part->late->owner = part;
    } else {
        cluster_recall_abandon(plan->recall);
    }
    plan->recall = NULL;
    go_on(plan);
}

/* --- a loop's part ---------------------------------------------------------------------------- */

static void free_part(ws_loop *loop)
{
    struct receipts *part = loop->parts[PART_RECEIPTS];

    if (part == NULL)
        return;
    if (part->late != NULL)
        cluster_recall_abandon(part->late);
    memory_free(&loop->manager->memory, part);
}

/* NULL if memory ran out; not while a receipt is awaited. */
static struct receipts *part_of(ws_loop *loop)
{
    struct receipts *part = loop->parts[PART_RECEIPTS];

    if (part != NULL)
        return part;
    part = memory_zalloc(&loop->manager->memory, sizeof *part);
    if (part == NULL)
        return NULL;
    part->loop = loop;
    loop->timers.expired[TIMER_RECEIPT] = expired;
    loop->parts[PART_RECEIPTS] = part;
    loop->free_part[PART_RECEIPTS] = free_part;
    return part;
}

/* --- a request -------------------------------------------------------------------------------- */

/* False if memory ran out. */
static bool make_plan(struct engineio_socket *socket, const struct client_message *message)
{
    struct engineio_session *session = socket->session;
    struct session_work *work = engineio_session_work(session);
    struct plan *plan;

    if (work == NULL)
        return false;
    plan = plan_new(engineio_session_memory(session), socket, message);
    if (plan == NULL) {
        engineio_session_trim(session);
        return false;
    }
    plan_free(work->plan, session->loop); /* the core has carried it out */
    work->plan = plan;
    return true;
}

static bool ask(struct plan *plan)
{
    ws_loop *loop = plan->socket->session->loop;

    if (!engineio_remember_now(plan->socket))
        return false;
    plan->recall = cluster_recall(loop, receipt_key, answered, plan);
    if (plan->recall == NULL)
        return false;
    timer_start(&loop->timers, &plan->timer, RECEIPT_MAX_MS);
    return true;
}

bool engineio_receipt_await(struct engineio_socket *socket,
                            const struct client_message *message)
{
    struct engineio_session *session = socket->session;
    struct receipts *part;

    if (!engineio_remembers(session) ||
        (session->work != NULL && session->work->returning != NULL))
        return false;
    part = part_of(session->loop);
    if (part != NULL && part->is_away)
        ask_again(part);
    if (part != NULL && part->is_away)
        return false;
    if (part == NULL || !make_plan(socket, message)) {
        transport_out_of_memory(&socket->connection);
        return true;
    }
    if (ask(session->work->plan))
        return true;
    plan_free(session->work->plan, session->loop);
    session->work->plan = NULL;
    engineio_session_trim(session);
    engineio_remember(socket);
    return false;
}
