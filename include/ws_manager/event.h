/* event.h: events, and the types that the application adds to the ten known ones. */
#ifndef WS_MANAGER_EVENT_H
#define WS_MANAGER_EVENT_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/* Makes an event of a registered type. `data` is the JSON text of its data (`length` bytes of
 * UTF-8, one JSON value by RFC 8259); it is checked here, once, and copied.
 * Errors: WS_ERR_INVALID, WS_ERR_UNKNOWN_TYPE, WS_ERR_BAD_JSON, WS_ERR_TOO_BIG,
 * WS_ERR_NO_MEMORY. *event is set on success only. Any thread; the event then belongs to one. */
WS_EXPORT int ws_event_new(ws_manager *manager, const char *type, const char *data,
                           size_t length, ws_event **event);

/* The user that the event is about ("user_id" in the message; null without one). Before it is
 * sent, else WS_ERR_ALREADY. Errors: WS_ERR_INVALID, WS_ERR_NO_MEMORY. */
WS_EXPORT int ws_event_set_user_id(ws_event *event, const char *user_id);

/* Names who numbers this event, and its number, so that a stream between processes (cluster.h)
 * takes it once, however often it is sent: it is passed over if the producer's number in the stream
 * is as high already. Numbers of one producer must rise in the order of sending;
 * ws_manager_process_id() numbers the events that nobody else does. Without such a stream it means
 * nothing. Before it is sent, else WS_ERR_ALREADY. Errors: WS_ERR_INVALID (name; 0),
 * WS_ERR_NO_MEMORY. */
WS_EXPORT int ws_event_set_sequence(ws_event *event, const char *producer, uint64_t sequence);

/* Has `stored` called, once, if the sending call returned WS_OK: when the event has its place in
 * the history (within that call), or is stored in the stream between processes (later, on the
 * thread of its carrier). `result` is WS_OK, or says why it is not, as far as is known
 * (WS_ERR_CLOSED: the carrier was freed; WS_ERR_TOO_BIG: Redis takes none of this size); `id` is
 * the event's, "" if it is not known, valid during the call. It may call the library as any
 * callback does. Not for personal messages. Before it is sent, else WS_ERR_ALREADY. */
WS_EXPORT int ws_event_set_stored_callback(ws_event *event,
                                           void (*stored)(int result, const char *id,
                                                          void *user_data),
                                           void *user_data);

/* Frees the event; what was sent of it is not touched. NULL does nothing. */
WS_EXPORT void ws_event_free(ws_event *event);

/* What the event holds; the texts live as long as the event. The id is "" and the timestamp
 * (milliseconds since 1970 UTC) 0 until it is sent; a personal message has no id, nor has what went
 * to a stream between processes (ws_event_set_stored_callback() tells it). */
WS_EXPORT const char *ws_event_type(const ws_event *event);
WS_EXPORT const char *ws_event_data(const ws_event *event, size_t *length);
WS_EXPORT const char *ws_event_user_id(const ws_event *event);
WS_EXPORT const char *ws_event_id(const ws_event *event);
WS_EXPORT int64_t ws_event_timestamp_ms(const ws_event *event);

/* Adds an event type beside order_created, order_updated, order_status_changed, client_created,
 * client_updated, inventory_updated, stock_low, notification, user_connected and
 * user_disconnected. Errors: WS_ERR_INVALID (name), WS_ERR_ALREADY, WS_ERR_LIMIT (1024 types),
 * WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_manager_register_event_type(ws_manager *manager, const char *type);

/* Sends what is emitted of a type to the members of `room` instead of everyone; NULL: to
 * everyone again. Concerns ws_manager_emit() and the emit_*() functions. Errors:
 * WS_ERR_INVALID, WS_ERR_UNKNOWN_TYPE, WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_manager_route_event_type(ws_manager *manager, const char *type,
                                          const char *room);

WS_END_DECLS

#endif
