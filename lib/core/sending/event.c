/* event.c: ws_event and its types, and sending events to everyone, a room, a user or one
 * connection. */
#include <string.h>

#include <ws_manager/emit.h>
#include <ws_manager/event.h>
#include <ws_manager/send.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "core/sending/encode.h"
#include "core/sending/event_data.h"
#include "core/sending/order.h"
#include "core/sending/publish.h"
#include "core/sending/send.h"

struct ws_event {
    ws_manager *manager; /* one reference */
    char *user_id;
    char *producer; /* NULL: no sequence number */
    uint64_t sequence;
    ws_stored_callback *stored;
    void *stored_data;
    int64_t timestamp_ms;
    bool sent;
    char id[EVENT_ID_SIZE];
    size_t data_length;
    char *data; /* in the same block as the struct, as is the type */
    char type[];
};

int event_data_check(const ws_manager *manager, const char *data, size_t length)
{
    if (data == NULL)
        return WS_ERR_INVALID;
    if (length > manager->options.max_event_bytes)
        return WS_ERR_TOO_BIG;
    return json_valid(data, length, JSON_MAX_DEPTH) ? WS_OK : WS_ERR_BAD_JSON;
}

int ws_event_new(ws_manager *manager, const char *type, const char *data, size_t length,
                 ws_event **event)
{
    ws_event *made;
    size_t type_size;
    int result;

    if (manager == NULL || type == NULL || event == NULL)
        return WS_ERR_INVALID;
    result = event_data_check(manager, data, length);
    if (result != WS_OK)
        return result;
    if (event_types_find(&manager->types, type) == NULL)
        return WS_ERR_UNKNOWN_TYPE;
    type_size = strlen(type) + 1;
    made = memory_zalloc(&manager->memory, sizeof *made + type_size + length + 1);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->manager = manager_ref(manager);
    memcpy(made->type, type, type_size);
    made->data = made->type + type_size;
    made->data_length = length;
    memcpy(made->data, data, length);
    *event = made;
    return WS_OK;
}

void ws_event_free(ws_event *event)
{
    ws_manager *manager;

    if (event == NULL)
        return;
    manager = event->manager;
    memory_free(&manager->memory, event->user_id);
    memory_free(&manager->memory, event->producer);
    memory_free(&manager->memory, event);
    manager_unref(manager);
}

static int set_text(ws_event *event, char **text, const char *name)
{
    char *copy;

    if (!name_text_valid(name))
        return WS_ERR_INVALID;
    if (event->sent)
        return WS_ERR_ALREADY;
    copy = memory_copy_text(&event->manager->memory, name, strlen(name));
    if (copy == NULL)
        return WS_ERR_NO_MEMORY;
    memory_free(&event->manager->memory, *text);
    *text = copy;
    return WS_OK;
}

int ws_event_set_user_id(ws_event *event, const char *user_id)
{
    return event != NULL ? set_text(event, &event->user_id, user_id) : WS_ERR_INVALID;
}

int ws_event_set_sequence(ws_event *event, const char *producer, uint64_t sequence)
{
    int result;

    if (event == NULL || sequence == 0)
        return WS_ERR_INVALID;
    result = set_text(event, &event->producer, producer);
    if (result == WS_OK)
        event->sequence = sequence;
    return result;
}

int ws_event_set_stored_callback(ws_event *event, ws_stored_callback *stored, void *user_data)
{
    if (event == NULL)
        return WS_ERR_INVALID;
    if (event->sent)
        return WS_ERR_ALREADY;
    event->stored = stored;
    event->stored_data = user_data;
    return WS_OK;
}

const char *ws_event_type(const ws_event *event)
{
    return event != NULL ? event->type : NULL;
}

const char *ws_event_data(const ws_event *event, size_t *length)
{
    if (event == NULL)
        return NULL;
    if (length != NULL)
        *length = event->data_length;
    return event->data;
}

const char *ws_event_user_id(const ws_event *event)
{
    return event != NULL ? event->user_id : NULL;
}

const char *ws_event_id(const ws_event *event)
{
    return event != NULL ? event->id : NULL;
}

int64_t ws_event_timestamp_ms(const ws_event *event)
{
    return event != NULL ? event->timestamp_ms : 0;
}

static ws_message *encode(ws_event *event, const char *room, const ws_conn_id *exclude,
                          size_t n_exclude)
{
    const ws_manager *manager = event->manager;

    event->timestamp_ms = manager_clock(manager);
    return encode_event(&manager->memory,
                        &(struct event_fields){
                            .type = event->type,
                            .data = event->data,
                            .data_length = event->data_length,
                            .timestamp_ms = event->timestamp_ms,
                            .user_id = event->user_id,
                            .room = room,
                        },
                        exclude, n_exclude);
}

static int check_unsent(const ws_manager *manager, const ws_event *event,
                        const ws_conn_id *exclude, size_t n_exclude)
{
    if (manager == NULL || event == NULL || event->manager != manager ||
        (exclude == NULL && n_exclude > 0))
        return WS_ERR_INVALID;
    return event->sent ? WS_ERR_ALREADY : WS_OK;
}

static int send_to(ws_manager *manager, struct target target, ws_event *event,
                   const ws_conn_id *exclude, size_t n_exclude)
{
    ws_message *message;
    int result = check_unsent(manager, event, exclude, n_exclude);

    if (result != WS_OK)
        return result;
    if (target.kind != GROUP_EVERYONE && !name_text_valid(target.name))
        return WS_ERR_INVALID;
    message = encode(event, target.kind == GROUP_ROOM ? target.name : NULL, exclude, n_exclude);
    if (message == NULL) {
        event->timestamp_ms = 0;
        return WS_ERR_NO_MEMORY;
    }
    result = publish(manager, &(struct publication){
                                  .target = target,
                                  .message = message,
                                  .time_ms = event->timestamp_ms,
                                  .producer = event->producer,
                                  .sequence = event->sequence,
                                  .stored = event->stored,
                                  .stored_data = event->stored_data,
                              });
    event->sent = result == WS_OK;
    if (!event->sent)
        event->timestamp_ms = 0;
    else if (message->position > 0)
        event_id_write(manager->epoch, message->position, event->id);
    ws_message_unref(message);
    return result;
}

int ws_manager_broadcast(ws_manager *manager, ws_event *event, const ws_conn_id *exclude,
                         size_t n_exclude)
{
    return send_to(manager, (struct target){GROUP_EVERYONE, NULL}, event, exclude, n_exclude);
}

int ws_manager_broadcast_to_room(ws_manager *manager, const char *room, ws_event *event,
                                 const ws_conn_id *exclude, size_t n_exclude)
{
    return send_to(manager, (struct target){GROUP_ROOM, room}, event, exclude, n_exclude);
}

int ws_manager_send_to_user(ws_manager *manager, const char *user_id, ws_event *event,
                            const ws_conn_id *exclude, size_t n_exclude)
{
    return send_to(manager, (struct target){GROUP_USER, user_id}, event, exclude, n_exclude);
}

int ws_manager_emit_event(ws_manager *manager, ws_event *event)
{
    struct target target = {GROUP_EVERYONE, NULL};
    const struct event_type *type;
    const char *room;
    int result = check_unsent(manager, event, NULL, 0);

    if (result != WS_OK)
        return result;
    type = event_types_find(&manager->types, event->type);
    room = type != NULL ? atomic_load_explicit(&type->room, memory_order_acquire) : NULL;
    if (room != NULL)
        target = (struct target){GROUP_ROOM, room};
    return send_to(manager, target, event, NULL, 0);
}

int ws_manager_send_personal_message(ws_manager *manager, ws_conn_id connection,
                                     ws_event *event, const ws_conn_id *exclude,
                                     size_t n_exclude)
{
    ws_message *message;
    int result = check_unsent(manager, event, exclude, n_exclude);

    if (result != WS_OK)
        return result;
    message = encode(event, NULL, exclude, n_exclude);
    result = WS_ERR_NO_MEMORY;
    if (message != NULL) {
        encode_finish(manager, message, NULL, 0);
        result = send_message(manager, connection, message);
    }
    event->sent = result == WS_OK;
    if (!event->sent)
        event->timestamp_ms = 0;
    return result;
}

int ws_manager_register_event_type(ws_manager *manager, const char *type)
{
    int result;

    if (manager == NULL)
        return WS_ERR_INVALID;
    manager_lock(manager);
    result = event_types_add(&manager->types, type);
    manager_unlock(manager);
    return result;
}

int ws_manager_route_event_type(ws_manager *manager, const char *type, const char *room)
{
    int result;

    if (manager == NULL)
        return WS_ERR_INVALID;
    manager_lock(manager);
    result = event_types_route(&manager->types, type, room);
    manager_unlock(manager);
    return result;
}
