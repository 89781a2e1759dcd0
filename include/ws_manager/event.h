/** @file
 * Events as objects, and the application's own event types.
 *
 * The functions of emit.h send an event from its JSON text in one call. An event object is for
 * events that go to one connection, name a user or a key, exclude connections, or notify when they
 * are stored.
 *
 * @code
 * ws_event *event;
 *
 * if (ws_event_new(manager, "order_updated", json, strlen(json), &event) == WS_OK) {
 *     ws_event_set_user_id(event, "ann");
 *     result = ws_manager_broadcast_to_room(manager, "orders", event, &editor, 1);
 *     ws_event_free(event);
 * }
 * @endcode
 */
#ifndef WS_MANAGER_EVENT_H
#define WS_MANAGER_EVENT_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** Makes an event.
 *
 * @param manager     the manager that the type is registered with; the event keeps it in memory
 * @param type        a registered event type; copied
 * @param data        the event's data: one JSON value (RFC 8259) in UTF-8; checked and copied
 * @param length      of `data`, in bytes
 * @param[out] event  the event; set on success only
 *
 * @retval WS_OK                the event is made
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered
 * @retval WS_ERR_BAD_JSON      `data` is not one JSON value, or nests too deeply
 * @retval WS_ERR_TOO_BIG       `data` is larger than `max_event_bytes`
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 * @retval WS_ERR_INVALID       a pointer is NULL
 *
 * @threads Any thread. The event then belongs to one thread until it is sent.
 * @ownership The caller owns `*event`: ws_event_free() frees it.
 */
WS_EXPORT int ws_event_new(ws_manager *manager, const char *type, const char *data,
                           size_t length, ws_event **event);

/** Frees an event. If it was sent, its delivery is not affected.
 *
 * @param event  the event; NULL does nothing
 *
 * @threads The event's thread.
 */
WS_EXPORT void ws_event_free(ws_event *event);

/** Names the user that the event is about. The message has the name as "user_id"; without this call
 * it has null.
 *
 * @param event    the event, before it is sent
 * @param user_id  the user's name; copied
 *
 * @retval WS_OK             the user is named
 * @retval WS_ERR_INVALID    `user_id` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_ALREADY    the event was sent
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_event_set_user_id(ws_event *event, const char *user_id);

/** Names the object that the event is about. The message has the name as "key"; without this call
 * it has no such member.
 *
 * In a room that keeps the last value for each key (last_values.h), the event replaces the
 * previous one with this key. If the event's data is `null`, the previous one is removed.
 *
 * @param event  the event, before it is sent
 * @param key    the name, such as an order's number; copied
 *
 * @retval WS_OK             the key is set
 * @retval WS_ERR_INVALID    `key` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_ALREADY    the event was sent
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_event_set_key(ws_event *event, const char *key);

/** Numbers the event, so that the stream between processes stores it once, however often it is
 * sent.
 *
 * The stream skips an event if it already has an event of that producer with this number or a
 * higher one. So the numbers of a producer must rise in the order of sending. The carrier numbers
 * other events itself, with ws_manager_process_id() as their producer. Without a cluster
 * (cluster.h) the number has no effect.
 *
 * @param event     the event, before it is sent
 * @param producer  the name of the producer whose numbers these are; copied
 * @param sequence  the number, at least 1
 *
 * @retval WS_OK             the event is numbered
 * @retval WS_ERR_INVALID    `producer` is not a valid name (ws_name_is_valid()), or `sequence` is 0
 * @retval WS_ERR_ALREADY    the event was sent
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_event_set_sequence(ws_event *event, const char *producer, uint64_t sequence);

/** Notifies that an event was stored in the history or in the stream, or that it will not be.
 *
 * It may call every function that the manager's callbacks may call, and ws_event_free().
 *
 * @param result     #WS_OK; #WS_ERR_CLOSED if the carrier was freed before it knew;
 *                   #WS_ERR_TOO_BIG if Redis takes no event of this size; or another error of
 *                   the carrier. After an error the event is not stored, as far as is known
 * @param id         the event's id, valid during the call; "" if it is not known
 * @param user_data  that of ws_event_set_stored_callback()
 *
 * @threads Without a cluster: the thread that sends, within the sending call. With a cluster: the
 * carrier's thread, later.
 */
typedef void ws_stored_callback(int result, const char *id, void *user_data);

/** Sets a callback that is called once, if the event is sent with #WS_OK.
 *
 * It has no effect on ws_manager_send_personal_message(), because personal messages are not
 * stored.
 *
 * @param event      the event, before it is sent
 * @param stored     the callback; NULL for none
 * @param user_data  passed to `stored`; NULL if it needs none
 *
 * @retval WS_OK           the callback is set
 * @retval WS_ERR_INVALID  `event` is NULL
 * @retval WS_ERR_ALREADY  the event was sent
 *
 * @threads The event's thread.
 * @ownership What `user_data` points to must exist until the callback was called.
 */
WS_EXPORT int ws_event_set_stored_callback(ws_event *event, ws_stored_callback *stored,
                                           void *user_data);

/** The event's type.
 *
 * @param event  the event
 *
 * @return the type
 *
 * @threads The event's thread.
 * @ownership The text is the event's and valid as long as the event.
 */
WS_EXPORT const char *ws_event_type(const ws_event *event);

/** The event's data.
 *
 * @param event        the event
 * @param[out] length  of the data in bytes, without the NUL; may be NULL
 *
 * @return the JSON text, NUL-terminated
 *
 * @threads The event's thread.
 * @ownership The text is the event's and valid as long as the event.
 */
WS_EXPORT const char *ws_event_data(const ws_event *event, size_t *length);

/** The user that the event is about.
 *
 * @param event  the event
 *
 * @return the user's name; NULL if the event names none
 *
 * @threads The event's thread.
 * @ownership The text is the event's and valid until ws_event_set_user_id() or ws_event_free().
 */
WS_EXPORT const char *ws_event_user_id(const ws_event *event);

/** The event's id, which it gets when it is sent.
 *
 * @param event  the event
 *
 * @return the id; "" before the event is sent, for a personal message, and with a cluster,
 * where ws_stored_callback() receives it
 *
 * @threads The event's thread.
 * @ownership The text is the event's and valid as long as the event.
 */
WS_EXPORT const char *ws_event_id(const ws_event *event);

/** The event's timestamp, which it gets when it is sent.
 *
 * @param event  the event
 *
 * @return milliseconds since 1970-01-01 UTC; 0 before the event is sent
 *
 * @threads The event's thread.
 */
WS_EXPORT int64_t ws_event_timestamp_ms(const ws_event *event);

/** Adds an event type to the ten that every manager knows.
 *
 * These are order_created, order_updated, order_status_changed, client_created, client_updated,
 * inventory_updated, stock_low, notification, user_connected and user_disconnected.
 *
 * @param manager  the manager
 * @param type     the name of the type; copied
 *
 * @retval WS_OK             the type is registered
 * @retval WS_ERR_INVALID    `type` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_ALREADY    the type was registered before
 * @retval WS_ERR_LIMIT      the manager has 1,024 types
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_register_event_type(ws_manager *manager, const char *type);

/** Sends emitted events of a type to the members of a room instead of to everyone.
 *
 * It affects the functions of emit.h, except notifications that name a user.
 *
 * @param manager  the manager
 * @param type     a registered event type
 * @param room     the room's name, copied; NULL for everyone
 *
 * @retval WS_OK                the type is routed
 * @retval WS_ERR_INVALID       `room` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_UNKNOWN_TYPE  the type is not registered
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_route_event_type(ws_manager *manager, const char *type,
                                          const char *room);

WS_END_DECLS

#endif
