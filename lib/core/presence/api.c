/* api.c: the application's functions about presence. */
#include <ws_manager/presence.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "core/presence/beat.h"
#include "core/presence/states.h"

static bool room_valid(const char *room)
{
    return room == NULL || name_text_valid(room);
}

static const char *name_of(const char *room)
{
    return room != NULL ? room : PRESENCE_SERVICE;
}

int ws_manager_enable_presence(ws_manager *manager, const char *room)
{
    struct presence_room *opened;
    struct posting posting;
    int result;

    if (manager == NULL || !room_valid(room))
        return WS_ERR_INVALID;
    posting_begin(&posting, manager);
    result = presence_open_room(manager, name_of(room), &opened);
    if (result == WS_OK)
        opened->is_declared = true;
    presence_find_keeper(&posting);
    posting_end(&posting);
    return result;
}

int ws_manager_disable_presence(ws_manager *manager, const char *room)
{
    struct presence_room *found;

    if (manager == NULL || !room_valid(room))
        return WS_ERR_INVALID;
    manager_lock(manager);
    found = presence_find_room(manager->presence, name_of(room));
    if (found != NULL) {
        found->is_declared = false;
        presence_drop_room(manager->presence, found);
    }
    manager_unlock(manager);
    return WS_OK;
}

int ws_manager_get_presence(ws_manager *manager, const char *room, char **text, size_t *length)
{
    struct presence_room *opened;
    struct posting posting;
    struct buffer buffer;
    int result;

    if (manager == NULL || text == NULL || !room_valid(room))
        return WS_ERR_INVALID;
    buffer_init(&buffer, &manager->memory);
    posting_begin(&posting, manager);
    result = presence_open_room(manager, name_of(room), &opened);
    if (result == WS_OK) {
        presence_choose_form(manager->presence, opened);
        presence_add_list(&buffer, opened);
        presence_drop_room(manager->presence, opened);
    }
    presence_find_keeper(&posting);
    posting_end(&posting);
    if (result == WS_OK)
        return buffer_finish(&buffer, text, length);
    buffer_free(&buffer);
    return result;
}

int ws_manager_set_presence_state(ws_manager *manager, const char *room, const char *user_id,
                                  const char *json, size_t length)
{
    struct posting posting;
    size_t left;
    char *state;
    int result;

    if (manager == NULL || !room_valid(room) || !name_text_valid(user_id) || json == NULL)
        return WS_ERR_INVALID;
    if (!json_valid(json, length, manager->options.max_client_json_depth))
        return WS_ERR_BAD_JSON;
    result = states_make(manager, json, length, &state, &left);
    if (result != WS_OK)
        return result;
    posting_begin(&posting, manager);
    result = states_set(manager, name_of(room), user_id, state, left);
    presence_find_keeper(&posting);
    posting_end(&posting);
    return result;
}
