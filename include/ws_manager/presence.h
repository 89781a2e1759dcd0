/** @file
 * Presence: the users in a room, or connected to the service.
 *
 * A user is present while any of its connections is in the room, and for the grace time
 * (ws_manager_options::presence_grace_ms) after the last one was lost. Anonymous clients are not
 * counted.
 *
 * With a cluster, users of all processes are counted. Each process sends the changes of its own
 * users to the others, in commands of the stream (cluster.h). When presence of a room begins, the
 * users of other processes are added as soon as those processes have answered. Users of a process
 * that has died are removed after 6 to 9 seconds. The users of the whole service are known to all
 * processes from the beginning, for user_connected and user_disconnected, unless
 * ws_manager_options::presence_events is off.
 *
 * A room has presence from ws_manager_enable_presence() on, or from the first request for its
 * presence until the room is empty. Clients request it with {"type":"presence"}. They receive
 * changes of a room if they entered it with "presence":true, and changes of the whole service after
 * {"type":"watch_presence"}. `authorize_presence` decides whether they may. Only rooms with
 * presence cost memory and time. With a cluster the whole service does, too, unless
 * `presence_events` is off.
 */
#ifndef WS_MANAGER_PRESENCE_H
#define WS_MANAGER_PRESENCE_H

#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** The longest state of a member, in bytes. White space between the parts of the JSON text does not
 * count. */
#define WS_PRESENCE_STATE_MAX 1024

/** Counts the users of a room from now on, until ws_manager_disable_presence().
 *
 * Users that are in the room already are counted in this call, which takes about a tenth of a
 * microsecond for each of their connections, under the manager's lock.
 *
 * @param manager  the manager
 * @param room     the room's name; copied. NULL for all users of the service
 *
 * @retval WS_OK             the room has presence
 * @retval WS_ERR_INVALID    `room` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_LIMIT      `max_presence_members` or `max_presence_bytes` is reached
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_enable_presence(ws_manager *manager, const char *room);

/** Ends a room's presence once the room is empty on all processes and no client receives its
 * changes.
 *
 * @param manager  the manager
 * @param room     the room's name; NULL for all users of the service
 *
 * @retval WS_OK           presence ends when it is no longer used, or the room had none
 * @retval WS_ERR_INVALID  `room` is not a valid name (ws_name_is_valid())
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_disable_presence(ws_manager *manager, const char *room);

/** The users in a room, as one JSON object:
 * {"count":1,"members":[{"user_id":"ana","connections":2,"state":null}]}.
 *
 * If the room has no presence, its users are counted for this call, as by
 * ws_manager_enable_presence(), and from then on until the room is empty. `members` is absent if
 * the room has more than `max_presence_list` members, or if the list would be longer than
 * `max_event_bytes`.
 *
 * @param manager      the manager
 * @param room         the room's name; NULL for all users of the service
 * @param[out] text    the JSON text, NUL-terminated; set on success only
 * @param[out] length  of the text in bytes, without the NUL; may be NULL
 *
 * @retval WS_OK             the text is made, also if the room is empty
 * @retval WS_ERR_INVALID    `room` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_LIMIT      `max_presence_members` or `max_presence_bytes` is reached
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 * @ownership The caller owns `*text`: ws_manager_free_text() frees it.
 */
WS_EXPORT int ws_manager_get_presence(ws_manager *manager, const char *room, char **text,
                                      size_t *length);

/** Sets the state of a user in a room, which other clients receive with its presence: a name, a
 * cursor, "is typing".
 *
 * It replaces the user's former state in the room, even if one of the user's clients has set that
 * one. The state is removed when the user leaves.
 *
 * @param manager  the manager
 * @param room     the room's name; NULL for the whole service
 * @param user_id  the user's name
 * @param json     a JSON text; "null" for no state; copied
 * @param length   of `json`, in bytes
 *
 * @retval WS_OK              the state is set
 * @retval WS_ERR_INVALID     `room` or `user_id` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_BAD_JSON    `json` is not one JSON value, or nested deeper than
 *                            `max_client_json_depth`, or than 254 levels
 * @retval WS_ERR_TOO_BIG     the state is longer than #WS_PRESENCE_STATE_MAX
 * @retval WS_ERR_NOT_MEMBER  the user is not in the room
 * @retval WS_ERR_LIMIT       `max_presence_bytes` is reached
 * @retval WS_ERR_NO_MEMORY   an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_set_presence_state(ws_manager *manager, const char *room,
                                            const char *user_id, const char *json,
                                            size_t length);

WS_END_DECLS

#endif
