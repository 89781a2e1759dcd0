/* start.c: attaches a carrier of events between processes to the manager, and starts or replaces
 * the stream. Not here: the events that follow (deliver.c), and the requests to the carrier
 * (fetch.c). */
#include "core/cluster/stream_event.h"

#include <string.h>

#include "base/options.h"
#include "core/cluster/process_commands.h"
#include "core/inbox.h"
#include "core/presence/processes.h"
#include "core/sending/encode.h"
#include "core/sending/keep.h"
#include "core/sending/user_command.h"
#include "protocol/json/answer.h"

int ws_manager_set_cluster(ws_manager *manager, const ws_cluster *cluster, void *data)
{
    ws_cluster copy = {.size = sizeof copy};

    if (manager == NULL)
        return WS_ERR_INVALID;
    if (cluster == NULL) {
        manager_lock(manager);
        manager->has_cluster = false;
        manager_unlock(manager);
        return WS_OK;
    }
    if (!options_copy(&copy, sizeof copy, cluster) || copy.publish == NULL ||
        copy.fetch == NULL || (copy.remember == NULL) != (copy.recall == NULL))
        return WS_ERR_INVALID;
    if (manager->has_cluster || manager->n_loops > 0 || manager->position > 0)
        return WS_ERR_ALREADY;
    manager->cluster = copy;
    manager->cluster_data = data;
    manager->has_cluster = true;
    return WS_OK;
}

int ws_cluster_new_epoch(char *epoch)
{
    if (epoch == NULL)
        return WS_ERR_INVALID;
    return epoch_draw(epoch) ? WS_OK : WS_ERR_SYSTEM;
}

static bool positions_valid(uint64_t position, const ws_cluster_event *events, size_t n_events)
{
    if (n_events > position)
        return false;
    for (size_t i = 0; i < n_events; i++)
        if (events[i].position != position - n_events + 1 + i)
            return false;
    return true;
}

static bool values_valid(uint64_t position, const ws_cluster_event *values, size_t n_values)
{
    for (size_t i = 0; i < n_values; i++)
        if (values[i].scope != WS_SCOPE_ROOM || values[i].position > position ||
            values[i].position <= (i > 0 ? values[i - 1].position : 0))
            return false;
    return true;
}

/* Everything that ws_manager_cluster_start() allocates, before anything changes. What replaces the
 * manager's is made without the lock: there may be hundreds of thousands of events and values. */
struct start {
    char *epochs[MANAGER_MAX_LOOPS];
    ws_message *notice;
    /* NULL: no commands are missing, or no callback is asked. */
    struct user_command *reauthorize;
    ws_message **messages;
    struct kept_plan *plans; /* of the messages */
    size_t n_messages;
    struct kept_plan *value_plans; /* of what rooms have kept */
    size_t n_values;
    struct history history;
    uint64_t before; /* the position up to which the rooms' values are right; the first one of
                           the events, if they are replaced */
    bool begins_values; /* `values` replaces what rooms have kept */
    struct last_values values;
};

/* What the caller has read of the stream. */
struct stream_part {
    const char *epoch;
    uint64_t position;
    const ws_cluster_event *events;
    size_t n_events;
    const ws_cluster_event *values;
    size_t n_values;
};

/* Keeps what events change among the rooms' values, if their position is above `after` and at most
 * `until`. An event for which memory ran out is left out. The lock is held, unless `values` is a
 * copy. */
static void keep_values(const ws_manager *manager, struct last_values *values,
                        const char *epoch, const ws_cluster_event *events,
                        struct kept_plan *plans, size_t n_events, uint64_t after,
                        uint64_t until)
{
    for (size_t i = 0; i < n_events; i++) {
        const ws_cluster_event *event = &events[i];

        if (event->position <= after || event->position > until)
            continue;
        if (last_values_reserve(values, event->target, &plans[i]))
            keep_commit(manager, values, &plans[i], epoch, event->position);
        else
            last_values_leave_out(values, event->target, &plans[i], event->position);
    }
}

/* Decides whether what rooms have kept is still right: no event is missing between. Nothing but the
 * carrier's thread, which this is, changes the position or the epoch. */
static void compare(ws_manager *manager, struct start *start, const struct stream_part *part)
{
    uint64_t first = part->position - part->n_events;

    manager_lock(manager);
    start->before = manager->position;
    start->begins_values = !manager->cluster_started ||
                           strcmp(part->epoch, manager->epoch) != 0 || start->before < first ||
                           start->before > part->position;
    manager_unlock(manager);
    if (start->begins_values)
        start->before = first;
}

/* Otherwise the rooms begin with what the cluster has kept of earlier events. */
static bool prepare_replacement(const ws_manager *manager, struct start *start,
                                const struct stream_part *part)
{
    struct last_values *values = &start->values;

    if (!start->begins_values)
        return true;
    if (!last_values_begin_copy(&manager->last_values, values, start->before)) {
        start->begins_values = false;
        return false;
    }
    keep_values(manager, values, part->epoch, part->values, start->value_plans, start->n_values,
                0, start->before);
    keep_values(manager, values, part->epoch, part->events, start->plans, start->n_messages,
                start->before, part->position);
    return true;
}

/* Brings the rooms' values up to the stream. The lock is held. */
static void replace_values(ws_manager *manager, struct start *start,
                           const struct stream_part *part)
{
    manager_assert_locked(manager);
    if (start->begins_values)
        last_values_exchange(&manager->last_values, &start->values, part->position);
    else
        keep_values(manager, &manager->last_values, part->epoch, part->events, start->plans,
                    start->n_messages, start->before, part->position);
}

/* Stores an event in a history. A command only takes its position. If an event is not valid, or
 * memory ran out, the history begins after it. */
static void store(const ws_manager *manager, struct history *history, const char *epoch,
                  const ws_cluster_event *event, ws_message *message, int64_t now_ms)
{
    struct history_line *line;
    enum group_kind kind;

    if (is_process_command(event))
        return;
    if (message == NULL || !cluster_event_kind(event, &kind) ||
        !history_reserve(history, kind, event->target, &line)) {
        history_reset(history, event->position);
        return;
    }
    encode_finish(manager, message, epoch, event->position);
    history_append(history, line, message, now_ms);
}

/* Makes the history that replaces the manager's, because the stream was replaced or an unknown
 * number of events is missing. */
static void prepare_history(ws_manager *manager, struct start *start,
                            const struct stream_part *part, int64_t now_ms)
{
    struct history *history = &start->history;

    history->max_events = manager->history.max_events;
    history->max_bytes = manager->history.max_bytes;
    history->max_age_ms = manager->history.max_age_ms;
    history_reset(history, part->position - part->n_events);
    for (size_t i = 0; i < part->n_events; i++)
        store(manager, history, part->epoch, &part->events[i], start->messages[i], now_ms);
}

/* The lock is held. */
static void replace_history(ws_manager *manager, struct start *start,
                            const struct stream_part *part)
{
    struct history former = manager->history;

    manager_assert_locked(manager);
    manager->history = start->history;
    start->history = former;
    memcpy(manager->epoch, part->epoch, sizeof manager->epoch);
    manager->position = part->position;
    manager->commands_position = 0;
}

/* The lock is held. */
static int reserve_everywhere(ws_manager *manager)
{
    manager_assert_locked(manager);
    for (uint32_t i = 0; i < manager->n_loops; i++) {
        int result =
            manager->loops[i] != NULL ? loop_reserve_n(manager->loops[i], 3, true) : WS_OK;

        if (result != WS_OK)
            return result;
    }
    return WS_OK;
}

/* Posts the epoch to each loop, the notice of missed events to its connections, and if commands
 * may be missing, that they are to be reauthorized. The lock is held. */
static void post_epoch(struct posting *posting, char **epochs, ws_message *notice,
                       struct user_command *reauthorize)
{
    const ws_manager *manager = posting->manager;

    manager_assert_locked(manager);
    for (uint32_t i = 0; i < manager->n_loops; i++) {
        ws_loop *loop = manager->loops[i];

        if (loop == NULL)
            continue;
        posting_push(posting, loop,
                     &(struct command){.kind = COMMAND_EPOCH, .epoch = epochs[i]});
        epochs[i] = NULL;
        if (loop->n_connections == 0)
            continue;
        posting_push(
            posting, loop,
            &(struct command){.kind = COMMAND_EVENT, .message = ws_message_ref(notice)});
        if (reauthorize == NULL)
            continue;
        atomic_fetch_add_explicit(&reauthorize->refs, 1, memory_order_relaxed);
        posting_push(posting, loop,
                     &(struct command){.kind = COMMAND_USER, .user = reauthorize});
    }
}

/* Makes {"type":"recovered"} with `complete` false, at a position. Connections that recover do
 * not get it: they are notified by their recovery. */
static ws_message *make_gap_notice(const ws_manager *manager, const char *epoch,
                                   uint64_t position)
{
    char id[EVENT_ID_SIZE];
    struct buffer buffer;
    ws_message *message;

    event_id_write(epoch, position, id);
    buffer_init(&buffer, &manager->memory);
    answer_recovered(&buffer, false, 0, id);
    message = manager_message(manager, &buffer);
    if (message == NULL)
        return NULL;
    message->position = position > 0 ? position : 1;
    message->form = MESSAGE_GAP;
    message->has_id = true;
    return message;
}

static bool prepare_events(ws_manager *manager, struct start *start,
                           const ws_cluster_event *events, size_t n_events)
{
    enum group_kind kind;

    if (n_events == 0)
        return true;
    start->messages = memory_zalloc(&manager->memory, n_events * sizeof *start->messages);
    start->plans = memory_zalloc(&manager->memory, n_events * sizeof *start->plans);
    if (start->messages == NULL || start->plans == NULL)
        return false;
    for (size_t i = 0; i < n_events; i++) {
        start->n_messages++;
        if (!cluster_event_valid(&events[i], &kind)) /* or a command */
            continue;
        start->messages[i] = cluster_event_message(manager, &events[i]);
        if (start->messages[i] == NULL || !keep_prepare(manager, kind, events[i].target,
                                                        start->messages[i], &start->plans[i]))
            return false;
    }
    return true;
}

static bool prepare_value(ws_manager *manager, const ws_cluster_event *value,
                          struct kept_plan *plan)
{
    enum group_kind kind;
    ws_message *message;
    bool prepared;

    if (!cluster_event_valid(value, &kind))
        return true;
    message = cluster_event_message(manager, value);
    if (message == NULL)
        return false;
    prepared = keep_prepare_state(manager, value->target, message, plan);
    ws_message_unref(message);
    return prepared;
}

static bool prepare_values(ws_manager *manager, struct start *start,
                           const ws_cluster_event *values, size_t n_values)
{
    if (n_values == 0)
        return true;
    start->value_plans = memory_zalloc(&manager->memory, n_values * sizeof *start->value_plans);
    if (start->value_plans == NULL)
        return false;
    for (; start->n_values < n_values; start->n_values++)
        if (!prepare_value(manager, &values[start->n_values],
                           &start->value_plans[start->n_values]))
            return false;
    return true;
}

static bool prepare(ws_manager *manager, struct start *start, const struct stream_part *part,
                    bool has_gap, int64_t now_ms)
{
    for (uint32_t i = 0; i < MANAGER_MAX_LOOPS; i++) { /* a loop may be added meanwhile */
        start->epochs[i] = memory_copy_text(&manager->memory, part->epoch, EPOCH_LENGTH);
        if (start->epochs[i] == NULL)
            return false;
    }
    start->notice = make_gap_notice(manager, part->epoch, part->position);
    if (start->notice == NULL)
        return false;
    if (has_gap && (manager->options.authorize_join != NULL ||
                    manager->options.authorize_presence != NULL)) {
        start->reauthorize =
            user_command_new(&manager->memory, USER_REAUTHORIZE, NULL, 0, NULL);
        if (start->reauthorize == NULL)
            return false;
    }
    if (!prepare_events(manager, start, part->events, part->n_events) ||
        !prepare_values(manager, start, part->values, part->n_values))
        return false;
    compare(manager, start, part);
    prepare_history(manager, start, part, now_ms);
    return prepare_replacement(manager, start, part);
}

static void discard(const ws_manager *manager, struct start *start)
{
    for (size_t i = 0; i < MANAGER_MAX_LOOPS; i++)
        memory_free(&manager->memory, start->epochs[i]);
    for (size_t i = 0; i < start->n_messages; i++)
        if (start->messages[i] != NULL)
            ws_message_unref(start->messages[i]);
    for (size_t i = 0; start->plans != NULL && i < start->n_messages; i++)
        kept_plan_free(&manager->memory, &start->plans[i]);
    for (size_t i = 0; i < start->n_values; i++)
        kept_plan_free(&manager->memory, &start->value_plans[i]);
    memory_free(&manager->memory, start->value_plans);
    memory_free(&manager->memory, start->messages);
    user_command_unref(manager, start->reauthorize);
    memory_free(&manager->memory, start->plans);
    if (start->notice != NULL)
        ws_message_unref(start->notice);
    history_free(&start->history);
    if (start->begins_values)
        last_values_end_copy(&start->values);
}

/* Whether the manager goes on where it is. The lock is held. */
static bool continues(const ws_manager *manager, const char *epoch, uint64_t position)
{
    manager_assert_locked(manager);
    return manager->cluster_started && strcmp(epoch, manager->epoch) == 0 &&
           position == manager->position;
}

/* Notifies the application that commands may be missing. */
static void report_gap(ws_manager *manager)
{
    manager_assert_unlocked(manager);
    presence_gap(manager);
    if (manager->options.on_processes_gap != NULL)
        manager->options.on_processes_gap(manager, manager->options.user_data);
}

static int begin(ws_manager *manager, const struct stream_part *part)
{
    struct start start = {0};
    struct page *dropped = NULL;
    struct posting posting;
    bool has_gap = false;
    int result = process_commands_catch_up(manager, part->epoch, part->position, part->events,
                                           part->n_events, &has_gap);

    if (result != WS_OK)
        return result;
    history_init(&start.history, &manager->memory, manager->registry.secret);
    if (!prepare(manager, &start, part, has_gap, manager_clock(manager))) {
        discard(manager, &start);
        return WS_ERR_NO_MEMORY;
    }
    if (start.reauthorize != NULL)
        manager_note_reauthorization(manager);
    posting_begin(&posting, manager);
    result = reserve_everywhere(manager);
    if (result == WS_OK && !continues(manager, part->epoch, part->position)) {
        dropped = pages_begin_anew(&manager->pages);
        replace_history(manager, &start, part);
        replace_values(manager, &start, part);
        manager->cluster_started = true;
        post_epoch(&posting, start.epochs, start.notice, start.reauthorize);
    }
    posting_end(&posting);
    pages_free(&manager->memory, dropped);
    discard(manager, &start);
    if (result == WS_OK && has_gap)
        report_gap(manager);
    return result;
}

int ws_manager_cluster_start_with(ws_manager *manager, const char *epoch, uint64_t position,
                                  const ws_cluster_event *events, size_t n_events,
                                  const ws_cluster_event *values, size_t n_values)
{
    if (manager == NULL || epoch == NULL || !epoch_valid(epoch) ||
        (events == NULL && n_events > 0) || (values == NULL && n_values > 0) ||
        !positions_valid(position, events, n_events) ||
        !values_valid(position, values, n_values))
        return WS_ERR_INVALID;
    return begin(manager, &(struct stream_part){.epoch = epoch,
                                                .position = position,
                                                .events = events,
                                                .n_events = n_events,
                                                .values = values,
                                                .n_values = n_values});
}

int ws_manager_cluster_start(ws_manager *manager, const char *epoch, uint64_t position,
                             const ws_cluster_event *events, size_t n_events)
{
    return ws_manager_cluster_start_with(manager, epoch, position, events, n_events, NULL, 0);
}
