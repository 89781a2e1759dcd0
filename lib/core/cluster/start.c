/* start.c: attaches a carrier of events between processes to the manager, and starts or replaces
 * the stream. Not here: the events that follow (deliver.c), and the requests to the carrier
 * (fetch.c). */
#include "core/cluster/stream_event.h"

#include <string.h>

#include "base/options.h"
#include "core/cluster/orders.h"
#include "core/inbox.h"
#include "core/presence/processes.h"
#include "core/sending/encode.h"
#include "core/sending/keep.h"
#include "core/sending/user_orders.h"
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

/* Everything that ws_manager_cluster_start() allocates, before anything changes. */
struct start {
    char *epochs[MANAGER_MAX_LOOPS];
    ws_message *notice;
    struct user_command *reauthorize; /* NULL: no orders are missing, or no callback is asked */
    ws_message **messages;
    struct kept_plan *plans; /* of the messages */
    size_t n_messages;
};

/* Keeps what the events change among the rooms' values, from the one after `after` on. An event
 * for which memory ran out is left out. The lock is held. */
static void keep_values(ws_manager *manager, struct start *start,
                        const ws_cluster_event *events, uint64_t after)
{
    manager_assert_locked(manager);
    for (size_t i = 0; i < start->n_messages; i++)
        if (events[i].position > after &&
            last_values_reserve(&manager->last_values, events[i].target, &start->plans[i]))
            keep_commit(manager, &start->plans[i], events[i].position);
}

/* Brings the rooms' values up to the stream. What was kept is still right if no event is missing
 * between. The lock is held; `before` is the manager's position before. */
static void replace_values(ws_manager *manager, struct start *start, bool is_same_stream,
                           uint64_t before, const ws_cluster_event *events, uint64_t position)
{
    uint64_t first = position - start->n_messages;

    manager_assert_locked(manager);
    if (!is_same_stream || before < first || before > position) {
        last_values_reset(&manager->last_values, first);
        before = first;
    }
    keep_values(manager, start, events, before);
}

/* Stores an event in the history. An order only takes its position. If an event is not valid, or
 * memory ran out, the history begins after it. The lock is held. */
static void keep(ws_manager *manager, const ws_cluster_event *event, ws_message *message,
                 int64_t now_ms)
{
    struct history_line *line;
    enum group_kind kind;

    manager_assert_locked(manager);
    manager->position = event->position;
    if (is_order(event))
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
    manager->orders_position = 0;
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

/* Posts the epoch to each loop, the notice of missed events to its connections, and if orders may be
 * missing, that they are to be reauthorized. The lock is held. */
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

static bool prepare(ws_manager *manager, struct start *start, const char *epoch,
                    uint64_t position, const ws_cluster_event *events, size_t n_events,
                    bool has_gap)
{
    enum group_kind kind;

    for (uint32_t i = 0; i < MANAGER_MAX_LOOPS; i++) { /* a loop may be added meanwhile */
        start->epochs[i] = memory_copy_text(&manager->memory, epoch, EPOCH_LENGTH);
        if (start->epochs[i] == NULL)
            return false;
    }
    start->notice = make_gap_notice(manager, epoch, position);
    if (start->notice == NULL)
        return false;
    if (has_gap && (manager->options.authorize_join != NULL ||
                    manager->options.authorize_presence != NULL)) {
        start->reauthorize =
            user_command_new(&manager->memory, USER_REAUTHORIZE, NULL, 0, NULL);
        if (start->reauthorize == NULL)
            return false;
    }
    if (n_events == 0)
        return true;
    start->messages = memory_zalloc(&manager->memory, n_events * sizeof *start->messages);
    start->plans = memory_zalloc(&manager->memory, n_events * sizeof *start->plans);
    if (start->messages == NULL || start->plans == NULL)
        return false;
    for (start->n_messages = 0; start->n_messages < n_events; start->n_messages++) {
        const ws_cluster_event *event = &events[start->n_messages];
        ws_message *message = NULL;

        if (cluster_event_valid(event, &kind))
            message = cluster_event_message(manager, event);
        start->messages[start->n_messages] = message;
        if (message != NULL && !is_order(event) &&
            !keep_prepare(manager, kind, event->target, message,
                          &start->plans[start->n_messages]))
            return false;
    }
    return true;
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

/* Notifies the application that orders may be missing. */
static void report_gap(ws_manager *manager)
{
    manager_assert_unlocked(manager);
    presence_gap(manager);
    if (manager->options.on_processes_gap != NULL)
        manager->options.on_processes_gap(manager, manager->options.user_data);
}

int ws_manager_cluster_start(ws_manager *manager, const char *epoch, uint64_t position,
                             const ws_cluster_event *events, size_t n_events)
{
    struct start start = {0};
    struct page *dropped = NULL;
    struct posting posting;
    bool has_gap = false;
    int64_t now_ms;
    uint64_t before;
    bool is_same;
    int result;

    if (manager == NULL || epoch == NULL || !epoch_valid(epoch) ||
        (events == NULL && n_events > 0) || !positions_valid(position, events, n_events))
        return WS_ERR_INVALID;
    result = orders_catch_up(manager, epoch, position, events, n_events, &has_gap);
    if (result != WS_OK)
        return result;
    if (!prepare(manager, &start, epoch, position, events, n_events, has_gap)) {
        discard(manager, &start);
        return WS_ERR_NO_MEMORY;
    }
    now_ms = manager_clock(manager);
    if (start.reauthorize != NULL)
        manager_note_reauthorization(manager);
    posting_begin(&posting, manager);
    result = reserve_everywhere(manager);
    if (result == WS_OK && !continues(manager, epoch, position)) {
        dropped = pages_begin_anew(&manager->pages);
        is_same = manager->cluster_started && strcmp(epoch, manager->epoch) == 0;
        before = manager->position;
        replace_history(manager, epoch, position, events, start.messages, n_events, now_ms);
        replace_values(manager, &start, is_same, before, events, position);
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
