/* recovery.c: recovers clients that reconnect: delivers the events that they missed. */
#include "core/recovery/recovery.h"
#include "core/connections/delivery.h"

#include <string.h>

#include "core/connections/doom.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/recovery/list.h"
#include "core/recovery/page_waits.h"
#include "core/recovery/read.h"
#include "protocol/json/answer.h"

enum {
    COST_OF_ITS_TURN = 512, /* in events; then the next recovery gets its turn */
    /* Values that an ended recovery gives back before others continue. */
    DROPPED_AT_ONCE = 1024,
    POLL_MAX_MS = 1000
};

/* --- life ------------------------------------------------------------------------------------- */

static size_t rooms_size(const ws_connect_options *options)
{
    size_t size = 0;

    for (size_t i = 0; i < options->n_rooms; i++)
        size += strlen(options->rooms[i]) + 1;
    return size;
}

static void copy_rooms(struct recovery *recovery, const ws_connect_options *options)
{
    char *to = recovery->rooms;

    recovery->n_rooms = options->n_rooms;
    for (size_t i = 0; i < options->n_rooms; i++) {
        size_t size = strlen(options->rooms[i]) + 1;

        memcpy(to, options->rooms[i], size);
        to += size;
    }
}

bool recovery_new(const ws_manager *manager, const ws_connect_options *options,
                  struct recovery **recovery)
{
    struct recovery *made;

    *recovery = NULL;
    if (options->after == NULL && options->n_rooms == 0)
        return true;
    made = memory_zalloc(&manager->memory, sizeof *made + rooms_size(options));
    if (made == NULL)
        return false;
    copy_rooms(made, options);
    made->wants_state = options->with_state == 1;
    made->wants_last = options->last_events;
    if (options->after == NULL)
        made->start = RECOVERY_FROM_WELCOME;
    else if (event_id_read(options->after, made->epoch, &made->position))
        made->start = RECOVERY_FROM_EVENT;
    else
        made->start = RECOVERY_FROM_UNKNOWN;
    if (options->former_connection_id != NULL)
        made->former = message_exclusion(manager->process, options->former_connection_id,
                                         &made->former_is_foreign);
    *recovery = made;
    return true;
}

void recovery_free(const ws_manager *manager, struct recovery *recovery)
{
    if (recovery == NULL)
        return;
    pending_values_drop(&recovery->values, &manager->memory, SIZE_MAX);
    memory_free(&manager->memory, recovery->cursors);
    memory_free(&manager->memory, recovery);
}

void recovery_release(ws_loop *loop, struct recovery *recovery)
{
    if (pending_values_left(&recovery->values) <= DROPPED_AT_ONCE) {
        recovery_free(loop->manager, recovery);
        return;
    }
    recovery->next = loop->recoveries->ended;
    loop->recoveries->ended = recovery;
}

static void drop_values_of_ended(ws_loop *loop)
{
    while (loop->recoveries->ended != NULL && loop->for_recovery > 0) {
        struct recovery *recovery = loop->recoveries->ended;
        size_t dropped =
            pending_values_drop(&recovery->values, &loop->manager->memory, DROPPED_AT_ONCE);

        budget_spend(&loop->for_recovery, (uint32_t)dropped + 1);
        if (pending_values_left(&recovery->values) > 0)
            continue;
        loop->recoveries->ended = recovery->next;
        recovery_free(loop->manager, recovery);
    }
}

static void on_timer(struct timer *timer)
{
    struct recovery *recovery =
        (struct recovery *)(void *)((char *)timer - offsetof(struct recovery, timer));

    recovery_list_move(recovery, RECOVERY_READY);
}

bool recoveries_new(ws_loop *loop)
{
    loop->recoveries = memory_zalloc(&loop->manager->memory, sizeof *loop->recoveries);
    if (loop->recoveries == NULL)
        return false;
    loop->recoveries->loop = loop;
    loop->cancel_recovery = recovery_cancel;
    loop->timers.expired[TIMER_RECOVERY] = on_timer;
    page_waits_init(loop);
    return true;
}

void recoveries_free(ws_loop *loop)
{
    while (loop->recoveries != NULL && loop->recoveries->ended != NULL) {
        struct recovery *recovery = loop->recoveries->ended;

        loop->recoveries->ended = recovery->next;
        recovery_free(loop->manager, recovery);
    }
    memory_free(&loop->manager->memory, loop->recoveries);
}

bool recoveries_are_ready(const ws_loop *loop)
{
    return loop->recoveries->ready.count > 0 || loop->recoveries->ended != NULL;
}

/* --- beginning and end ------------------------------------------------------------------------ */

/* Moves the recovery to a position and skips the events before it. */
static void skip_to(struct recovery *recovery, uint64_t position)
{
    memcpy(recovery->epoch, recovery->connection->loop->epoch, sizeof recovery->epoch);
    recovery->position = position;
}

static bool can_begin(ws_loop *loop, const struct recovery *recovery)
{
    ws_manager *manager = loop->manager;
    int64_t now_ms = manager_clock(manager);
    bool kept;

    if (recovery->start != RECOVERY_FROM_EVENT)
        return false;
    if (!loop->has_epoch)
        return true;
    if (strcmp(recovery->epoch, loop->epoch) != 0)
        return false;
    if (manager->has_cluster)
        return true;
    if (recovery->position > loop->carried)
        return false;
    manager_lock(manager);
    kept = recovery_is_kept(recovery, now_ms);
    manager_unlock(manager);
    return kept;
}

/* How the connection's transport is notified of its recovery; NULL: the client itself is. */
static void (*notified(const struct connection *connection))(struct connection *,
                                                             enum recovery_event)
{
    const struct builtin_transport *transport =
        manager_builtin(connection->loop->manager, connection->transport);

    return transport != NULL ? transport->recovery : NULL;
}

/* Refuses a client whose transport announces it as a new one if it cannot have all events. Else it
 * is announced later. */
static bool is_refused(struct connection *connection, struct recovery *recovery)
{
    void (*notify)(struct connection *, enum recovery_event) = notified(connection);

    if (notify == NULL)
        return false;
    recovery->connection = connection;
    recovery->is_unannounced = true;
    if (connection->loop->has_epoch && can_begin(connection->loop, recovery))
        return false;
    recovery_free(connection->loop->manager, recovery);
    notify(connection, RECOVERY_IS_REFUSED);
    return true;
}

void recovery_begin(struct connection *connection, struct recovery *recovery)
{
    ws_loop *loop = connection->loop;

    if (is_refused(connection, recovery))
        return;
    recovery->connection = connection;
    connection->recovery = recovery;
    connection->enters_rooms = true;
    recovery->began = loop->carried;
    if (recovery->start == RECOVERY_FROM_WELCOME)
        recovery->answer = RECOVERED_SENT;
    else
        recovery->answer =
            can_begin(loop, recovery) ? RECOVERED_COMPLETE : RECOVERED_INCOMPLETE;
    if (recovery->answer != RECOVERED_COMPLETE)
        skip_to(recovery, loop->carried);
    recovery->values.skips_events =
        !manager_keeps_events(loop->manager) && recovery->answer != RECOVERED_SENT;
    recovery->timer.kind = TIMER_RECOVERY;
    connection->recovering = true;
    recovery_list_add(recovery, RECOVERY_WAITS_FOR_JOINS);
}

/* Values precede the next events and do not wait for these: the client's further messages wait
 * for the values, and should not wait for a page of events, too. */
static bool add_values(struct recovery *recovery, ws_message **messages, size_t count)
{
    const ws_manager *manager = recovery->connection->loop->manager;

    if (!pending_values_add(&recovery->values, &manager->memory, messages, count))
        return false;
    if (recovery->wait == RECOVERY_WAITS_FOR_PAGE ||
        recovery->wait == RECOVERY_WAITS_FOR_POSITION)
        recovery_list_move(recovery, RECOVERY_READY);
    return true;
}

bool recovery_add_values(struct connection *connection, ws_message **messages, size_t count)
{
    ws_loop *loop = connection->loop;
    const ws_allocator *memory = &loop->manager->memory;
    struct recovery *recovery = connection->recovery;

    if (connection->recovering) {
        if (!connection_is_behind(connection))
            skip_to(recovery, loop->carried);
        return add_values(recovery, messages, count);
    }
    recovery = memory_zalloc(memory, sizeof *recovery);
    if (recovery == NULL)
        return false;
    if (!pending_values_add(&recovery->values, memory, messages, count)) {
        recovery_free(loop->manager, recovery);
        return false;
    }
    recovery->connection = connection;
    recovery->start = RECOVERY_FROM_WELCOME;
    recovery->answer = RECOVERED_SENT;
    recovery->timer.kind = TIMER_RECOVERY;
    recovery->from_batch = loop->n_batches + 1;
    connection->recovery = recovery;
    connection->recovering = true;
    skip_to(recovery, loop->carried);
    recovery_list_add(recovery, RECOVERY_READY);
    return true;
}

void recovery_deliver_values_first(struct recovery *recovery)
{
    recovery_list_move(recovery, RECOVERY_READY);
}

/* What the client has sent need not wait for it to read any more. */
static void release_input(struct recovery *recovery)
{
    ws_loop *loop = recovery->connection->loop;

    if (input_list_release(&loop->inputs, &recovery->values.held) && !loop->running)
        loop_wake(loop);
}

/* Detaches the recovery from its connection. The caller frees it, when it can. */
static void detach(struct recovery *recovery)
{
    struct connection *connection = recovery->connection;

    recovery_list_remove(recovery);
    page_waits_looked(recovery);
    recovery_read_end(recovery);
    input_list_remove(&connection->loop->inputs, &recovery->input);
    release_input(recovery);
    connection->recovering = false;
    connection->enters_rooms = false;
    connection->recovery = NULL;
    recovery->connection = NULL;
}

void recovery_cancel(struct connection *connection)
{
    struct recovery *recovery = connection->recovery;

    if (!connection->recovering)
        return;
    detach(recovery);
    if (recovery->use == RECOVERY_RESTS)
        recovery_release(connection->loop, recovery);
}

void recovery_note_room(struct connection *connection)
{
    manager_assert_locked(connection->loop->manager);
    if (connection->recovering)
        connection->recovery->joined = connection->loop->manager->position;
}

size_t recovery_event_id(const struct connection *connection, char id[EVENT_ID_SIZE])
{
    const ws_loop *loop = connection->loop;

    if (connection_is_behind(connection))
        return event_id_write(connection->recovery->epoch, connection->recovery->position, id);
    return event_id_write(loop->epoch, loop->carried, id);
}

uint64_t recovery_position(const struct connection *connection)
{
    return connection_is_behind(connection) ? connection->recovery->position
                                            : connection->loop->carried;
}

static void count_recovered(struct counters *counters, bool is_complete, uint64_t count)
{
    counter_add(counters, is_complete ? COUNTER_recoveries : COUNTER_recoveries_incomplete, 1);
    counter_add(counters, COUNTER_recovered_events, count);
}

/* Sends `recovered`: how many events the client got since the last `recovered`, and whether
 * that is all that it missed. */
static void send_recovered(const struct recovery *recovery, bool is_complete, uint64_t count)
{
    struct connection *connection = recovery->connection;
    char id[EVENT_ID_SIZE];
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    event_id_write(recovery->epoch, recovery->position, id);
    buffer_init_with(&buffer, &connection->loop->manager->memory, text, sizeof text);
    answer_recovered(&buffer, is_complete, count, id);
    connection_deliver_id(connection, &buffer, recovery->position);
}

/* Notifies the transport once that the client gets what it missed. It may have ended afterwards. */
static void announce_beginning(struct recovery *recovery)
{
    if (!recovery->is_unannounced)
        return;
    recovery->is_unannounced = false;
    notified(recovery->connection)(recovery->connection, RECOVERY_BEGINS);
}

static void report(struct recovery *recovery, bool is_complete)
{
    struct connection *connection = recovery->connection;
    uint64_t count = recovery->count;

    recovery->answer = RECOVERED_SENT;
    recovery->count = 0;
    count_recovered(&connection->loop->counters, is_complete, count);
    if (notified(connection) == NULL)
        send_recovered(recovery, is_complete, count);
    else if (!is_complete)
        notified(connection)(connection, RECOVERY_IS_LOST);
}

/* --- progress ----------------------------------------------------------------------------- */

static bool may_see(const struct recovery *recovery, const ws_message *message)
{
    if (message->n_exclude == 0)
        return true;
    if (!message->is_foreign && message_excludes(message, recovery->connection->id))
        return false;
    return recovery->former == 0 || message->is_foreign != recovery->former_is_foreign ||
           !message_excludes(message, recovery->former);
}

/* Delivers the events that were read, which are all that the client missed up to position
 * `until`, and gives back those that it does not deliver, because the transport accepts no more
 * or because compressing them takes a whole turn. True if the transport accepts more. */
static bool deliver(struct recovery *recovery, ws_message *messages[], size_t count,
                    uint64_t until, uint32_t *cost)
{
    ws_loop *loop = recovery->connection->loop;
    uint32_t preparing = 0;
    bool has_room = true;

    announce_beginning(recovery);
    for (size_t i = 0; i < count; i++) {
        int result;

        if (!has_room || preparing >= COST_OF_ITS_TURN || recovery->connection == NULL) {
            ws_message_unref(messages[i]);
            continue;
        }
        recovery->position = messages[i]->position;
        if (!may_see(recovery, messages[i])) {
            ws_message_unref(messages[i]);
            continue;
        }
        result = connection_give(recovery->connection, messages[i]);
        recovery->count += result == WS_OK || result == WS_ERR_BACKPRESSURE;
        if (result == WS_ERR_DROPPED && recovery->answer == RECOVERED_COMPLETE)
            recovery->answer = RECOVERED_INCOMPLETE;
        preparing += loop_take_preparing(loop);
        has_room = result != WS_ERR_BACKPRESSURE;
    }
    if (has_room && preparing < COST_OF_ITS_TURN)
        recovery->position = until;
    *cost += preparing;
    return has_room;
}

/* Delivers the next value, or the next event that waits behind the values. A client that has come
 * back learns before its first event whether any before that are missing. It may have ended
 * afterwards. */
static int deliver_value(struct recovery *recovery)
{
    bool is_event = pending_is_event(pending_values_first(&recovery->values));
    ws_message *message;
    uint16_t n_events;
    int result;

    if (is_event && recovery->answer != RECOVERED_SENT &&
        recovery->start != RECOVERY_FROM_WELCOME)
        report(recovery, recovery->answer == RECOVERED_COMPLETE);
    if (recovery->connection == NULL)
        return WS_ERR_CLOSED;
    message = pending_values_take(&recovery->values);
    n_events = is_event ? message->frames.n_frames : 0; /* it may be a bundle */
    if (is_event)
        recovery->position = message->position;
    result = connection_give(recovery->connection, message);
    if (result == WS_ERR_DROPPED)
        recovery->answer = RECOVERED_INCOMPLETE;
    if (result == WS_OK || result == WS_ERR_BACKPRESSURE)
        recovery->count += n_events;
    return result;
}

/* Delivers the next values. True if the transport accepts more. */
static bool deliver_values(struct recovery *recovery, uint32_t *cost)
{
    ws_loop *loop = recovery->connection->loop;
    int result = WS_OK;

    while (result != WS_ERR_BACKPRESSURE && *cost < COST_OF_ITS_TURN &&
           recovery->connection != NULL && pending_values_left(&recovery->values) > 0) {
        result = deliver_value(recovery);
        *cost += 1 + loop_take_preparing(loop);
    }
    if (pending_values_left(&recovery->values) == 0)
        pending_values_drop(&recovery->values, &loop->manager->memory, 0);
    return result != WS_ERR_BACKPRESSURE;
}

/* The next state of a recovery that cannot continue now. */
struct outcome {
    bool wants_next_batch;
    enum recovery_wait wait;
};

/* Delivers values before anything else. Then the client's next messages are processed, and the
 * rest of the rooms that it named is joined. False if the recovery cannot continue now or has
 * ended. */
static bool step_values(struct recovery *recovery, struct outcome *outcome, uint32_t *cost)
{
    struct connection *connection = recovery->connection;

    announce_beginning(recovery);
    if (recovery->connection != NULL && !deliver_values(recovery, cost))
        outcome->wait = RECOVERY_WAITS_FOR_ROOM;
    if (recovery->connection == NULL)
        return false;
    if (pending_values_left(&recovery->values) > 0)
        return outcome->wait == RECOVERY_READY;
    release_input(recovery);
    if (!connection->enters_rooms)
        return outcome->wait == RECOVERY_READY;
    outcome->wait = RECOVERY_WAITS_FOR_JOINS;
    input_list_add(&connection->loop->inputs, &recovery->input);
    if (!connection->loop->running)
        loop_wake(connection->loop);
    return false;
}

/* The recovery has caught up with its loop: it ends, unless live events of a room that it
 * entered begin later. */
static void finish_if_caught_up(struct recovery *recovery, struct outcome *outcome)
{
    const ws_loop *loop = recovery->connection->loop;
    uint64_t position =
        recovery->position > loop->position ? recovery->position : loop->position;

    outcome->wants_next_batch =
        recovery->joined > position &&
        (manager_keeps_events(loop->manager) || recovery->answer != RECOVERED_SENT);
    if (outcome->wants_next_batch)
        return;
    recovery->position = position;
    if (recovery->answer != RECOVERED_SENT)
        report(recovery, recovery->answer == RECOVERED_COMPLETE);
    if (recovery->connection != NULL)
        detach(recovery);
}

/* The next events are lost. The client learns of that before it gets any later event, because
 * it may be disconnected at any time and then takes the last id that it saw for its
 * position. */
static void report_loss(struct recovery *recovery, struct outcome *outcome)
{
    const ws_loop *loop = recovery->connection->loop;

    skip_to(recovery, loop->position);
    report(recovery, false);
    if (recovery->connection != NULL)
        finish_if_caught_up(recovery, outcome);
}

/* Where no history is kept: the client gets all events after this point. */
static void stop_skipping(struct recovery *recovery)
{
    const ws_loop *loop = recovery->connection->loop;

    if (!recovery->values.skips_events || recovery->connection->enters_rooms ||
        recovery->joined > loop->position)
        return;
    skip_to(recovery, loop->position);
    recovery->values.skips_events = false;
}

/* Reads and delivers the next missed events. False if the recovery cannot continue now or has
 * ended (recovery->connection is NULL then). */
static bool step(struct recovery *recovery, struct outcome *outcome, uint32_t *cost)
{
    ws_message *messages[RECOVERY_READ_AT_ONCE];
    uint64_t until;
    size_t count;

    stop_skipping(recovery);
    if (pending_values_left(&recovery->values) > 0)
        return step_values(recovery, outcome, cost);
    switch (recovery_read(recovery, messages, &count, &until)) {
    case READ_WAITS_FOR_EPOCH:
        outcome->wait = RECOVERY_WAITS_FOR_EPOCH;
        return false;
    case READ_WAITS_FOR_PAGE:
        outcome->wait = RECOVERY_WAITS_FOR_PAGE;
        return false;
    case READ_WAITS_FOR_POSITION: /* it may be long */
        announce_beginning(recovery);
        outcome->wait = RECOVERY_WAITS_FOR_POSITION;
        return false;
    case READ_NO_MEMORY:
        connection_out_of_memory(recovery->connection);
        return false;
    case READ_LOST:
        report_loss(recovery, outcome);
        return false;
    case READ_ALL:
        announce_beginning(recovery);
        if (recovery->connection != NULL)
            finish_if_caught_up(recovery, outcome);
        return false;
    case READ_SOME:
        /* Each read searches the history for each room, which takes 75 ns. */
        *cost += (uint32_t)count + 1 + recovery->connection->rooms.count;
        if (!deliver(recovery, messages, count, until, cost))
            outcome->wait = RECOVERY_WAITS_FOR_ROOM;
        break;
    }
    return recovery->connection != NULL && outcome->wait == RECOVERY_READY;
}

/* Starts the timer for the next check: at once at first, at last every second, because the
 * process may be cut off for any time. */
static void check_later(struct recovery *recovery)
{
    timer_start(&recovery->connection->loop->timers, &recovery->timer, recovery->poll_ms);
    recovery->poll_ms =
        recovery->poll_ms < POLL_MAX_MS / 2 ? 2 * recovery->poll_ms + 1 : POLL_MAX_MS;
}

/* Continues the recovery for its turn, then puts it on the list that it belongs to. True if it
 * cannot continue before the next batch. */
static bool run_turn(struct recovery *recovery)
{
    ws_loop *loop = recovery->connection->loop;
    struct outcome outcome = {false, RECOVERY_READY};
    uint32_t cost = 0;

    page_waits_looked(recovery);
    recovery->use = RECOVERY_RUNS;
    while (cost < COST_OF_ITS_TURN && step(recovery, &outcome, &cost))
        ;
    loop->for_recovery -= loop->for_recovery < cost + 1 ? loop->for_recovery : cost + 1;
    if (recovery->connection == NULL) {
        recovery_release(loop, recovery);
        return false;
    }
    if (outcome.wait == RECOVERY_WAITS_FOR_ROOM && recovery->use == RECOVERY_RUNS_WRITABLE)
        outcome.wait = RECOVERY_READY;
    recovery->use = RECOVERY_RESTS;
    recovery_list_move(recovery, outcome.wait);
    recovery->waits_since_ms = loop->timers.now_ms;
    if (outcome.wait == RECOVERY_WAITS_FOR_POSITION)
        check_later(recovery);
    return outcome.wants_next_batch;
}

/* Where no history is kept, events between the client's welcome and now may have had no route to
 * it, or were skipped. Those that are posted from now on come behind the joins that callbacks made:
 * the client receives all of them. */
static void note_gap(struct recovery *recovery, bool in_order)
{
    ws_manager *manager = recovery->connection->loop->manager;
    uint64_t newest;

    manager_lock(manager);
    newest = manager->position;
    manager_unlock(manager);
    if (newest == recovery->began) {
        recovery->values.skips_events = false;
    } else if (recovery->values.skips_events || !in_order) {
        recovery->answer = RECOVERED_INCOMPLETE;
        recovery->joined = newest;
    }
}

/* The joins that callbacks made meanwhile are done before it reads the history. */
void recovery_rooms_entered(struct recovery *recovery, bool in_order)
{
    struct connection *connection = recovery->connection;
    ws_loop *loop = connection->loop;

    connection->enters_rooms = false;
    if (manager_keeps_events(loop->manager)) {
        recovery->from_batch = loop->n_batches + 2;
        recovery_list_move(recovery,
                           loop->has_epoch ? RECOVERY_READY : RECOVERY_WAITS_FOR_EPOCH);
        return;
    }
    note_gap(recovery, in_order);
    recovery_list_move(recovery, RECOVERY_READY);
    if (!connection_is_behind(connection))
        run_turn(recovery);
}

bool recoveries_run(ws_loop *loop)
{
    bool any_ran = loop->recoveries->ended != NULL && loop->for_recovery > 0;

    loop_assert_thread(loop);
    drop_values_of_ended(loop);
    for (uint32_t left = loop->recoveries->ready.count; left > 0 && loop->for_recovery > 0;
         left--) {
        struct recovery *recovery = loop->recoveries->ready.first;

        /* Recoveries may have ended because of others. */
        if (recovery == NULL)
            break;
        if (recovery->from_batch > loop->n_batches)
            recovery_list_move(recovery, RECOVERY_READY);
        else
            run_turn(recovery);
        any_ran = true;
    }
    any_ran |= page_waits_run(loop);
    return any_ran;
}

void recoveries_epoch(ws_loop *loop, const char *epoch)
{
    struct recovery *next;

    memcpy(loop->epoch, epoch, sizeof loop->epoch);
    loop->has_epoch = true;
    page_waits_end(loop);
    for (struct recovery *recovery = loop->recoveries->waiting.first; recovery != NULL;
         recovery = next) {
        next = recovery->next;
        recovery->joined = loop->carried;
        if (recovery->wait == RECOVERY_WAITS_FOR_EPOCH)
            recovery_list_move(recovery, RECOVERY_READY);
    }
    for (struct recovery *recovery = loop->recoveries->ready.first; recovery != NULL;
         recovery = recovery->next)
        recovery->joined = loop->carried;
}

void recovery_writable(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    struct recovery *recovery = connection->recovery;

    if (!connection->recovering)
        return;
    if (recovery->use == RECOVERY_RUNS)
        recovery->use = RECOVERY_RUNS_WRITABLE;
    if (recovery->wait != RECOVERY_WAITS_FOR_ROOM || recovery->use != RECOVERY_RESTS)
        return;
    recovery_list_move(recovery, RECOVERY_READY);
    /* The loop's next turn continues the recovery if this turn's budget is spent: many clients
     * that read fast would otherwise get all that they missed between two turns. It also does if
     * it is running, or has commands left. */
    while (connection->recovering && recovery->wait == RECOVERY_READY && !loop->running &&
           loop->done == loop->batch.count && loop->for_recovery > 0)
        if (run_turn(recovery))
            break;
    page_waits_run(loop);
}
