/* rooms.c: joining, leaving and listing rooms. */
#include "core/rooms/rooms.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "core/checks.h"
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
    int result;

    if (manager == NULL || !name_text_valid(room))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a room was joined");
    if (result != WS_OK)
        return result;
    return send_command(manager, connection, room, &(struct command){.kind = COMMAND_JOIN},
                        true);
}

int ws_manager_leave_room(ws_manager *manager, ws_conn_id connection, const char *room)
{
    int result;

    if (manager == NULL || !name_text_valid(room))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a room was left");
    if (result != WS_OK)
        return result;
    return send_command(manager, connection, room, &(struct command){.kind = COMMAND_LEAVE},
                        true);
}

int ws_manager_reauthorize(ws_manager *manager, ws_conn_id connection)
{
    int result;

    if (manager == NULL)
        return WS_ERR_INVALID;
    result = checks_call(manager, "a client was reauthorized");
    if (result != WS_OK)
        return result;
    manager_note_reauthorization(manager);
    return send_command(manager, connection, NULL,
                        &(struct command){.kind = COMMAND_REAUTHORIZE}, true);
}

/* --- visiting members ------------------------------------------------------------------------ */

/* Members that are read under one hold of the lock: a tenth of a millisecond. */
enum { MEMBERS_AT_ONCE = 1000 };

/* A walk over a group's members, loop by loop, from the last member of each share to the first: a
 * member that leaves is replaced by the last one, which so may be met twice but not be missed. It
 * holds no share, which would otherwise outlive its loop: loops may be freed in between. */
struct walk {
    struct target target;
    uint32_t loop;  /* the loop whose members are next */
    uint32_t below; /* its members before this place are to come */
};

struct id_list {
    ws_conn_id *ids;
    size_t count;
    size_t capacity;
};

/* The loop's share of the group; NULL: it has none. The lock is held. */
static struct share *find_share(ws_manager *manager, const struct walk *walk)
{
    const ws_loop *loop = manager->loops[walk->loop];

    manager_assert_locked(manager);
    return loop != NULL ? registry_find_share(&manager->registry, walk->target.kind,
                                              walk->target.name, loop)
                        : NULL;
}

/* Reads the next members; returns how many. The lock is held. */
static size_t read_members(ws_manager *manager, struct walk *walk,
                           ws_conn_id ids[MEMBERS_AT_ONCE])
{
    size_t count = 0;

    manager_assert_locked(manager);
    while (walk->loop < manager->n_loops && count < MEMBERS_AT_ONCE) {
        struct share *share = find_share(manager, walk);

        if (share == NULL || walk->below > share->count)
            walk->below = share != NULL ? share->count : 0;
        while (walk->below > 0 && count < MEMBERS_AT_ONCE)
            ids[count++] = share_members(share)[--walk->below]->id;
        if (walk->below > 0)
            break;
        walk->loop++;
        walk->below = UINT32_MAX;
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
    struct walk walk = {.target = target, .below = UINT32_MAX};
    bool is_whole;
    size_t n;

    do {
        ws_conn_id ids[MEMBERS_AT_ONCE];

        manager_lock(manager);
        n = read_members(manager, &walk, ids);
        manager_unlock(manager);
        is_whole = n == 0 || add_ids(&manager->memory, list, ids, n);
    } while (n == MEMBERS_AT_ONCE && is_whole);
    if (list->count > MEMBERS_AT_ONCE)
        remove_repeated(list);
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
