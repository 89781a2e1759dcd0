/* receive.c: the functions that a carrier of events between processes calls: start, delivery,
 * receipts.
 * Not here: the requests to it (fetch.c). */
#include "core/cluster/stream_event.h"

#include <string.h>

#include "base/options.h"
#include "core/inbox.h"
#include "core/sending/encode.h"
#include "core/sending/publish.h"
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
        copy.fetch == NULL)
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

/* --- delivery ----------------------------------------------------------------------------- */

static bool is_next(ws_manager *manager, uint64_t position)
{
    bool next;

    manager_lock(manager);
    next = manager->cluster_started && position == manager->position + 1;
    manager_unlock(manager);
    return next;
}

/* Skips an event that is not valid: it has no recipients, but uses its position. */
static void pass_over(ws_manager *manager, uint64_t position)
{
    manager_log(manager, WS_LOG_WARN, "event %llu of the stream is not valid and was skipped",
                (unsigned long long)position);
    manager_lock(manager);
    manager->position++;
    manager_unlock(manager);
}

int ws_manager_cluster_deliver(ws_manager *manager, const ws_cluster_event *event)
{
    struct account before;
    ws_message *message;
    enum group_kind kind;
    int result;

    if (manager == NULL || event == NULL || !is_next(manager, event->position))
        return WS_ERR_INVALID;
    if (!cluster_event_valid(event, &kind)) {
        pass_over(manager, event->position);
        return WS_OK;
    }
    message = cluster_event_message(manager, event);
    if (message == NULL)
        return WS_ERR_NO_MEMORY;
    before = account_set((struct account){.kind = ACCOUNT_CLUSTER});
    result = send_event(manager, (struct target){kind, event->target}, message,
                        manager_clock(manager));
    account_set(before);
    ws_message_unref(message);
    return result;
}

void ws_manager_cluster_stored(ws_manager *manager, void *receipt, int result,
                               uint64_t position)
{
    struct receipt *given = receipt;
    char id[EVENT_ID_SIZE] = "";

    if (manager == NULL || given == NULL)
        return;
    if (result == WS_OK && position > 0) {
        manager_lock(manager);
        event_id_write(manager->epoch, position, id);
        manager_unlock(manager);
    }
    given->stored(result, id, given->stored_data);
    memory_free(&manager->memory, given);
}

/* --- start -------------------------------------------------------------------------------- */

static bool positions_valid(uint64_t position, const ws_cluster_event *events, size_t n_events)
{
    if (n_events > position)
        return false;
    for (size_t i = 0; i < n_events; i++)
        if (events[i].position != position - n_events + 1 + i)
            return false;
    return true;
}

/* Stores an event in the history. If it is not valid, or memory ran out, the history begins
 * after it. The lock is held. */
static void keep(ws_manager *manager, const ws_cluster_event *event, ws_message *message,
                 int64_t now_ms)
{
    struct history_line *line;
    enum group_kind kind;

    manager_assert_locked(manager);
    manager->position = event->position;
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
}

/* The lock is held. */
static int reserve_everywhere(ws_manager *manager)
{
    manager_assert_locked(manager);
    for (uint32_t i = 0; i < manager->n_loops; i++) {
        int result =
            manager->loops[i] != NULL ? loop_reserve_n(manager->loops[i], 2, true) : WS_OK;

        if (result != WS_OK)
            return result;
    }
    return WS_OK;
}

/* Posts the epoch to each loop, and the notice of missed events to its connections. The lock is
 * held. */
static void post_epoch(struct posting *posting, char **epochs, ws_message *notice)
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
        if (loop->n_connections > 0)
            posting_push(
                posting, loop,
                &(struct command){.kind = COMMAND_EVENT, .message = ws_message_ref(notice)});
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
    if (message != NULL)
        message->position = position > 0 ? position : 1;
    return message;
}

/* Everything that ws_manager_cluster_start() allocates, before anything changes. */
struct start {
    char *epochs[MANAGER_MAX_LOOPS];
    ws_message *notice;
    ws_message **messages;
    size_t n_messages;
};

static bool prepare(const ws_manager *manager, struct start *start, const char *epoch,
                    uint64_t position, const ws_cluster_event *events, size_t n_events)
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
    if (n_events == 0)
        return true;
    start->messages = memory_zalloc(&manager->memory, n_events * sizeof *start->messages);
    if (start->messages == NULL)
        return false;
    for (start->n_messages = 0; start->n_messages < n_events; start->n_messages++)
        if (cluster_event_valid(&events[start->n_messages], &kind))
            start->messages[start->n_messages] =
                cluster_event_message(manager, &events[start->n_messages]);
    return true;
}

static void discard(const ws_manager *manager, struct start *start)
{
    for (size_t i = 0; i < MANAGER_MAX_LOOPS; i++)
        memory_free(&manager->memory, start->epochs[i]);
    for (size_t i = 0; i < start->n_messages; i++)
        if (start->messages[i] != NULL)
            ws_message_unref(start->messages[i]);
    memory_free(&manager->memory, start->messages);
    if (start->notice != NULL)
        ws_message_unref(start->notice);
}

int ws_manager_cluster_start(ws_manager *manager, const char *epoch, uint64_t position,
                             const ws_cluster_event *events, size_t n_events)
{
    struct start start = {0};
    struct page *dropped = NULL;
    struct posting posting;
    int64_t now_ms;
    bool continues;
    int result;

    if (manager == NULL || epoch == NULL || !epoch_valid(epoch) ||
        (events == NULL && n_events > 0) || !positions_valid(position, events, n_events))
        return WS_ERR_INVALID;
    if (!prepare(manager, &start, epoch, position, events, n_events)) {
        discard(manager, &start);
        return WS_ERR_NO_MEMORY;
    }
    now_ms = manager_clock(manager);
    posting_begin(&posting, manager);
    result = reserve_everywhere(manager);
    if (result == WS_OK) {
        continues = manager->cluster_started && strcmp(epoch, manager->epoch) == 0 &&
                    position == manager->position;
        if (!continues) {
            dropped = pages_begin_anew(&manager->pages);
            replace_history(manager, epoch, position, events, start.messages, n_events, now_ms);
            manager->cluster_started = true;
            post_epoch(&posting, start.epochs, start.notice);
        }
    }
    posting_end(&posting);
    pages_free(&manager->memory, dropped);
    discard(manager, &start);
    return result;
}
