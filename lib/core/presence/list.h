/* list.h: makes the messages with which observers receive a room's members and their changes. The
 * manager's lock is held. */
#ifndef WS_CORE_PRESENCE_LIST_H
#define WS_CORE_PRESENCE_LIST_H

#include "core/presence/state.h"

/* Makes room->list, {"type":"presence"}, if it does not exist, for clients that begin to
 * observe the room; false if memory ran out. */
bool presence_make_list(struct presence *presence, struct presence_room *room, int64_t time_ms);

/* Notes that a client receives what the room's list has now: the changes lead on from there. */
void presence_note_given(struct presence *presence, struct presence_room *room);

/* Makes {"type":"presence_changed"} with the changes of n members, or with the count alone; NULL if
 * memory ran out. */
ws_message *presence_make_changes(struct presence *presence, const struct presence_room *room,
                                  struct presence_member *const *members, size_t n,
                                  int64_t time_ms);

#endif
