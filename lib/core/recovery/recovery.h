/* recovery.h: recovers clients that reconnect: each gets the events that it missed from the
 * history, as fast as it reads, and then becomes an ordinary connection.
 *
 * While a connection recovers, events with a position are not delivered to it: it reads them
 * from the history, up to loop->position, the point up to which its loop has executed events.
 * When it has caught up with that point, between two batches of commands, it gets `recovered`
 * and is live: the next event is the first that it does not have.
 *
 * Events that are no longer in the history are requested from the cluster, if there is one. Where
 * neither keeps any, events are delivered as they come, or wait behind the values that rooms keep
 * (connections/pending_values.h). Those that come while a client that was away enters its rooms are
 * skipped: it is notified that it missed them. */
#ifndef WS_CORE_RECOVERY_RECOVERY_H
#define WS_CORE_RECOVERY_RECOVERY_H

#include "core/recovery/state.h"

/* Create and free a loop's part; false if memory ran out. */
bool recoveries_new(ws_loop *loop);
void recoveries_free(ws_loop *loop);

/* Whether any recovery can continue now. */
bool recoveries_are_ready(const ws_loop *loop);

/* Records that the connection has entered a room at the manager's position: live events of the
 * room begin after that. The manager's lock is held. */
void recovery_note_room(struct connection *connection);

/* Makes the recovery that checked options ask for; *recovery is NULL if they ask for none.
 * False if memory ran out. */
bool recovery_new(const ws_manager *manager, const ws_connect_options *options,
                  struct recovery **recovery);
void recovery_free(const ws_manager *manager, struct recovery *recovery);

/* Begins the recovery of a connection that has become live, and owns the recovery from now on:
 * from its last event or, if events after that are lost, from the current position. The welcome
 * carries that position's id, and `recovered` follows after what was sent since. Nothing is
 * delivered before recovery_rooms_entered(). */
void recovery_begin(struct connection *connection, struct recovery *recovery);

/* Frees the recovery of a connection that has ended, at once or in the next turns. */
void recovery_release(ws_loop *loop, struct recovery *recovery);

/* Delivers the values that it has before further rooms are joined: then its `input` is served
 * again. It waits for joins. */
void recovery_deliver_values_first(struct recovery *recovery);

/* Delivers values (entry.h) to a connection before its next events, by its recovery or by one that
 * begins now, at the point that its loop has carried out. Takes over the messages' references, not
 * the array. False if memory ran out: nothing was taken. */
bool recovery_add_values(struct connection *connection, ws_message **messages, size_t count);

/* The connection has entered the rooms that it may enter. `in_order`: before any other command
 * than its CONNECT was executed. If not, and if no history is kept, it may have missed events of
 * these rooms, of which it is notified. The recovery may have ended afterwards. */
void recovery_rooms_entered(struct recovery *recovery, bool in_order);

/* Writes the id of the newest event up to which the connection has been served, whether or not
 * that event was for it. The message that carries it is at that point of the order. Returns the
 * id's length. */
size_t recovery_event_id(const struct connection *connection, char id[EVENT_ID_SIZE]);

/* The position of that event. */
uint64_t recovery_position(const struct connection *connection);

/* Cancels the recovery, if there is one, because its connection ends. */
void recovery_cancel(struct connection *connection);

/* Continues all recoveries that are ready, between two batches of commands, while
 * loop->for_recovery suffices. True if there were any: callbacks may have posted commands, and
 * what waits for the next batch must be checked even if that is empty. */
bool recoveries_run(ws_loop *loop);

/* Executes COMMAND_EPOCH. */
void recoveries_epoch(ws_loop *loop, const char *epoch);

/* Notes that the connection's transport has room again. */
void recovery_writable(struct connection *connection);

#endif
