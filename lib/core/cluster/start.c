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

/* Everything that ws_manager_cluster_start() allocates, before anything changes. */
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
 * `until`. An event for which memory ran out is left out. The lock is held. */
static void keep_values(ws_manager *manager, const ws_cluster_event *events,
                        struct kept_plan *plans, size_t n_events, uint64_t after,
                        uint64_t until)
{
    struct last_values *values = &manager->last_values;

    manager_assert_locked(manager);
    for (size_t i = 0; i < n_events; i++) {
        const ws_cluster_event *event = &events[i];

        if (event->position <= after || event->position > until)
            continue;
        if (last_values_reserve(values, event->target, &plans[i]))
            keep_commit(manager, &plans[i], event->position);
        else
            last_values_leave_out(values, event->target, &plans[i], event->position);
    }
}

/* Brings the rooms' values up to the stream. What was kept is still right if no event is missing
 * between; otherwise the rooms begin with what the cluster has kept of earlier events. The lock is
 * held; `before` is the manager's position before. */
static void replace_values(ws_manager *manager, struct start *start,
                           const struct stream_part *part, bool is_same_stream, uint64_t before)
{
    uint64_t first = part->position - start->n_messages;

    manager_assert_locked(manager);
    if (!is_same_stream || before < first || before > part->position) {
        last_values_reset(&manager->last_values, first);
        keep_values(manager, part->values, start->value_plans, start->n_values, 0, first);
        before = first;
    }
    keep_values(manager, part->events, start->plans, start->n_messages, before, part->position);
}

/* Stores an event in the history. A command only takes its position. If an event is not valid, or
 * memory ran out, the history begins after it. The lock is held. */
static void keep(ws_manager *manager, const ws_cluster_event *event, ws_message *message,
                 int64_t now_ms)
{
    struct history_line *line;
    enum group_kind kind;

    manager_assert_locked(manager);
    manager->position = event->position;
    if (is_process_command(event))
        return;
    if (message == NULL || !cluster_event_kind(event, &kind) ||
        !history_reserve(&manager->history, kind, event->target, &line)) {
        history_reset(&manager->history, event->position);
        return;
    }
    encode_finish(manager, message, manager->epoch, event->position);
    history_append(&manager->history, line, message, now_ms);
}

/* Replaces the history, because the stream was replaced or an unknown number of events is
 * missing. The lock is held. */
static void replace_history(ws_manager *manager, const char *epoch, uint64_t position,
                            const ws_cluster_event *events, ws_message **messages,
                            size_t n_events, int64_t now_ms)
{
    manager_assert_locked(manager);
    memcpy(manager->epoch, epoch, sizeof manager->epoch);
    history_reset(&manager->history, position - n_events);
    for (size_t i = 0; i < n_events; i++)
        keep(manager, &events[i], messages[i], now_ms);
    manager->position = position;
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
                    bool has_gap)
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
    return prepare_events(manager, start, part->events, part->n_events) &&
           prepare_values(manager, start, part->values, part->n_values);
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
    int64_t now_ms;
    uint64_t before;
    bool is_same;
    int result = process_commands_catch_up(manager, part->epoch, part->position, part->events,
                                           part->n_events, &has_gap);

    if (result != WS_OK)
        return result;
    if (!prepare(manager, &start, part, has_gap)) {
        discard(manager, &start);
        return WS_ERR_NO_MEMORY;
    }
    now_ms = manager_clock(manager);
    if (start.reauthorize != NULL)
        manager_note_reauthorization(manager);
    posting_begin(&posting, manager);
    result = reserve_everywhere(manager);
    if (result == WS_OK && !continues(manager, part->epoch, part->position)) {
        dropped = pages_begin_anew(&manager->pages);
        is_same = manager->cluster_started && strcmp(part->epoch, manager->epoch) == 0;
        before = manager->position;
        replace_history(manager, part->epoch, part->position, part->events, start.messages,
                        part->n_events, now_ms);
        replace_values(manager, &start, part, is_same, before);
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
