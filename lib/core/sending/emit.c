/* emit.c: emit_*() and ws_manager_emit_*(): send an event directly from JSON text, without a
 * ws_event. */
#include <string.h>

#include <ws_manager/emit.h>

#include "base/utf8.h"
#include "core/checks.h"
#include "core/default_manager.h"
#include "core/manager.h"
#include "core/sending/encode.h"
#include "core/sending/event.h"
#include "core/sending/publish.h"

/* Sends data that was checked to a target. `user_id`: whom the event names; may be NULL. */
static int emit_to(ws_manager *manager, struct target target, const char *user_id,
                   const char *type, const char *json, size_t length)
{
    int64_t now_ms = manager_clock(manager);
    ws_message *message =
        encode_event(&manager->memory,
                     &(struct event_fields){
                         .type = type,
                         .data = json,
                         .data_length = length,
                         .timestamp_ms = now_ms,
                         .user_id = user_id,
                         .room = target.kind == GROUP_ROOM ? target.name : NULL,
                     },
                     NULL, 0);
    int result;

    if (message == NULL)
        return WS_ERR_NO_MEMORY;
    result =
        publish(manager,
                &(struct publication){.target = target, .message = message, .time_ms = now_ms});
    ws_message_unref(message);
    return result;
}

static int emit_routed(ws_manager *manager, const char *type, const char *json, size_t length)
{
    const struct event_type *known = event_types_find(&manager->types, type);
    struct target target = {GROUP_EVERYONE, NULL};
    const char *room;

    if (known == NULL)
        return WS_ERR_UNKNOWN_TYPE;
    room = atomic_load_explicit(&known->room, memory_order_acquire);
    if (room != NULL)
        target = (struct target){GROUP_ROOM, room};
    return emit_to(manager, target, NULL, type, json, length);
}

int ws_manager_emit(ws_manager *manager, const char *type, const char *json, size_t length)
{
    int result;

    if (manager == NULL || type == NULL)
        return WS_ERR_INVALID;
    result = checks_call(manager, "an event was emitted");
    if (result == WS_OK)
        result = event_data_check(manager, json, length);
    if (result != WS_OK)
        return result;
    return emit_routed(manager, type, json, length);
}

static int emit_to_name(ws_manager *manager, struct target target, const char *type,
                        const char *json, size_t length)
{
    int result;

    if (manager == NULL || target.name == NULL || type == NULL)
        return WS_ERR_INVALID;
    result = checks_call(manager, "an event was emitted");
    if (result == WS_OK)
        result = event_data_check(manager, json, length);
    if (result != WS_OK)
        return result;
    if (event_types_find(&manager->types, type) == NULL)
        return WS_ERR_UNKNOWN_TYPE;
    if (!name_text_valid(target.name))
        return WS_ERR_INVALID;
    return emit_to(manager, target, NULL, type, json, length);
}

int ws_manager_emit_to_room(ws_manager *manager, const char *room, const char *type,
                            const char *json, size_t length)
{
    return emit_to_name(manager, (struct target){GROUP_ROOM, room}, type, json, length);
}

int ws_manager_emit_to_user(ws_manager *manager, const char *user_id, const char *type,
                            const char *json, size_t length)
{
    return emit_to_name(manager, (struct target){GROUP_USER, user_id}, type, json, length);
}

int ws_emit(const char *type, const char *json)
{
    ws_manager *manager;
    int result;

    if (type == NULL || json == NULL)
        return WS_ERR_INVALID;
    manager = default_manager_ref();
    if (manager == NULL)
        return WS_ERR_NO_MEMORY;
    result = ws_manager_emit(manager, type, json, strlen(json));
    manager_unref(manager);
    return result;
}

WS_DEFINE_EMIT(order_created)
WS_DEFINE_EMIT(order_updated)
WS_DEFINE_EMIT(order_status_changed)
WS_DEFINE_EMIT(client_created)
WS_DEFINE_EMIT(client_updated)
WS_DEFINE_EMIT(inventory_updated)
WS_DEFINE_EMIT(stock_low)
WS_DEFINE_EMIT(user_connected)
WS_DEFINE_EMIT(user_disconnected)

static bool severity_known(const char *severity)
{
    static const char *const known[] = {"info", "success", "warning", "error"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(severity, known[i]) == 0)
            return true;
    return false;
}

int ws_manager_emit_notification(ws_manager *manager, const char *message, const char *user_id,
                                 const char *severity)
{
    struct buffer data;
    size_t length;
    int result;

    if (manager == NULL || message == NULL || severity == NULL || !severity_known(severity) ||
        (user_id != NULL && !name_text_valid(user_id)))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a notification was emitted");
    if (result != WS_OK)
        return result;
    length = strlen(message);
    if (length > manager->options.max_event_bytes)
        return WS_ERR_TOO_BIG;
    if (!utf8_valid(message, length))
        return WS_ERR_INVALID;
    buffer_init(&data, &manager->memory);
    buffer_add_text(&data, "{\"message\":");
    buffer_add_json_string(&data, message, length);
    buffer_add_text(&data, ",\"severity\":\"");
    buffer_add_text(&data, severity);
    buffer_add_text(&data, "\"}");
    if (data.failed)
        result = WS_ERR_NO_MEMORY;
    else if (data.length > manager->options.max_event_bytes)
        result = WS_ERR_TOO_BIG;
    else if (user_id != NULL)
        result = emit_to(manager, (struct target){GROUP_USER, user_id}, user_id, "notification",
                         data.data, data.length);
    else
        result = emit_routed(manager, "notification", data.data, data.length);
    buffer_free(&data);
    return result;
}

int emit_notification(const char *message, const char *user_id, const char *severity)
{
    ws_manager *manager = default_manager_ref();
    int result;

    if (manager == NULL)
        return WS_ERR_NO_MEMORY;
    result = ws_manager_emit_notification(manager, message, user_id, severity);
    manager_unref(manager);
    return result;
}
