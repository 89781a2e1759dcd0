/* list.c: makes the messages with which observers receive a room's members and their changes. */
#include "core/presence/list.h"

#include "core/sending/encode.h"

/* Makes a message without a position, and frees its data. */
static ws_message *finish(const ws_manager *manager, const struct presence_room *room,
                          const char *type, struct buffer *data, int64_t time_ms)
{
    ws_message *message = NULL;

    if (!data->failed)
        message = encode_event(&manager->memory,
                               &(struct event_fields){
                                   .type = type,
                                   .data = data->data,
                                   .data_length = data->length,
                                   .timestamp_ms = time_ms,
                                   .room = *room->name != '\0' ? room->name : NULL,
                               },
                               NULL, 0);
    buffer_free(data);
    if (message != NULL)
        encode_finish(manager, message, NULL, 0);
    return message;
}

/* Notes that an observer has received a list with the present members. A member with an unsent
 * change is then announced as joined or left even if it reverts the change meanwhile, because the
 * observers have different lists. */
static void note_shown(struct presence_room *room)
{
    for (struct presence_member *member = room->first; member != NULL; member = member->next) {
        if (!member->is_changed) {
            member->is_known = presence_is_there(member);
            member->has_new_state = false;
            member->known_connections = presence_connections(member);
        } else if (presence_is_there(member)) {
            member->is_shown = true;
        } else if (member->is_known) {
            member->is_known = false;
            member->is_shown = true;
        }
    }
}

void presence_note_given(struct presence *presence, struct presence_room *room)
{
    manager_assert_locked(presence->manager);
    if (room->known_count != room->n_members)
        room->known_count = SIZE_MAX; /* this client has a different count from the others */
    if (!room->is_big)
        note_shown(room);
}

bool presence_make_list(struct presence *presence, struct presence_room *room, int64_t time_ms)
{
    struct buffer data;

    manager_assert_locked(presence->manager);
    if (room->list != NULL)
        return true;
    buffer_init(&data, &presence->manager->memory);
    presence_add_list(&data, room);
    room->list = finish(presence->manager, room, "presence", &data, time_ms);
    if (room->list == NULL)
        return false;
    presence_note_given(presence, room);
    return true;
}

ws_message *presence_make_changes(struct presence *presence, const struct presence_room *room,
                                  struct presence_member *const *members, size_t n,
                                  int64_t time_ms)
{
    struct buffer data;

    manager_assert_locked(presence->manager);
    buffer_init(&data, &presence->manager->memory);
    presence_add_changes(&data, room, members, n);
    return finish(presence->manager, room, "presence_changed", &data, time_ms);
}
