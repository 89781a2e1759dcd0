/* entry.c: what a client that enters a room receives first. */
#include "core/recovery/entry.h"

#include <string.h>

#include "core/connections/delivery.h"
#include "core/connections/doom.h"
#include "core/recovery/recovery.h"

/* More than these, or more than the client's queue takes, are delivered over several turns. */
enum { GIVEN_AT_ONCE = 512 };

/* --- collecting ------------------------------------------------------------------------------- */

/* The position up to which values are collected. Where no history is kept, later events come live,
 * or wait for the client. If it named the room when it connected, the loop may have had no share of
 * the room: events before the share was made have no route here, so the values have them. The lock
 * is held. */
static uint64_t end_of(const struct connection *connection, const char *room)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    uint64_t position = loop->carried;
    const struct share *share;
    uint64_t since;

    if (manager_keeps_events(manager))
        return recovery_position(connection);
    if (!connection->enters_rooms)
        return position;
    share = registry_find_share(&manager->registry, GROUP_ROOM, room, loop);
    if (share == NULL)
        return position;
    /* Of a share that is 2^32 events old this is wrong, at worst for one value that comes twice. */
    since = manager->position - (uint32_t)((uint32_t)manager->position - share->since);
    return since > position ? since : position;
}

/* The position of `since`; *complete: whether the room has every event after it. The lock is
 * held. */
static uint64_t read_since(const ws_manager *manager, const char *room, const char *since,
                           uint64_t until, bool *complete)
{
    char epoch[EPOCH_SIZE];
    uint64_t position;

    *complete = false;
    if (!event_id_read(since, epoch, &position) || strcmp(epoch, manager->epoch) != 0)
        return 0;
    *complete = position <= until && last_values_reach(&manager->last_values, room, position);
    return position;
}

/* Drops the replayed events that exclude the connection. Kept values are not passed here: every
 * member receives the room's state, including the client that caused the change. */
static size_t drop_excluded(const struct connection *connection, ws_message **messages,
                            size_t count)
{
    size_t n_left = 0;

    for (size_t i = 0; i < count; i++) {
        if (messages[i]->n_exclude > 0 && !messages[i]->is_foreign &&
            message_excludes(messages[i], connection->id))
            ws_message_unref(messages[i]);
        else
            messages[n_left++] = messages[i];
    }
    return n_left;
}

static size_t read_events(const struct connection *connection, const char *room,
                          const struct room_wish *wish, ws_message **messages,
                          struct answer_entry *answer)
{
    ws_manager *manager = connection->loop->manager;
    uint64_t until = end_of(connection, room);
    uint64_t after = 0;
    size_t count;

    if (wish->since[0] != '\0')
        after = read_since(manager, room, wish->since, until, &answer->complete);
    count = last_values_read(&manager->last_values, KEPT_HISTORY, room, after, until,
                             wish->last, messages);
    if (wish->since[0] != '\0' && count == wish->last && wish->last < UINT32_MAX)
        answer->complete = false; /* there may be more */
    return drop_excluded(connection, messages, count);
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

/* The most values that the wish can be given. The lock is held. */
static size_t count_wished(const ws_manager *manager, const char *room,
                           const struct room_wish *wish)
{
    const struct last_values *values = &manager->last_values;
    size_t count = 0;

    manager_assert_locked(manager);
    if (wish->state)
        count += last_values_count(values, KEPT_STATE, room);
    if (wish->last > 0)
        count += at_most(last_values_count(values, KEPT_HISTORY, room), wish->last);
    return count;
}

static bool collect(struct connection *connection, const char *room,
                    const struct room_wish *wish, struct entry *entry)
{
    ws_manager *manager = connection->loop->manager;
    struct answer_entry *answer = &entry->answer;
    size_t most = count_wished(manager, room, wish);

    entry->messages = memory_alloc(&manager->memory, (most + 1) * sizeof *entry->messages);
    if (entry->messages == NULL)
        return false;
    if (wish->state)
        answer->n_state = last_values_read(&manager->last_values, KEPT_STATE, room, 0,
                                           end_of(connection, room), SIZE_MAX, entry->messages);
    if (wish->last > 0)
        answer->n_replayed =
            read_events(connection, room, wish, entry->messages + answer->n_state, answer);
    entry->count = answer->n_state + answer->n_replayed;
    return true;
}

bool entry_collect(struct connection *connection, const char *room,
                   const struct room_wish *wish, struct entry *entry)
{
    ws_manager *manager = connection->loop->manager;
    bool collected;

    *entry = (struct entry){.answer = {.has_state = wish->state,
                                       .has_replayed = wish->last > 0,
                                       .has_complete = wish->since[0] != '\0'}};
    if (room_wish_is_empty(wish))
        return true;
    manager_lock(manager);
    collected = collect(connection, room, wish, entry);
    manager_unlock(manager);
    return collected;
}

/* For a client that reads the history, those that are newer than its position are passed over. */
uint32_t entry_cost(const struct connection *connection, const char *room,
                    const struct room_wish *wish)
{
    ws_manager *manager = connection->loop->manager;
    struct room_wish passed = *wish;
    size_t count;

    if (room_wish_is_empty(wish))
        return 0;
    if (connection->recovering && manager_keeps_events(manager) && wish->last > 0)
        passed.last = UINT32_MAX;
    manager_lock(manager);
    count = count_wished(manager, room, &passed);
    manager_unlock(manager);
    return (uint32_t)at_most(count, UINT32_MAX);
}

/* --- delivering ------------------------------------------------------------------------------- */

/* Gives the client what it accepts at once; returns how many. */
static size_t give_some(struct connection *connection, const struct entry *entry)
{
    int result = WS_OK;
    size_t given = 0;

    while (given < entry->count && connection->state == CONNECTION_LIVE && result == WS_OK &&
           given < GIVEN_AT_ONCE)
        result = connection_give(connection, entry->messages[given++]);
    return given;
}

/* The first `given` messages were handed over. */
static void free_rest(const struct connection *connection, struct entry *entry, size_t given)
{
    while (given < entry->count)
        ws_message_unref(entry->messages[given++]);
    memory_free(&connection->loop->manager->memory, entry->messages);
    *entry = (struct entry){0};
}

void entry_free(const struct connection *connection, struct entry *entry)
{
    free_rest(connection, entry, 0);
}

void entry_deliver(struct connection *connection, struct entry *entry)
{
    size_t given = 0;
    bool is_live;

    if (!connection->recovering) {
        given = give_some(connection, entry);
        loop_charge(connection->loop, (uint32_t)given);
    }
    is_live = connection->state == CONNECTION_LIVE;
    if (is_live && given < entry->count &&
        recovery_add_values(connection, entry->messages + given, entry->count - given))
        given = entry->count;
    else if (is_live && given < entry->count)
        connection_out_of_memory(connection);
    free_rest(connection, entry, given);
}
