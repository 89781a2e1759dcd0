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

/* The position of `since`; *complete: whether the room has every event after it. */
static uint64_t read_since(ws_manager *manager, const char *room, const char *since,
                           uint64_t until, bool *complete)
{
    char epoch[EPOCH_SIZE];
    uint64_t position;
    bool is_ours;

    *complete = false;
    if (!event_id_read(since, epoch, &position))
        return 0;
    manager_lock(manager);
    is_ours = strcmp(epoch, manager->epoch) == 0;
    *complete = is_ours && position <= until &&
                last_values_reach(&manager->last_values, room, position);
    manager_unlock(manager);
    return is_ours ? position : 0;
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

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

static void reverse(ws_message **messages, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        ws_message *message = messages[i];

        messages[i] = messages[count - 1 - i];
        messages[count - 1 - i] = message;
    }
}

/* Reads in the order of positions; returns how many. */
static size_t read_values(ws_manager *manager, struct last_values_reader *reader)
{
    struct last_values *values = &manager->last_values;

    manager_lock(manager);
    last_values_begin_reading(values, reader);
    while (last_values_read(values, reader))
        manager_relock(manager);
    last_values_end_reading(values, reader);
    manager_unlock(manager);
    reverse(reader->messages, reader->count);
    return reader->count;
}

static size_t read_state(ws_manager *manager, const char *room, uint64_t until, size_t most,
                         ws_message **messages)
{
    return read_values(manager, &(struct last_values_reader){.use = KEPT_STATE,
                                                             .room = room,
                                                             .until = until,
                                                             .max = most,
                                                             .messages = messages});
}

/* Old events may leave the room's history while it is read: whether it has all of them is known
 * afterwards. */
static size_t read_events(const struct connection *connection, const char *room,
                          const struct room_wish *wish, uint64_t until, size_t most,
                          ws_message **messages, struct answer_entry *answer)
{
    ws_manager *manager = connection->loop->manager;
    struct last_values_reader reader = {.use = KEPT_HISTORY,
                                        .room = room,
                                        .until = until,
                                        .max = at_most(wish->last, most),
                                        .messages = messages};
    size_t count;

    if (wish->since[0] != '\0')
        reader.after = read_since(manager, room, wish->since, until, &answer->complete);
    count = read_values(manager, &reader);
    if (wish->since[0] != '\0')
        read_since(manager, room, wish->since, until, &answer->complete);
    if (wish->since[0] != '\0' && count == wish->last && wish->last < UINT32_MAX)
        answer->complete = false; /* there may be more */
    return drop_excluded(connection, messages, count);
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

/* What other threads emit meanwhile has a higher position than `until`: the client gets it live, or
 * from the history. */
static bool collect(struct connection *connection, const char *room,
                    const struct room_wish *wish, struct entry *entry)
{
    ws_manager *manager = connection->loop->manager;
    struct answer_entry *answer = &entry->answer;
    uint64_t until;
    size_t most;

    manager_lock(manager);
    until = end_of(connection, room);
    most = count_wished(manager, room, wish);
    manager_unlock(manager);
    entry->messages = memory_alloc(&manager->memory, (most + 1) * sizeof *entry->messages);
    if (entry->messages == NULL)
        return false;
    if (wish->state)
        answer->n_state = read_state(manager, room, until, most, entry->messages);
    if (wish->last > 0)
        answer->n_replayed = read_events(connection, room, wish, until, most - answer->n_state,
                                         entry->messages + answer->n_state, answer);
    entry->count = answer->n_state + answer->n_replayed;
    return true;
}

bool entry_collect(struct connection *connection, const char *room,
                   const struct room_wish *wish, struct entry *entry)
{
    *entry = (struct entry){.answer = {.has_state = wish->state,
                                       .has_replayed = wish->last > 0,
                                       .has_complete = wish->since[0] != '\0'}};
    return room_wish_is_empty(wish) || collect(connection, room, wish, entry);
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
