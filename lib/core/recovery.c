/* recovery.c: clients that come back are given what they missed. */
#include "core/recovery.h"

#include <string.h>

#include "protocol/json/answer.h"

enum {
    READ_AT_ONCE = 64,       /* events, for which the lock is held */
    EVENTS_OF_ITS_TURN = 512 /* then another one that recovers gets its turn */
};

/* --- life -------------------------------------------------------------------------------------- */

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
    made->wants_events = options->after != NULL;
    made->is_id =
        made->wants_events && event_id_read(options->after, made->epoch, &made->position);
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
    memory_free(&manager->memory, recovery->cursors);
    memory_free(&manager->memory, recovery);
}

/* --- the loop's lists ---------------------------------------------------------------------------- */

static struct recovery_list *list_of(struct recovery *recovery)
{
    ws_loop *loop = recovery->connection->loop;

    return recovery->is_ready ? &loop->ready : &loop->waiting;
}

static void list(struct recovery *recovery, bool is_ready)
{
    struct recovery_list *list;

    recovery->is_ready = is_ready;
    list = list_of(recovery);
    recovery->next = NULL;
    recovery->previous = list->last;
    if (list->last != NULL)
        list->last->next = recovery;
    else
        list->first = recovery;
    list->last = recovery;
    list->count++;
}

static void unlist(struct recovery *recovery)
{
    struct recovery_list *list = list_of(recovery);

    if (recovery->previous != NULL)
        recovery->previous->next = recovery->next;
    else
        list->first = recovery->next;
    if (recovery->next != NULL)
        recovery->next->previous = recovery->previous;
    else
        list->last = recovery->previous;
    list->count--;
}

/* --- beginning and end ----------------------------------------------------------------------------- */

static int64_t wall_clock(const ws_manager *manager)
{
    return manager->options.clock(manager->options.user_data);
}

/* The lock is held. */
static bool is_kept(ws_manager *manager, const struct recovery *recovery, int64_t now_ms)
{
    history_expire(&manager->history, now_ms);
    return recovery->position >= manager->history.before;
}

static bool can_begin(ws_loop *loop, const struct recovery *recovery)
{
    ws_manager *manager = loop->manager;
    int64_t now_ms = wall_clock(manager);
    bool kept;

    if (!recovery->is_id || strcmp(recovery->epoch, loop->epoch) != 0 ||
        recovery->position > loop->carried)
        return false;
    manager_lock(manager);
    kept = is_kept(manager, recovery, now_ms);
    manager_unlock(manager);
    return kept;
}

bool recovery_begin(struct connection *connection, struct recovery *recovery)
{
    ws_loop *loop = connection->loop;

    recovery->connection = connection;
    recovery->is_busy = true;
    if (!recovery->wants_events || !can_begin(loop, recovery))
        return false;
    recovery->from_batch = loop->n_batches + 2;
    connection->recovering = true;
    connection->recovery = recovery;
    list(recovery, true);
    return true;
}

/* Takes it from its connection; the caller frees it, when it can. */
static void detach(struct recovery *recovery)
{
    unlist(recovery);
    recovery->connection->recovering = false;
    recovery->connection->recovery = NULL;
    recovery->connection = NULL;
}

void recovery_cancel(struct connection *connection)
{
    struct recovery *recovery = connection->recovery;

    if (!connection->recovering)
        return;
    detach(recovery);
    if (!recovery->is_busy)
        recovery_free(connection->loop->manager, recovery);
}

size_t recovery_event_id(const struct connection *connection, char id[EVENT_ID_SIZE])
{
    const ws_loop *loop = connection->loop;

    if (connection->recovering)
        return event_id_write(connection->recovery->epoch, connection->recovery->position, id);
    return event_id_write(loop->epoch, loop->carried, id);
}

void recovery_tell(struct connection *connection, uint64_t count, bool is_complete)
{
    const ws_loop *loop = connection->loop;
    char id[EVENT_ID_SIZE];
    struct buffer buffer;

    recovery_event_id(connection, id);
    buffer_init(&buffer, &loop->manager->memory);
    answer_recovered(&buffer, is_complete, count, id);
    connection_deliver_text(connection, &buffer);
}

/* --- going on -------------------------------------------------------------------------------------- */

/* Everyone's, the user's and the rooms' events behind its position; false if memory ran out. The lock is
 * held. */
static bool seek(const ws_manager *manager, struct recovery *recovery, size_t *found)
{
    const struct history *history = &manager->history;
    const struct connection *connection = recovery->connection;
    const struct rooms *rooms = &connection->rooms;
    size_t most = (size_t)rooms->count + 2;
    size_t count = 0;

    if (most > recovery->n_cursors) {
        memory_free(&manager->memory, recovery->cursors);
        recovery->n_cursors = 0;
        recovery->cursors = memory_alloc(&manager->memory, most * sizeof *recovery->cursors);
        if (recovery->cursors == NULL)
            return false;
        recovery->n_cursors = most;
    }
    count += history_seek(history, GROUP_EVERYONE, NULL, recovery->position,
                          &recovery->cursors[count]);
    if (connection->user != NULL)
        count += history_seek(history, GROUP_USER, connection->user->group->name,
                              recovery->position, &recovery->cursors[count]);
    for (uint32_t at = 0; at < rooms->count; at++)
        count += history_seek(history, GROUP_ROOM, rooms_at(rooms, at).share->group->name,
                              recovery->position, &recovery->cursors[count]);
    *found = count;
    return true;
}

enum read_result { READ_SOME, READ_ALL, READ_LOST, READ_NO_MEMORY };

/* The next events that it missed, each with a reference; READ_ALL: there are no more for now. */
static enum read_result read_missed(struct recovery *recovery,
                                    ws_message *messages[READ_AT_ONCE], size_t *count)
{
    const ws_loop *loop = recovery->connection->loop;
    ws_manager *manager = loop->manager;
    int64_t now_ms = wall_clock(manager);
    enum read_result result = READ_ALL;
    size_t n_cursors;

    *count = 0;
    manager_lock(manager);
    if (!is_kept(manager, recovery, now_ms)) {
        result = READ_LOST;
    } else if (!seek(manager, recovery, &n_cursors)) {
        result = READ_NO_MEMORY;
    } else {
        *count =
            history_read(recovery->cursors, n_cursors, loop->position, messages, READ_AT_ONCE);
        if (*count == READ_AT_ONCE)
            result = READ_SOME;
    }
    manager_unlock(manager);
    return result;
}

static bool may_see(const struct recovery *recovery, const ws_message *message)
{
    if (message->n_exclude == 0)
        return true;
    if (!message->is_foreign && message_excludes(message, recovery->connection->id))
        return false;
    return recovery->former == 0 || message->is_foreign != recovery->former_is_foreign ||
           !message_excludes(message, recovery->former);
}

/* Hands on what was read, and gives back what was not. True if the transport takes more. */
static bool hand_on(struct recovery *recovery, ws_message *messages[], size_t count)
{
    bool goes_on = true;

    for (size_t i = 0; i < count; i++) {
        int result;

        if (!goes_on || recovery->connection == NULL) {
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
        recovery->is_missing_some |= result == WS_ERR_DROPPED;
        goes_on = result != WS_ERR_BACKPRESSURE;
    }
    return goes_on;
}

static void finish(struct recovery *recovery, bool is_complete)
{
    struct connection *connection = recovery->connection;
    uint64_t count = recovery->count;

    recovery->position = connection->loop->position;
    recovery_tell(connection, count, is_complete);
    if (recovery->connection != NULL)
        detach(recovery);
}

/* Where it is when nothing more can be done for it now. */
enum step { STEP_OVER, STEP_READY, STEP_NEXT_BATCH, STEP_WAITS };

static enum step step(struct recovery *recovery, uint32_t *budget)
{
    const ws_loop *loop = recovery->connection->loop;
    uint32_t given = 0;

    while (recovery->connection != NULL && *budget > 0 && given < EVENTS_OF_ITS_TURN) {
        ws_message *messages[READ_AT_ONCE];
        size_t count;
        enum read_result result = read_missed(recovery, messages, &count);

        given += (uint32_t)count + 1;
        *budget -= *budget < count + 1 ? *budget : (uint32_t)count + 1;
        if (result == READ_NO_MEMORY) {
            connection_out_of_memory(recovery->connection);
        } else if (result == READ_LOST) {
            finish(recovery, false);
        } else if (!hand_on(recovery, messages, count)) {
            return recovery->connection != NULL ? STEP_WAITS : STEP_OVER;
        } else if (result == READ_ALL && recovery->connection != NULL) {
            recovery->position = loop->position;
            if (recovery->joined > loop->position)
                return STEP_NEXT_BATCH;
            finish(recovery, !recovery->is_missing_some);
        }
    }
    return recovery->connection != NULL ? STEP_READY : STEP_OVER;
}

/* Lets it go on, and puts it on the list where it belongs then; false if it wants the next batch. */
static bool go_on(struct recovery *recovery, uint32_t *budget)
{
    const ws_manager *manager = recovery->connection->loop->manager;
    enum step result;

    recovery->is_busy = true;
    recovery->is_drained = false;
    result = step(recovery, budget);
    recovery->is_busy = false;
    if (result == STEP_OVER) {
        recovery_free(manager, recovery);
        return true;
    }
    unlist(recovery);
    list(recovery, result != STEP_WAITS || recovery->is_drained);
    return result != STEP_NEXT_BATCH;
}

bool recoveries_run(ws_loop *loop, uint32_t *budget)
{
    bool wanted = false;

    for (uint32_t left = loop->ready.count; left > 0 && *budget > 0; left--) {
        struct recovery *recovery = loop->ready.first;

        /* Some may have ended meanwhile, by what others brought about. */
        if (recovery == NULL)
            break;
        if (recovery->from_batch > loop->n_batches) {
            unlist(recovery);
            list(recovery, true);
            wanted = true;
        } else if (!go_on(recovery, budget)) {
            wanted = true;
        }
    }
    return wanted;
}

void recovery_drained(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    struct recovery *recovery = connection->recovery;
    uint32_t budget = UINT32_MAX;

    if (!connection->recovering)
        return;
    recovery->is_drained = true;
    if (recovery->is_ready || recovery->is_busy)
        return;
    unlist(recovery);
    list(recovery, true);
    /* Else the loop is run, or will be at once. */
    if (!loop->running && loop->done == loop->batch.count)
        go_on(recovery, &budget);
}
