/** @file
 * The four ways to send an event, and messages of raw connections.
 *
 * | function                           | recipients                | id | kept in the history |
 * |:-----------------------------------|:--------------------------|:---|:--------------------|
 * | ws_manager_send_personal_message() | one connection            | no | no                  |
 * | ws_manager_send_to_user()          | all connections of a user | yes | yes                |
 * | ws_manager_broadcast_to_room()     | the members of a room     | yes | yes                |
 * | ws_manager_broadcast()             | everyone                  | yes | yes                |
 *
 * All four take an event of ws_event_new() and a list of connections that do not receive it. After
 * #WS_OK the event has its timestamp and cannot be sent again.
 *
 * @code
 * ws_manager_send_personal_message(manager, connection, event, NULL, 0);
 * ws_manager_send_to_user(manager, "ann", event, &sender, 1);
 * ws_manager_broadcast_to_room(manager, "orders", event, &sender, 1);
 * ws_manager_broadcast(manager, event, NULL, 0);
 * @endcode
 *
 * Sending to a user or room that has no connections is not an error: the event takes its place
 * in the order and is not delivered.
 */
#ifndef WS_MANAGER_SEND_H
#define WS_MANAGER_SEND_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** Sends an event to one connection.
 *
 * It is delivered in order with the other events. It has no id, is not kept in the history, and
 * is not sent through the stream between processes.
 *
 * @param manager     the manager that the event was made for
 * @param connection  the connection's id
 * @param event       the event
 * @param exclude     ids of connections that do not receive it, as in the other three functions; if
 *                    they include `connection`, the call succeeds and nothing is delivered; NULL
 *                    for none; copied
 * @param n_exclude   how many ids there are in `exclude`
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_INVALID       the event was made for another manager
 * @retval WS_ERR_ALREADY       the event was sent before
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_manager_send_personal_message(ws_manager *manager, ws_conn_id connection,
                                               ws_event *event, const ws_conn_id *exclude,
                                               size_t n_exclude);

/** Sends an event to every connection of a user.
 *
 * @param manager    the manager that the event was made for
 * @param user_id    the user's name
 * @param event      the event
 * @param exclude    ids of connections that do not receive it; unknown ids are ignored; NULL
 *                   for none; copied
 * @param n_exclude  how many ids there are in `exclude`
 *
 * @retval WS_OK           the event is accepted
 * @retval WS_ERR_INVALID  `user_id` is not a valid name (ws_name_is_valid()), or the event was
 *                         made for another manager
 * @return any other error of ws_manager_broadcast()
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_manager_send_to_user(ws_manager *manager, const char *user_id, ws_event *event,
                                      const ws_conn_id *exclude, size_t n_exclude);

/** Sends an event to the members of a room.
 *
 * @param manager    the manager that the event was made for
 * @param room       the room's name
 * @param event      the event
 * @param exclude    ids of connections that do not receive it; unknown ids are ignored; NULL
 *                   for none; copied
 * @param n_exclude  how many ids there are in `exclude`
 *
 * @retval WS_OK           the event is accepted
 * @retval WS_ERR_INVALID  `room` is not a valid name (ws_name_is_valid()), or the event was made
 *                         for another manager
 * @return any other error of ws_manager_broadcast()
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_manager_broadcast_to_room(ws_manager *manager, const char *room,
                                           ws_event *event, const ws_conn_id *exclude,
                                           size_t n_exclude);

/** Sends an event to everyone.
 *
 * @param manager    the manager that the event was made for
 * @param event      the event
 * @param exclude    ids of connections that do not receive it; unknown ids are ignored; NULL
 *                   for none; copied
 * @param n_exclude  how many ids there are in `exclude`
 *
 * @retval WS_OK                the event is accepted. It has its id (ws_event_id()); with a
 *                              cluster the id is known later: ws_event_set_stored_callback()
 * @retval WS_ERR_INVALID       the event was made for another manager
 * @retval WS_ERR_ALREADY       the event was sent before
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for a loop, or too many events wait for the
 *                              carrier
 * @retval WS_ERR_TOO_BIG       the event is larger than the carrier takes
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 * @retval WS_ERR_FORKED        the carrier is the parent's
 * @retval WS_ERR_CLOSED        the carrier is being freed
 *
 * @threads The event's thread.
 */
WS_EXPORT int ws_manager_broadcast(ws_manager *manager, ws_event *event,
                                   const ws_conn_id *exclude, size_t n_exclude);

/** Sends text to one connection, as one message: for #WS_PROTOCOL_RAW.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param text        UTF-8; copied; may be NULL if `length` is 0
 * @param length      of `text`, in bytes
 *
 * @retval WS_OK                the message is accepted
 * @retval WS_ERR_INVALID       `text` is not UTF-8
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_TOO_BIG       `length` is above 2^30
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_send_text(ws_manager *manager, ws_conn_id connection, const char *text,
                                   size_t length);

/** Sends bytes to one connection, as one binary message: for #WS_PROTOCOL_RAW.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param data        the bytes; copied; may be NULL if `length` is 0
 * @param length      of `data`, in bytes
 *
 * @retval WS_OK                the message is accepted
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_TOO_BIG       `length` is above 2^30
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 * @retval WS_ERR_INVALID       `data` is NULL and `length` is not 0
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_send_binary(ws_manager *manager, ws_conn_id connection,
                                     const void *data, size_t length);

WS_END_DECLS

#endif
