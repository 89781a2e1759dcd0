/* rooms.c: joining, leaving and listing rooms. */
#include "core/rooms/rooms.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "core/costs.h"
#include "core/presence/watch.h"
#include "core/rooms/membership.h"
#include "core/sending/send.h"
#include "core/sending/total_order.h"

struct share *room_pin(const struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    struct share *share;

    manager_lock(manager);
    share = manager_pin_room(manager, room, connection->loop);
    manager_unlock(manager);
    return share;
}

struct share *room_pin_existing(const struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    struct share *share;

    manager_lock(manager);
    share = registry_find_share(&manager->registry, GROUP_ROOM, room, connection->loop);
    if (share != NULL)
        share->pins++;
    manager_unlock(manager);
    return share;
}

void room_pin_share(const struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;

    manager_lock(manager);
    share->pins++;
    manager_unlock(manager);
}

void room_unpin(const struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;

    if (share == NULL)
        return;
    manager_lock(manager);
    presence_unpin(manager, share);
    manager_unlock(manager);
}

void room_joined(struct connection *connection, const char *room, int result)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->on_join == NULL || connection->state == CONNECTION_GONE)
        return;
    loop_charge(connection->loop, INPUT_COST_CALLBACK);
    options->on_join(manager, connection_view(connection, &view), room, result,
                     manager->options.user_data);
}

void room_left(struct connection *connection, const char *room, int result)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->on_leave == NULL || connection->state == CONNECTION_GONE)
        return;
    loop_charge(connection->loop, INPUT_COST_CALLBACK);
    options->on_leave(manager, connection_view(connection, &view), room, result,
                      manager->options.user_data);
}

void room_join(struct connection *connection, struct share *share)
{
    if (connection->state == CONNECTION_LIVE)
        room_joined(connection, share->group->name, membership_enter(connection, share));
}

void room_leave(struct connection *connection, struct share *share)
{
    if (connection->state == CONNECTION_LIVE)
        room_left(connection, share->group->name, membership_leave(connection, share));
}

int ws_manager_join_room(ws_manager *manager, ws_conn_id connection, const char *room)
{
    if (manager == NULL || !name_text_valid(room))
        return WS_ERR_INVALID;
    return send_command(manager, connection, room, &(struct command){.kind = COMMAND_JOIN},
                        true);
}

int ws_manager_leave_room(ws_manager *manager, ws_conn_id connection, const char *room)
{
    if (manager == NULL || !name_text_valid(room))
        return WS_ERR_INVALID;
    return send_command(manager, connection, room, &(struct command){.kind = COMMAND_LEAVE},
                        true);
}

int ws_manager_reauthorize(ws_manager *manager, ws_conn_id connection)
{
    if (manager == NULL)
        return WS_ERR_INVALID;
    manager_note_reauthorization(manager);
    return send_command(manager, connection, NULL,
                        &(struct command){.kind = COMMAND_REAUTHORIZE}, true);
}

/* --- visiting members ------------------------------------------------------------------------ */

/* Members that are read under one hold of the lock: a tenth of a millisecond. */
enum { MEMBERS_AT_ONCE = 1000 };

/* A walk over a group's shares, from the last member of each to the first: a member that leaves is
 * replaced by the last one, which so may be met twice but not be missed. */
struct walk {
    struct target target;
    bool has_begun;
    struct share *share; /* pinned; NULL: the walk has not begun, or is over */
    uint32_t below;      /* members before this place are to come */
};

struct id_list {
    ws_conn_id *ids;
    size_t count;
    size_t capacity;
};

/* The lock is held. */
static void enter_share(ws_manager *manager, struct walk *walk, struct share *share)
{
    struct share *former = walk->share;

    if (share != NULL)
        share->pins++;
    walk->share = share;
    walk->below = UINT32_MAX;
    if (former != NULL)
        registry_unpin(&manager->registry, former);
}

/* Reads the next members; returns how many. The lock is held. */
static size_t read_members(ws_manager *manager, struct walk *walk,
                           ws_conn_id ids[MEMBERS_AT_ONCE])
{
    size_t count = 0;

    manager_assert_locked(manager);
    if (!walk->has_begun) {
        struct group *group =
            registry_find(&manager->registry, walk->target.kind, walk->target.name);

        walk->has_begun = true;
        enter_share(manager, walk, group != NULL ? group_shares(group) : NULL);
    }
    while (walk->share != NULL && count < MEMBERS_AT_ONCE) {
        struct connection **members = share_members(walk->share);

        if (walk->below > walk->share->count)
            walk->below = walk->share->count;
        while (walk->below > 0 && count < MEMBERS_AT_ONCE)
            ids[count++] = members[--walk->below]->id;
        if (walk->below == 0)
            enter_share(manager, walk, walk->share->next);
    }
    return count;
}

static bool add_ids(const ws_allocator *memory, struct id_list *list, const ws_conn_id *ids,
                    size_t n)
{
    if (n > list->capacity - list->count) {
        size_t capacity = 2 * list->count + n;
        ws_conn_id *grown = memory_realloc(memory, list->ids, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        list->ids = grown;
        list->capacity = capacity;
    }
    memcpy(list->ids + list->count, ids, n * sizeof *ids);
    list->count += n;
    return true;
}

static int compare_ids(const void *left, const void *right)
{
    ws_conn_id a = *(const ws_conn_id *)left;
    ws_conn_id b = *(const ws_conn_id *)right;

    return (a > b) - (a < b);
}

static void remove_repeated(struct id_list *list)
{
    size_t kept = 0;

    qsort(list->ids, list->count, sizeof *list->ids, compare_ids);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->ids[i] != list->ids[kept - 1])
            list->ids[kept++] = list->ids[i];
    list->count = kept;
}

/* Lists the members of a group; false if memory ran out. */
static bool list_members(ws_manager *manager, struct target target, struct id_list *list)
{
    struct walk walk = {.target = target};
    bool is_whole = true;

    do {
        ws_conn_id ids[MEMBERS_AT_ONCE];
        size_t n;

        manager_lock(manager);
        n = read_members(manager, &walk, ids);
        manager_unlock(manager);
        is_whole = n == 0 || add_ids(&manager->memory, list, ids, n);
    } while (walk.share != NULL && is_whole);
    if (list->count > MEMBERS_AT_ONCE)
        remove_repeated(list);
    if (walk.share != NULL) {
        manager_lock(manager);
        enter_share(manager, &walk, NULL);
        manager_unlock(manager);
    }
    return is_whole;
}

static int for_each(ws_manager *manager, struct target target, ws_each_callback *each,
                    void *user_data)
{
    struct id_list list = {NULL, 0, 0};
    int result = 0;

    if (manager == NULL || each == NULL || !name_text_valid(target.name))
        return WS_ERR_INVALID;
    if (!list_members(manager, target, &list))
        result = WS_ERR_NO_MEMORY;
    for (size_t i = 0; i < list.count && result == 0; i++)
        result = each(list.ids[i], user_data);
    memory_free(&manager->memory, list.ids);
    return result;
}

int ws_manager_for_each_member(ws_manager *manager, const char *room, ws_each_callback *each,
                               void *user_data)
{
    return for_each(manager, (struct target){GROUP_ROOM, room}, each, user_data);
}

int ws_manager_for_each_connection_of_user(ws_manager *manager, const char *user_id,
                                           ws_each_callback *each, void *user_data)
{
    return for_each(manager, (struct target){GROUP_USER, user_id}, each, user_data);
}

int ws_manager_is_member(ws_manager *manager, ws_conn_id connection, const char *room)
{
    const struct connection *found;
    struct group *group;
    int result = 0;

    if (manager == NULL || !name_text_valid(room))
        return 0;
    manager_lock(manager);
    found = connection_find(manager, connection);
    group = registry_find(&manager->registry, GROUP_ROOM, room);
    for (const struct share *share = group != NULL ? group_shares(group) : NULL;
         found != NULL && share != NULL; share = share->next)
        if (share->loop == found->loop)
            result = rooms_find(&found->rooms, share) != ROOMS_NONE;
    manager_unlock(manager);
    return result;
}
