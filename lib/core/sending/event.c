/* event.c: ws_event and its types. Not here: sending it (broadcast.c). */
#include "core/sending/event.h"

#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"

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
    memory_free(&manager->memory, event->key);
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

int ws_event_set_key(ws_event *event, const char *key)
{
    return event != NULL ? set_text(event, &event->key, key) : WS_ERR_INVALID;
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
