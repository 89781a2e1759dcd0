/** @file
 * Emitting an event in one line, from any thread of an application.
 *
 * @code
 * emit_order_created("{\"id\":7,\"total\":1999}");                  // the default manager
 * ws_manager_emit_order_created(manager, json, strlen(json)); // a manager of your own
 * @endcode
 *
 * An event goes to everyone, or to the room that ws_manager_route_event_type() names for its
 * type.
 *
 * An application gives its own event types the same two functions:
 *
 * @code
 * // invoices.h
 * int emit_invoice_paid(const char *json);
 * int ws_manager_emit_invoice_paid(ws_manager *manager, const char *json, size_t length);
 *
 * // invoices.c, without a semicolon
 * WS_DEFINE_EMIT(invoice_paid)
 *
 * // once, at the start
 * result = ws_manager_register_event_type(ws_manager_default(), "invoice_paid");
 * @endcode
 */
#ifndef WS_MANAGER_EMIT_H
#define WS_MANAGER_EMIT_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** @name Through the default manager
 * @{
 */

/** Emits an event of the type `order_created` through the default manager, which is made on first
 * use: ws_manager_default().
 *
 * emit_order_updated(), emit_order_status_changed(), emit_client_created(), emit_client_updated(),
 * emit_inventory_updated(), emit_stock_low(), emit_user_connected() and emit_user_disconnected()
 * differ only in the type, which is the part of their name after `emit_`.
 *
 * @param json  the event's data: one JSON value (RFC 8259) in UTF-8; copied
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_INVALID       `json` is NULL
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered; only for an application's own type
 * @retval WS_ERR_BAD_JSON      `json` is not one JSON value, or nests too deeply
 * @retval WS_ERR_TOO_BIG       `json` is larger than `max_event_bytes`, or than the carrier
 *                              takes
 * @retval WS_ERR_BACKPRESSURE  too many calls wait for a loop (`max_pending`), or too many events
 *                              wait for the carrier
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 * @retval WS_ERR_FORKED        the carrier is the parent's
 * @retval WS_ERR_CLOSED        the carrier is being freed
 *
 * @threads Any thread.
 */
WS_EXPORT int emit_order_created(const char *json);
WS_EXPORT int emit_order_updated(const char *json);
WS_EXPORT int emit_order_status_changed(const char *json);
WS_EXPORT int emit_client_created(const char *json);
WS_EXPORT int emit_client_updated(const char *json);
WS_EXPORT int emit_inventory_updated(const char *json);
WS_EXPORT int emit_stock_low(const char *json);
WS_EXPORT int emit_user_connected(const char *json);
WS_EXPORT int emit_user_disconnected(const char *json);

/** @} */

/** Emits a notification through the default manager: {"message":…,"severity":…}.
 *
 * @param message   the text for people
 * @param user_id   the user whose connections receive it; NULL for everyone
 * @param severity  "info", "success", "warning" or "error"
 *
 * @retval WS_OK           the event is accepted
 * @retval WS_ERR_INVALID  `message` is not UTF-8, `severity` is none of the four, or `user_id`
 *                         is not a valid name (ws_name_is_valid())
 * @return any other error of emit_order_created()
 *
 * @threads Any thread.
 */
WS_EXPORT int emit_notification(const char *message, const char *user_id, const char *severity);

/** Emits an event of any registered type through the default manager.
 *
 * @param type  a registered event type
 * @param json  the event's data: one JSON value (RFC 8259) in UTF-8; copied
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered
 * @return any other error of emit_order_created()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_emit(const char *type, const char *json);

/** @name Through a manager
 * @{
 */

/** Emits an event of the type `order_created` through a manager.
 *
 * ws_manager_emit_order_updated(), ws_manager_emit_order_status_changed(),
 * ws_manager_emit_client_created(), ws_manager_emit_client_updated(),
 * ws_manager_emit_inventory_updated(), ws_manager_emit_stock_low(),
 * ws_manager_emit_user_connected() and ws_manager_emit_user_disconnected() differ only in the type,
 * which is the part of their name after `ws_manager_emit_`.
 *
 * @param manager  the manager
 * @param json     the event's data: one JSON value (RFC 8259) in UTF-8; copied
 * @param length   of `json`, in bytes
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_INVALID       a pointer is NULL
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered; only for an application's own type
 * @retval WS_ERR_BAD_JSON      `json` is not one JSON value, or nests too deeply
 * @retval WS_ERR_TOO_BIG       `json` is larger than `max_event_bytes`, or than the carrier
 *                              takes
 * @retval WS_ERR_BACKPRESSURE  too many calls wait for a loop (`max_pending`), or too many events
 *                              wait for the carrier
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 * @retval WS_ERR_FORKED        the carrier is the parent's
 * @retval WS_ERR_CLOSED        the carrier is being freed
 *
 * @threads Any thread.
 */
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

/** @} */

/** Emits a notification through a manager: {"message":…,"severity":…}.
 *
 * @param manager   the manager
 * @param message   the text for people
 * @param user_id   the user whose connections receive it; NULL for everyone
 * @param severity  "info", "success", "warning" or "error"
 *
 * @retval WS_OK           the event is accepted
 * @retval WS_ERR_INVALID  `message` is not UTF-8, `severity` is none of the four, or `user_id`
 *                         is not a valid name (ws_name_is_valid())
 * @return any other error of ws_manager_emit_order_created()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_emit_notification(ws_manager *manager, const char *message,
                                           const char *user_id, const char *severity);

/** Emits an event of any registered type through a manager.
 *
 * @param manager  the manager
 * @param type     a registered event type
 * @param json     the event's data: one JSON value (RFC 8259) in UTF-8; copied
 * @param length   of `json`, in bytes
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered
 * @return any other error of ws_manager_emit_order_created()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_emit(ws_manager *manager, const char *type, const char *json,
                              size_t length);

/** Emits an event to the members of a room.
 *
 * @param manager  the manager
 * @param room     the room's name; copied
 * @param type     a registered event type
 * @param json     the event's data: one JSON value (RFC 8259) in UTF-8; copied
 * @param length   of `json`, in bytes
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_INVALID       `room` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered
 * @return any other error of ws_manager_emit_order_created()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_emit_to_room(ws_manager *manager, const char *room, const char *type,
                                      const char *json, size_t length);

/** Emits an event to all connections of a user.
 *
 * @param manager  the manager
 * @param user_id  the user's id; copied
 * @param type     a registered event type
 * @param json     the event's data: one JSON value (RFC 8259) in UTF-8; copied
 * @param length   of `json`, in bytes
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_INVALID       `user_id` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered
 * @return any other error of ws_manager_emit_order_created()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_emit_to_user(ws_manager *manager, const char *user_id,
                                      const char *type, const char *json, size_t length);

/** Emits an event object (event.h), which can name a user and notify when it is stored.
 *
 * @param manager  the manager that the event was made for
 * @param event    the event; after #WS_OK it cannot be sent again
 *
 * @return the results of ws_manager_broadcast()
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_manager_emit_event(ws_manager *manager, ws_event *event);

/** Defines emit_TYPE() and ws_manager_emit_TYPE() for an event type.
 *
 * The library defines its own functions of this kind with it. The application declares the two
 * functions, and registers the type with ws_manager_register_event_type(): see the example at the
 * top of emit.h.
 *
 * @param type  the name of the type, as an identifier without quotes
 */
#define WS_DEFINE_EMIT(type)                                                                   \
    int emit_##type(const char *json)                                                          \
    {                                                                                          \
        return ws_emit(#type, json);                                                           \
    }                                                                                          \
    int ws_manager_emit_##type(ws_manager *manager, const char *json, size_t length)           \
    {                                                                                          \
        return ws_manager_emit(manager, #type, json, length);                                  \
    }

WS_END_DECLS

#endif
