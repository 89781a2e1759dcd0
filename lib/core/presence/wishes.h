/* wishes.h: the rooms whose members this process needs to know of the others, and which rooms
 * stay. Not here: the commands that say so (processes_send.h), and what others need of this
 * process (processes_rooms.h).
 *
 * A process counts the users of a room as soon as another process needs them, and sends it each
 * user who comes later. Therefore this process notifies the others when it needs a room, again when
 * a process has started or after a gap, and when it no longer needs the room. Until then the room
 * is kept. The lock is held. */
#ifndef WS_CORE_PRESENCE_WISHES_H
#define WS_CORE_PRESENCE_WISHES_H

#include "core/presence/state.h"

/* Somebody here asks for the room's members. */
void wishes_ask(struct presence *presence, struct presence_room *room);

/* Notifies the others again that the room is needed, if they were notified before. */
void wishes_repeat(struct presence *presence, struct presence_room *room);

/* Ends what has been unused for long enough. */
void wishes_age(struct presence *presence);

/* Whether the others are to be notified of anything, now or later. */
bool wishes_exist(const struct presence *presence);

/* Takes the next room of which this is to be told; NULL: there is none. wishes_settle() follows. */
struct presence_room *wishes_take(struct presence *presence, enum presence_wish wish);

/* What was taken has been sent; or it has not, and is to be told later. Rooms may be freed. */
void wishes_settle(struct presence *presence, bool is_sent);

#endif
