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

/* From now on the members are in somebody's list. One whose change is still to be sent may cancel it
 * out no more. */
static void note_shown(struct presence_room *room)
{
    for (struct presence_member *member = room->first; member != NULL; member = member->next) {
        if (!presence_is_there(member))
            continue;
        if (member->is_changed) {
            member->is_shown = true;
        } else {
            member->is_told = true;
            member->has_new_state = false;
            member->told_connections = presence_connections(member);
        }
    }
}

bool presence_make_list(struct presence *presence, struct presence_room *room, int64_t time_ms)
{
    struct buffer data;
    bool is_big = presence_is_too_big(presence, room);

    manager_assert_locked(presence->manager);
    if (room->list != NULL)
        return true;
    buffer_init(&data, &presence->manager->memory);
    presence_add_list(&data, room, is_big || room->is_big);
    room->list = finish(presence->manager, room, "presence", &data, time_ms);
    if (room->list == NULL)
        return false;
    if (room->told_count != room->n_members)
        room->told_count = SIZE_MAX; /* this client knows another count than the others */
    if (!is_big && !room->is_big) {
        note_shown(room);
    } else if (is_big && !room->is_big) {
        /* Others may have had a list so far. */
        room->is_big = room->is_reset = true;
        presence_note_room(presence, room);
    }
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
