/* waiting.c: what waits on a loop for an answer. */
#include "core/clients/waiting.h"

#include <string.h>

#include "core/clients/places.h"
#include "core/costs.h"

/* What waits of one connection. */
struct waiting {
    struct name_node node;
    uint8_t key_length; /* followed by the key: the connection's id */
    char key[sizeof(ws_conn_id)];
    struct connection *connection;
    struct waiting_answer *answers; /* the newest first */
    uint32_t n_answers;
    struct waiting_ack *acks; /* requests to the client, the newest first */
    uint32_t n_acks;
    struct former *former; /* NULL: the client's past is known */
};

static struct waiting *find(const struct connection *connection)
{
    return connection->has_waiting
               ? name_table_find(&connection->loop->waiting, (const char *)&connection->id,
                                 sizeof connection->id)
               : NULL;
}

static struct waiting *find_or_make(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    const ws_allocator *memory = &loop->manager->memory;
    struct waiting *waiting = find(connection);

    if (waiting != NULL)
        return waiting;
    waiting = memory_zalloc(memory, sizeof *waiting);
    if (waiting == NULL)
        return NULL;
    waiting->connection = connection;
    waiting->key_length = sizeof waiting->key;
    memcpy(waiting->key, &connection->id, sizeof waiting->key);
    if (!name_table_add(&loop->waiting, waiting)) {
        memory_free(memory, waiting);
        return NULL;
    }
    connection->has_waiting = true;
    return waiting;
}

/* Frees it if nothing waits. */
static void trim(struct waiting *waiting)
{
    struct connection *connection = waiting->connection;

    if (waiting->answers != NULL || waiting->acks != NULL || waiting->former != NULL)
        return;
    name_table_remove(&connection->loop->waiting, waiting);
    connection->has_waiting = false;
    memory_free(&connection->loop->manager->memory, waiting);
}

/* --- answers of the application -------------------------------------------------------------- */

static struct waiting_answer *make_answer(struct connection *connection, struct json_slice ref)
{
    ws_manager *manager = connection->loop->manager;
    struct waiting_answer *answer =
        memory_zalloc(&manager->memory, sizeof *answer + ref.length);

    if (answer == NULL)
        return NULL;
    answer->timer.kind = TIMER_ANSWER;
    answer->connection = connection;
    answer->number =
        atomic_fetch_add_explicit(&manager->n_answers, 1, memory_order_relaxed) + 1;
    answer->ref_length = (uint16_t)ref.length;
    if (ref.length > 0)
        memcpy(answer->ref, ref.text, ref.length);
    return answer;
}

static void insert(struct waiting *waiting, struct waiting_answer *answer)
{
    answer->next = waiting->answers;
    if (answer->next != NULL)
        answer->next->previous = answer;
    waiting->answers = answer;
    waiting->n_answers++;
}

int waiting_add_answer(struct connection *connection, struct json_slice ref, bool is_request,
                       uint64_t *number)
{
    ws_manager *manager = connection->loop->manager;
    struct waiting *waiting = find(connection);
    struct waiting_answer *answer;

    if (waiting != NULL && waiting->n_answers >= manager->options.max_waiting_answers)
        return WS_ERR_LIMIT;
    waiting = find_or_make(connection);
    answer = waiting != NULL ? make_answer(connection, ref) : NULL;
    if (answer == NULL) {
        if (waiting != NULL)
            trim(waiting);
        return WS_ERR_NO_MEMORY;
    }
    answer->is_request = is_request;
    insert(waiting, answer);
    *number = answer->number;
    return WS_OK;
}

bool waiting_reserve(struct waiting_answer *answer)
{
    if (!answer->has_place)
        answer->has_place = place_take(answer->connection, PLACE_ANSWER);
    return answer->has_place;
}

struct waiting_answer *waiting_find_answer(struct connection *connection, uint64_t number)
{
    const struct waiting *waiting = find(connection);
    struct waiting_answer *answer = waiting != NULL ? waiting->answers : NULL;

    while (answer != NULL && answer->number != number)
        answer = answer->next;
    return answer;
}

void waiting_take_answer(struct waiting_answer *answer)
{
    struct waiting *waiting = find(answer->connection);

    if (answer->previous != NULL)
        answer->previous->next = answer->next;
    else
        waiting->answers = answer->next;
    if (answer->next != NULL)
        answer->next->previous = answer->previous;
    waiting->n_answers--;
    timer_stop(&answer->timer);
    if (answer->has_place)
        place_give_back(answer->connection, PLACE_ANSWER);
    trim(waiting);
}

/* --- the client's past ----------------------------------------------------------------------- */

struct former *waiting_former(const struct connection *connection)
{
    const struct waiting *waiting = find(connection);

    return waiting != NULL ? waiting->former : NULL;
}

bool waiting_set_former(struct connection *connection, struct former *former)
{
    struct waiting *waiting = former != NULL ? find_or_make(connection) : find(connection);

    if (waiting == NULL)
        return former == NULL;
    waiting->former = former;
    trim(waiting);
    return true;
}

/* --- requests to clients --------------------------------------------------------------------- */

void waiting_await(struct connection *connection, struct waiting_ack *ack)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    struct waiting *waiting = find_or_make(connection);
    int result = WS_OK;

    if (waiting == NULL)
        result = WS_ERR_NO_MEMORY;
    else if (waiting->n_acks >= manager->options.max_waiting_requests ||
             !place_take(connection, PLACE_RESPONSE))
        result = WS_ERR_LIMIT;
    if (result != WS_OK) {
        if (waiting != NULL)
            trim(waiting);
        waiting_response_settle(manager, ack, (ws_response){.result = result});
        return;
    }
    ack->session = connection;
    ack->previous = NULL;
    ack->next = waiting->acks;
    if (ack->next != NULL)
        ack->next->previous = ack;
    waiting->acks = ack;
    waiting->n_acks++;
    ack->timer.kind = TIMER_RESPONSE;
    timer_start(&loop->timers, &ack->timer, ack->timeout_ms);
}

static void remove_ack(struct waiting *waiting, struct waiting_ack *ack)
{
    if (ack->previous != NULL)
        ack->previous->next = ack->next;
    else
        waiting->acks = ack->next;
    if (ack->next != NULL)
        ack->next->previous = ack->previous;
    waiting->n_acks--;
    timer_stop(&ack->timer);
    place_give_back(waiting->connection, PLACE_RESPONSE);
    trim(waiting);
}

struct waiting_ack *waiting_take_ack(struct connection *connection, int64_t id,
                                     uint32_t *passed)
{
    struct waiting *waiting = find(connection);
    struct waiting_ack *ack = waiting != NULL ? waiting->acks : NULL;

    for (*passed = 0; ack != NULL && ack->id != id; ack = ack->next)
        ++*passed;
    if (ack != NULL)
        remove_ack(waiting, ack);
    return ack;
}

static void response_expired(struct timer *timer)
{
    struct waiting_ack *ack =
        (struct waiting_ack *)(void *)((char *)timer - offsetof(struct waiting_ack, timer));
    struct connection *connection = ack->session;
    ws_loop *loop = connection->loop;

    remove_ack(find(connection), ack);
    timer_wheel_spend(&loop->timers, INPUT_COST_CALLBACK);
    waiting_response_settle(loop->manager, ack, (ws_response){.result = WS_ERR_TIMEOUT});
}

/* --- the end --------------------------------------------------------------------------------- */

struct waiting_ack *waiting_end(struct connection *connection)
{
    const ws_allocator *memory = &connection->loop->manager->memory;
    struct waiting_ack *ended = NULL;
    struct waiting *waiting;

    while ((waiting = find(connection)) != NULL && waiting->answers != NULL) {
        struct waiting_answer *answer = waiting->answers;

        waiting_take_answer(answer);
        memory_free(memory, answer);
    }
    while ((waiting = find(connection)) != NULL) {
        struct waiting_ack *ack = waiting->acks;

        remove_ack(waiting, ack);
        ack->next = ended;
        ended = ack;
    }
    return ended;
}

void waiting_close(ws_loop *loop, struct waiting_ack *acks)
{
    while (acks != NULL) {
        struct waiting_ack *ack = acks;

        acks = ack->next;
        loop_charge(loop, INPUT_COST_CALLBACK);
        if (loop_is_parents(loop))
            memory_free(&loop->manager->memory, ack);
        else
            waiting_response_settle(loop->manager, ack, (ws_response){.result = WS_ERR_CLOSED});
    }
}

/* --- a loop's table --------------------------------------------------------------------------- */

void waiting_init(ws_loop *loop)
{
    ws_manager *manager = loop->manager;

    /* A copy, because the manager draws a new secret in the child of a fork(). */
    manager_lock(manager);
    memcpy(loop->waiting_secret, manager->registry.secret, sizeof loop->waiting_secret);
    manager_unlock(manager);
    name_table_init(&loop->waiting, &manager->memory, loop->waiting_secret,
                    offsetof(struct waiting, key_length));
    loop->timers.expired[TIMER_RESPONSE] = response_expired;
}

void waiting_free(ws_loop *loop)
{
    name_table_free(&loop->waiting);
}
