/* processes.h: presence of several processes. Each tells the others, by commands in the cluster's
 * stream, how many connections its own users have in each room with presence, and every process
 * adds them up. Not here: the stream's commands (core/cluster/process_commands.h).
 *
 * The commands, of a process P:
 *
 *     presence          the connections at P of some users in a room, 0 for a user that has
 *                       left, or "leaving" if it may come back within its grace time; and the
 *                       user's state, if it was set at P or other processes may not have it
 *     presence_begin    P sends everything that it has, as commands `presence`
 *     presence_end      the snapshot is complete: what it did not contain no longer exists at P
 *     presence_wanted   P requests what other processes have: of some rooms, now and from then
 *                       on, or everything of one process or of all
 *     presence_repeated P still needs some rooms: after presence_begin, for processes that are
 *                       new, or have missed it
 *     presence_unwanted P needs some rooms no longer
 *     presence_leaving  P stops: the connections that it has end now
 *     presence_alive    P is alive
 *
 * A process is considered dead when three of this process's own presence_alive have come back
 * since its last command. So no process expires while the stream makes no progress, and of several
 * presence_alive that the carrier queued meanwhile only the first counts. Commands are numbered:
 * a sender learns from the numbers how many of its commands are in flight, and pauses when there
 * are many.
 *
 * Every process uses the state of a user whose command has the highest position in the stream. A
 * state that is sent again carries that position. It ends at the position at which the user has
 * no connection. */
#ifndef WS_CORE_PRESENCE_PROCESSES_H
#define WS_CORE_PRESENCE_PROCESSES_H

#include "core/presence/state.h"

/* Carries out a command of the stream, whose text is a valid JSON object. The lock is not held.
 * WS_ERR_INVALID: it is not valid. WS_ERR_LIMIT: it is of one process too many, and was skipped.
 * WS_ERR_NO_MEMORY: it is to be tried again. */
int presence_command_carry_out(ws_manager *manager, const ws_cluster_event *event);

/* The process may have missed commands: it asks the others for what they have, and sends what it
 * has itself. Any thread, without the lock. */
void presence_gap(ws_manager *manager);

#endif
