/* read.c: reads the events that a recovering client missed, from the history or from pages of
 * the cluster's stream. */
#include "core/recovery/read.h"

#include <string.h>

#include "core/cluster/stream_end.h"
#include "core/recovery/page_waits.h"

enum { REFUSED_MAX_MS = 30000 };

bool recovery_is_kept(const struct recovery *recovery, int64_t now_ms)
{
    ws_manager *manager = recovery->connection->loop->manager;

    manager_assert_locked(manager);
    history_expire(&manager->history, now_ms);
    return recovery->position >= manager->history.before;
}

/* Sets cursors to the events for everyone, the user and the rooms after the recovery's
 * position; false if memory ran out. The lock is held. */
static bool seek(const struct history *history, struct recovery *recovery, size_t *found)
{
    const struct connection *connection = recovery->connection;
    const ws_allocator *memory = &connection->loop->manager->memory;
    const struct rooms *rooms = &connection->rooms;
    size_t most = (size_t)rooms->count + 2;
    size_t count = 0;

    manager_assert_locked(connection->loop->manager);
    if (most > recovery->n_cursors) {
        memory_free(memory, recovery->cursors);
        recovery->n_cursors = 0;
        recovery->cursors = memory_alloc(memory, most * sizeof *recovery->cursors);
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
        if (rooms_share(rooms, at)->group->kind == GROUP_ROOM)
            count += history_seek(history, GROUP_ROOM, rooms_share(rooms, at)->group->name,
                                  recovery->position, &recovery->cursors[count]);
    *found = count;
    return true;
}

/* Reads up to RECOVERY_READ_AT_ONCE events up to *until; if there are more, *until becomes the
 * position of the last one read. The lock is held. */
static enum read_result read_from(const struct history *history, struct recovery *recovery,
                                  ws_message *messages[RECOVERY_READ_AT_ONCE], size_t *count,
                                  uint64_t *until)
{
    size_t n_cursors;

    manager_assert_locked(recovery->connection->loop->manager);
    if (!seek(history, recovery, &n_cursors))
        return READ_NO_MEMORY;
    *count =
        history_read(recovery->cursors, n_cursors, *until, messages, RECOVERY_READ_AT_ONCE);
    if (*count == RECOVERY_READ_AT_ONCE)
        *until = messages[*count - 1]->position;
    return READ_SOME;
}

/* The lock is held. */
static enum read_result read_page(struct recovery *recovery,
                                  ws_message *messages[RECOVERY_READ_AT_ONCE], size_t *count,
                                  uint64_t *until)
{
    ws_manager *manager = recovery->connection->loop->manager;
    struct pages *pages = &manager->pages;
    const struct page *page;

    manager_assert_locked(manager);
    if (!manager->has_cluster)
        return READ_LOST;
    page = pages_find(pages, recovery->position);
    if (page == NULL && recovery->position < pages->lost)
        return READ_LOST;
    pages->n_readers += !recovery->reads_pages;
    recovery->reads_pages = true;
    if (page == NULL)
        return READ_WAITS_FOR_PAGE;
    if (page->until < *until)
        *until = page->until;
    return read_from(&page->events, recovery, messages, count, until);
}

void recovery_read_end(struct recovery *recovery)
{
    ws_loop *loop = recovery->connection->loop;
    struct pages *pages = &loop->manager->pages;
    bool is_last;

    if (!recovery->reads_pages)
        return;
    recovery->reads_pages = false;
    manager_lock(loop->manager);
    is_last = --pages->n_readers == 0;
    if (is_last)
        pages->idle_ms = loop->clock.host_ms;
    manager_unlock(loop->manager);
    if (is_last)
        page_waits_tick(loop);
}

/* Handles a client that has seen events which this process has not. It waits, however long the
 * process is cut off, unless the stream does not contain those events. */
static enum read_result look_ahead(struct recovery *recovery)
{
    ws_loop *loop = recovery->connection->loop;
    int result = WS_OK;

    if (loop->manager->has_cluster)
        result = cluster_reaches(loop, recovery->position, &recovery->question);
    else if (recovery->position > loop->carried)
        result = WS_ERR_NOT_FOUND;
    if (result == WS_ERR_NOT_FOUND)
        return READ_LOST;
    if (result == WS_OK)
        recovery->refused_since_ms = 0;
    else if (recovery->refused_since_ms == 0)
        recovery->refused_since_ms = loop->timers.now_ms;
    else if (loop->timers.now_ms - recovery->refused_since_ms >= REFUSED_MAX_MS)
        return READ_LOST;
    return READ_WAITS_FOR_POSITION;
}

enum read_result recovery_read(struct recovery *recovery,
                               ws_message *messages[RECOVERY_READ_AT_ONCE], size_t *count,
                               uint64_t *until)
{
    const ws_loop *loop = recovery->connection->loop;
    ws_manager *manager = loop->manager;
    enum read_result result;
    int64_t now_ms;

    *count = 0;
    *until = loop->position;
    if (recovery->wait == RECOVERY_LOST || strcmp(recovery->epoch, loop->epoch) != 0)
        return READ_LOST;
    if (!manager_keeps_events(manager))
        return READ_ALL;
    if (recovery->position > loop->position)
        return look_ahead(recovery);
    if (recovery->position == loop->position)
        return READ_ALL;
    now_ms = manager_clock(manager);
    manager_lock(manager);
    if (strcmp(loop->epoch, manager->epoch) != 0)
        result = READ_WAITS_FOR_EPOCH;
    else if (recovery_is_kept(recovery, now_ms))
        result = read_from(&manager->history, recovery, messages, count, until);
    else
        result = read_page(recovery, messages, count, until);
    manager_unlock(manager);
    return result;
}
