/* processes_states.h: makes the states of members equal on all processes. Not here: setting a state
 * (states.h), and sending it (processes_send.h).
 *
 * The stream decides: the state of a user is that of the command with the highest position. It
 * ends at the position at which the user has no connection. A process that sets a state or adds
 * a user applies that at once, the other processes when they read the command. All functions
 * are called with the lock held. */
#ifndef WS_CORE_PRESENCE_PROCESSES_STATES_H
#define WS_CORE_PRESENCE_PROCESSES_STATES_H

#include "core/inbox.h"
#include "core/presence/processes_read.h"

/* Stands for this process in place of the number of another one. */
enum { NO_PROCESS = PRESENCE_MAX_PROCESSES };

/* Applies what a command of a process says of a member's state, and notes that a command of this
 * process has come back. WS_ERR_NO_MEMORY: nothing was done. */
int processes_apply_state(struct presence *presence, uint32_t process,
                          struct presence_member *member, const struct entry *entry);

/* Sends a member's state to a process that may lack it, because it started late or has missed
 * commands. Processes to which the user is connected send it; if none of them has it, any other
 * process does. */
void processes_tell_state(struct presence *presence, struct presence_member *member);

/* After a gap, the states of users of other processes arrive again, or were removed meanwhile.
 * A state that was set here is sent again, because its command may be lost. Positions of a
 * former stream are forgotten. A user who has left here is announced, because the command that
 * says so may be lost. Without the lock, which it takes for some members at a time: nothing is
 * sent or taken meanwhile. */
void processes_doubt_states(ws_manager *manager, int64_t time_ms);

#endif
