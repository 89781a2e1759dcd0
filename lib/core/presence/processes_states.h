/* processes_states.h: the states of members, which are the same on all processes. Not here:
 * setting one (states.h), and sending it (processes_send.h).
 *
 * The stream decides: of a user's states the one counts whose command has the highest position.
 * It ends at the position at which the user has no connection. A process that sets a state,
 * or lets a user come, has that at once, and the others when the command comes. The lock is
 * held. */
#ifndef WS_CORE_PRESENCE_PROCESSES_STATES_H
#define WS_CORE_PRESENCE_PROCESSES_STATES_H

#include "core/presence/processes_read.h"

/* In place of the number of another process: this one. */
enum { NO_PROCESS = PRESENCE_MAX_PROCESSES };

/* Applies what a command of a process says of a member's state, and notes that a command of this
 * process has come back. WS_ERR_NO_MEMORY: nothing was done. */
int processes_apply_state(struct presence *presence, uint32_t process,
                          struct presence_member *member, const struct entry *entry);

/* A process that began late, or has missed something, may not know the state of a user that is
 * there. It learns it from the others on which the user is. If there are none that know it, any
 * other says it. */
void processes_tell_state(struct presence *presence, struct presence_member *member);

/* After a gap: the states of users who are not here come again, or were removed meanwhile. One
 * that was set here is sent again, because its command may not come back. In another stream the
 * positions mean nothing. */
void processes_doubt_states(struct presence *presence);

#endif
