/* emit.h: one line from anywhere in an application: something happened, tell everyone.
 *
 * emit_*() go through the default manager, ws_manager_emit_*() through a given one. The event
 * goes to everyone, or to the room that ws_manager_route_event_type() names for its type.
 * `json` is the event's data as JSON text, copied. Any thread. Errors: WS_ERR_INVALID (NULL),
 * WS_ERR_BAD_JSON, WS_ERR_TOO_BIG, WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY; in each case nobody
 * gets the event. */
#ifndef WS_MANAGER_EMIT_H
#define WS_MANAGER_EMIT_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

WS_EXPORT int ws_emit(const char *type, const char *json);

#define WS_DEFINE_EMIT(type)                                                                   \
    int emit_##type(const char *json)                                                          \
    {                                                                                          \
        return ws_emit(#type, json);                                                           \
    }                                                                                          \
    int ws_manager_emit_##type(ws_manager *manager, const char *json, size_t length)           \
    {                                                                                          \
        return ws_manager_emit(manager, #type, json, length);                                  \
    }

WS_EXPORT int emit_order_created(const char *order_json);
WS_EXPORT int emit_order_updated(const char *order_json);
WS_EXPORT int emit_order_status_changed(const char *change_json);
WS_EXPORT int emit_client_created(const char *client_json);
WS_EXPORT int emit_client_updated(const char *client_json);
WS_EXPORT int emit_inventory_updated(const char *item_json);
WS_EXPORT int emit_stock_low(const char *item_json);
WS_EXPORT int emit_user_connected(const char *user_json);
WS_EXPORT int emit_user_disconnected(const char *user_json);

/* The same with an event object (event.h), which can name a user and be asked whether it was
 * stored. Errors as ws_manager_broadcast(). */
WS_EXPORT int ws_manager_emit_event(ws_manager *manager, ws_event *event);

/* A notification: `message` is UTF-8 text, `severity` is "info", "success", "warning" or
 * "error" (else WS_ERR_INVALID), `user_id` the user whose connections get it, NULL for
 * everyone. */
WS_EXPORT int emit_notification(const char *message, const char *user_id, const char *severity);

WS_EXPORT int ws_manager_emit_order_created(ws_manager *manager, const char *json,
                                            size_t length);
WS_EXPORT int ws_manager_emit_order_updated(ws_manager *manager, const char *json,
                                            size_t length);
WS_EXPORT int ws_manager_emit_order_status_changed(ws_manager *manager, const char *json,
                                                   size_t length);
WS_EXPORT int ws_manager_emit_client_created(ws_manager *manager, const char *json,
                                             size_t length);
WS_EXPORT int ws_manager_emit_client_updated(ws_manager *manager, const char *json,
                                             size_t length);
WS_EXPORT int ws_manager_emit_inventory_updated(ws_manager *manager, const char *json,
                                                size_t length);
WS_EXPORT int ws_manager_emit_stock_low(ws_manager *manager, const char *json, size_t length);
WS_EXPORT int ws_manager_emit_user_connected(ws_manager *manager, const char *json,
                                             size_t length);
WS_EXPORT int ws_manager_emit_user_disconnected(ws_manager *manager, const char *json,
                                                size_t length);
WS_EXPORT int ws_manager_emit_notification(ws_manager *manager, const char *message,
                                           const char *user_id, const char *severity);

/* The same for any registered type; WS_ERR_UNKNOWN_TYPE for others. */
WS_EXPORT int ws_manager_emit(ws_manager *manager, const char *type, const char *json,
                              size_t length);

WS_END_DECLS

#endif
