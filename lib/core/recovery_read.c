/* recovery_read.c: what a client that comes back missed: from what was fetched for it, and from the
 * history. */
#include "core/recovery_read.h"

#include <string.h>

#include "core/cluster.h"

/* Ticks of the timers, five seconds: no process is so far behind. */
enum { POLLS_FOR_POSITION = 150 };

bool recovery_is_kept(const struct recovery *recovery, int64_t now_ms)
{
    ws_manager *manager = recovery->connection->loop->manager;

    history_expire(&manager->history, now_ms);
    return recovery->position >= manager->history.before;
}

/* Everyone's, the user's and the rooms' events behind its position; false if memory ran out. The
 * lock is held. */
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

/* Of what was fetched, what went to everyone, to its user, or to a room that it is in. */
static bool is_for(const struct connection *connection, const struct fetched_event *event)
{
    const struct rooms *rooms = &connection->rooms;

    if (event->message == NULL)
        return false;
    if (event->kind == GROUP_EVERYONE)
        return true;
    if (event->kind == GROUP_USER)
        return connection->user != NULL &&
               strcmp(connection->user->group->name, event->name) == 0;
    for (uint32_t at = 0; at < rooms->count; at++)
        if (strcmp(rooms_at(rooms, at).share->group->name, event->name) == 0)
            return true;
    return false;
}

/* From what was fetched, behind its position; none if the rest is for others, and then that is
 * over. */
static size_t read_fetched(struct recovery *recovery,
                           ws_message *messages[RECOVERY_READ_AT_ONCE])
{
    const struct connection *connection = recovery->connection;
    struct fetched *fetched = recovery->fetched;
    size_t count = 0;

    for (uint64_t i = recovery->position - fetched->after;
         i < fetched->count && count < RECOVERY_READ_AT_ONCE; i++)
        if (is_for(connection, &fetched->events[i]))
            messages[count++] = ws_message_ref(fetched->events[i].message);
    if (count == 0) {
        recovery->position = fetched->after + fetched->count;
        fetched_free(connection->loop->manager, fetched);
        recovery->fetched = NULL;
    }
    return count;
}

/* From the history. */
static enum read_result read_history(struct recovery *recovery,
                                     ws_message *messages[RECOVERY_READ_AT_ONCE], size_t *count)
{
    const ws_loop *loop = recovery->connection->loop;
    ws_manager *manager = loop->manager;
    int64_t now_ms = manager_clock(manager);
    enum read_result result = READ_ALL;
    size_t n_cursors;

    manager_lock(manager);
    if (!recovery_is_kept(recovery, now_ms)) {
        result = READ_LOST;
    } else if (!seek(manager, recovery, &n_cursors)) {
        result = READ_NO_MEMORY;
    } else {
        *count = history_read(recovery->cursors, n_cursors, loop->position, messages,
                              RECOVERY_READ_AT_ONCE);
        if (*count == RECOVERY_READ_AT_ONCE)
            result = READ_SOME;
    }
    manager_unlock(manager);
    return result;
}

enum read_result recovery_read(struct recovery *recovery,
                               ws_message *messages[RECOVERY_READ_AT_ONCE], size_t *count)
{
    const ws_loop *loop = recovery->connection->loop;
    enum read_result result;

    *count = 0;
    if (recovery->is_lost || strcmp(recovery->epoch, loop->epoch) != 0)
        return READ_LOST;
    if (recovery->position > loop->position)
        return recovery->n_polls++ < POLLS_FOR_POSITION ? READ_WAITS_FOR_POSITION : READ_LOST;
    if (recovery->fetched != NULL) {
        *count = read_fetched(recovery, messages);
        return READ_SOME;
    }
    result = read_history(recovery, messages, count);
    if (result == READ_LOST && cluster_fetch(recovery->connection, recovery->position))
        return READ_WAITS_FOR_FETCHED;
    return result;
}
