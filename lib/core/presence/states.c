/* states.c: the small states of members, such as "is typing", which clients and the application
 * set. */
#include "core/presence/states.h"

#include <string.h>

#include <ws_manager/presence.h>

#include "base/json_text.h"
#include "core/presence/beat.h"

/* A command that tells other processes of it has two levels more, and is in an object. */
enum { STATE_MAX_DEPTH = JSON_MAX_DEPTH - 2 };

/* Copies a valid JSON text without the white space between its parts. NULL if memory ran out. */
static char *compact(const ws_allocator *memory, const char *json, size_t length, size_t *left)
{
    char *copy = memory_alloc(memory, length + 1);
    bool is_string = false;

    *left = 0;
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (!is_string && strchr(" \t\r\n", json[i]) != NULL)
            continue;
        copy[(*left)++] = json[i];
        if (json[i] == '"')
            is_string = !is_string;
        else if (is_string && json[i] == '\\')
            copy[(*left)++] = json[++i];
    }
    copy[*left] = '\0';
    return copy;
}

/* Sets the state of a member, and takes over the text. */
static int replace(struct presence *presence, struct presence_room *room, const char *user,
                   char *state, size_t length)
{
    uint64_t most = presence->manager->options.max_presence_bytes;
    struct presence_member *member = presence_find_member(presence, room, user);
    bool is_none = length == 4 && memcmp(state, "null", 4) == 0;
    size_t bytes = is_none ? 0 : length;
    int result = WS_OK;

    if (member == NULL || !presence_is_there(member))
        result = WS_ERR_NOT_MEMBER;
    else if (most > 0 && bytes > member->state_length &&
             presence->bytes - member->state_length + bytes > most)
        result = WS_ERR_LIMIT;
    if (result != WS_OK || is_none)
        memory_free(&presence->manager->memory, state);
    if (result != WS_OK)
        return result;
    presence_replace_state(presence, member, is_none ? NULL : state, bytes);
    member->state_position = STATE_SET_HERE;
    member->has_new_state = member->is_state_unsent = true;
    member->is_state_forgotten = false;
    presence_note(presence, member, true);
    return WS_OK;
}

int states_set(ws_manager *manager, const char *room, const char *user, char *state,
               size_t length)
{
    struct presence_room *opened;
    int result = presence_open_room(manager, room, &opened);

    manager_assert_locked(manager);
    if (result != WS_OK) {
        memory_free(&manager->memory, state);
        return result;
    }
    result = replace(manager->presence, opened, user, state, length);
    presence_drop_room(manager->presence, opened);
    return result;
}

int states_make(const ws_manager *manager, const char *json, size_t length, char **state,
                size_t *left)
{
    if (length > manager->options.max_event_bytes)
        return WS_ERR_TOO_BIG;
    *state = compact(&manager->memory, json, length, left);
    if (*state == NULL)
        return WS_ERR_NO_MEMORY;
    if (*left <= WS_PRESENCE_STATE_MAX && json_valid(*state, *left, STATE_MAX_DEPTH))
        return WS_OK;
    memory_free(&manager->memory, *state);
    return *left <= WS_PRESENCE_STATE_MAX ? WS_ERR_BAD_JSON : WS_ERR_TOO_BIG;
}

/* Whether a connection is in a room; every one is in the service. The lock is held. */
static bool is_member(const struct connection *connection, const char *room)
{
    struct group *group = registry_find(&connection->loop->manager->registry, GROUP_ROOM, room);

    manager_assert_locked(connection->loop->manager);
    if (strcmp(room, PRESENCE_SERVICE) == 0)
        return true;
    for (const struct share *share = group != NULL ? group_shares(group) : NULL; share != NULL;
         share = share->next)
        if (share->loop == connection->loop)
            return rooms_find(&connection->rooms, share) != ROOMS_NONE;
    return false;
}

int presence_set_state(struct connection *connection, const char *room, const char *json,
                       size_t length)
{
    ws_manager *manager = connection->loop->manager;
    size_t left;
    char *state;
    int result;

    if (connection->user == NULL)
        return WS_ERR_FORBIDDEN;
    result = states_make(manager, json, length, &state, &left);
    if (result != WS_OK)
        return result;
    manager_lock(manager);
    if (is_member(connection, room)) {
        result = states_set(manager, room, connection->user->group->name, state, left);
        presence_keep(connection->loop);
    } else {
        memory_free(&manager->memory, state);
        result = WS_ERR_NOT_MEMBER;
    }
    manager_unlock(manager);
    return result;
}
