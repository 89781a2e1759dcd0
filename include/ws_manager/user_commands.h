/** @file
 * Commands for all connections of a user, on all processes, and messages between the processes of
 * the application.
 *
 * @par Position among events
 * A command takes its place in the total order of events. An event that is sent after "take the
 * user out of the room" reaches none of the user's connections through that room. An event that
 * is sent after "put the user into the room" reaches all of them. A command applies to the
 * connections that are registered at its place, even if they have not received their welcome yet.
 * It does not apply to later connections: `accept_handshake` and `authorize_join` must know of
 * the change before the command is sent.
 *
 * @par Processes
 * Without a carrier (redis.h) a command is posted to this process's loops at once. With a carrier
 * it goes through the stream, like an event, and every process carries it out when it reads it.
 * While the engine cannot be reached, commands are queued with the events, even for connections of
 * this process. ws_manager_disconnect() and the other functions for a single connection do not
 * depend on the engine.
 *
 * A process that was disconnected from the engine carries out the commands that it missed when it
 * is connected again, if the stream still has them. If it cannot know which commands it missed, it
 * reauthorizes all of its connections, like ws_manager_reauthorize(), and calls `on_processes_gap`.
 * It does the same when it reaches the stream for the first time, and when the stream was replaced.
 */
#ifndef WS_MANAGER_USER_COMMANDS_H
#define WS_MANAGER_USER_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/callbacks.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** The longest JSON text of a message between processes, in bytes. */
#define WS_PROCESS_MESSAGE_MAX 65536

/** @name A user's connections
 *
 * Each of these functions succeeds even if the user has no connection. After an error nothing has
 * changed on any process.
 * @{
 */

/** Ends all connections of a user, as by ws_manager_disconnect().
 *
 * @param manager  the manager
 * @param user_id  the user's name; copied
 * @param code     the close code: 1000 to 4999, as far as it may be sent (close_code.h)
 * @param reason   at most 123 bytes of UTF-8; copied; NULL for none
 *
 * @retval WS_OK                the command is accepted
 * @retval WS_ERR_INVALID       `user_id` is not a valid name (ws_name_is_valid()), or the code or
 *                              the reason cannot be sent
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for a loop with a connection of the
 *                              user, or too many events and commands wait for the carrier: try
 *                              again later
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 * @retval WS_ERR_FORKED        the carrier is the parent's
 * @retval WS_ERR_CLOSED        the carrier is being freed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_disconnect_user(ws_manager *manager, const char *user_id,
                                         uint16_t code, const char *reason);

/** Puts all connections of a user into a room, as by ws_manager_join_room().
 *
 * `on_join` receives the result for each connection that was not in the room before.
 *
 * @param manager  the manager
 * @param user_id  the user's name; copied
 * @param room     the room's name; copied
 *
 * @retval WS_ERR_INVALID  `user_id` or `room` is not a valid name (ws_name_is_valid())
 * @return the other results of ws_manager_disconnect_user()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_join_room_of_user(ws_manager *manager, const char *user_id,
                                           const char *room);

/** Takes all connections of a user out of a room.
 *
 * Each connection that was in the room receives `room_left` without a ref, and `on_leave` is
 * called for it. Other connections are not affected.
 *
 * @param manager  the manager
 * @param user_id  the user's name; copied
 * @param room     the room's name; copied
 *
 * @retval WS_ERR_INVALID  `user_id` or `room` is not a valid name (ws_name_is_valid())
 * @return the other results of ws_manager_disconnect_user()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_leave_room_of_user(ws_manager *manager, const char *user_id,
                                            const char *room);

/** Asks the application again what all connections of a user may do (`authorize_join` and
 * `authorize_presence`), as by ws_manager_reauthorize().
 *
 * @param manager  the manager
 * @param user_id  the user's name; copied
 *
 * @retval WS_ERR_INVALID  `user_id` is not a valid name (ws_name_is_valid())
 * @return the other results of ws_manager_disconnect_user()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_reauthorize_user(ws_manager *manager, const char *user_id);

/** @} */

/** Sends a message to the application on all other processes: `on_process_message`, for example
 * to drop what they have cached.
 *
 * It reaches neither this process nor any client. Without a carrier it reaches no process. Each
 * process receives the messages in the order of the stream, before the events that follow them are
 * posted to its loops. A process that was disconnected may miss some of them; `on_processes_gap`
 * notifies it of that.
 *
 * @param manager  the manager
 * @param type     what the message is about: a name (ws_name_is_valid()); copied
 * @param json     one JSON value in UTF-8; copied
 * @param length   of `json` in bytes, at most #WS_PROCESS_MESSAGE_MAX
 *
 * @retval WS_OK                the message is accepted
 * @retval WS_ERR_INVALID       `type` is not a valid name
 * @retval WS_ERR_TOO_BIG       `json` is too long
 * @retval WS_ERR_BAD_JSON      `json` is not one JSON value, or nested too deeply
 * @retval WS_ERR_BACKPRESSURE  too many events and commands wait for the carrier: try again later
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 * @retval WS_ERR_FORKED        the carrier is the parent's
 * @retval WS_ERR_CLOSED        the carrier is being freed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_send_to_processes(ws_manager *manager, const char *type,
                                           const char *json, size_t length);

WS_END_DECLS

#endif
