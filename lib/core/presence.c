/* presence.c: telling the others that a connection came or went. */
#include "core/presence.h"

#include "core/encode.h"
#include "core/send.h"

static ws_message *encode_presence(const ws_manager *manager, const char *type, ws_conn_id id,
                                   const char *user_id, const char *room)
{
    char name[CONNECTION_NAME_SIZE];
    struct buffer data;
    ws_message *message = NULL;

    buffer_init(&data, &manager->memory);
    buffer_add_text(&data, "{\"connection_id\":");
    buffer_add_json_string(&data, name, manager_connection_name(manager, id, name));
    buffer_add_text(&data, ",\"user_id\":");
    buffer_add_json_string_or_null(&data, user_id);
    buffer_add_text(&data, "}");
    if (!data.failed)
        message =
            encode_event(&manager->memory,
                         &(struct event_fields){
                             .type = type,
                             .data = data.data,
                             .data_length = data.length,
                             .timestamp_ms = manager->options.clock(manager->options.user_data),
                             .user_id = user_id,
                             .room = room,
                         },
                         &id, 1);
    buffer_free(&data);
    return message;
}

void presence_send(ws_manager *manager, const char *type, ws_conn_id id, const char *user_id)
{
    struct target target = {GROUP_EVERYONE, NULL};
    ws_message *message;

    if (manager->options.presence_events == WS_PRESENCE_OFF)
        return;
    if (manager->options.presence_events == WS_PRESENCE_ROOM)
        target = (struct target){GROUP_ROOM, manager->options.presence_room};
    message = encode_presence(manager, type, id, user_id, target.name);
    if (message == NULL) {
        counter_add_shared(&manager->counters, COUNTER_drop_no_memory, 1);
        return;
    }
    send_event(manager, target, message, false);
    ws_message_unref(message);
}
