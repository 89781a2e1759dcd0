/* recovery.h: clients that come back: each is given what it missed from the history, as fast as it
 * reads, and then becomes one like any other.
 *
 * While a connection recovers, events with a position are not delivered to it: it reads them from
 * the history, up to loop->position, which is how far the loop itself has carried out what was
 * sent. Where it has caught up with that, between two batches of commands, it is told `recovered`
 * and is live: the next event is the first one that it does not have.
 *
 * What the history does not have any more is asked of the cluster, if there is one. */
#ifndef WS_CORE_RECOVERY_RECOVERY_H
#define WS_CORE_RECOVERY_RECOVERY_H

#include "core/recovery/state.h"

/* Makes a loop's part; false if memory ran out. */
bool recoveries_new(ws_loop *loop);
void recoveries_free(ws_loop *loop);

/* Whether any can go on now. */
bool recoveries_are_ready(const ws_loop *loop);

/* The connection has entered a room at the manager's position: live events of the room begin behind
 * that. The manager's lock is held. */
void recovery_note_room(struct connection *connection);

/* What checked options say; *recovery is NULL if nothing. False if memory ran out. */
bool recovery_new(const ws_manager *manager, const ws_connect_options *options,
                  struct recovery **recovery);
void recovery_free(const ws_manager *manager, struct recovery *recovery);

/* A connection that has become live begins to recover: from where it was, or, if what it missed is
 * lost, from here: the id in its welcome says so, and `recovered` behind what was sent since. The
 * recovery may end with its connection then, but is not freed before recovery_rooms_entered(). */
void recovery_begin(struct connection *connection, struct recovery *recovery);

/* The connection has entered its rooms as far as it may, or has ended. The recovery is the
 * connection's now, or freed. */
void recovery_rooms_entered(const ws_manager *manager, struct recovery *recovery);

/* Writes the id of the newest event that a connection was given, or would have been if it were for
 * it; what it is told next stands there in the order. Returns its length. */
size_t recovery_event_id(const struct connection *connection, char id[EVENT_ID_SIZE]);

/* Its connection ends. */
void recovery_cancel(struct connection *connection);

/* Between two batches: all that are ready go on. True if there were any: what was called meanwhile,
 * and what waits for the next batch even if it is empty, wants another look. */
bool recoveries_run(ws_loop *loop, uint32_t *budget);

/* Carries out COMMAND_EPOCH. */
void recoveries_epoch(ws_loop *loop, const char *epoch);

/* The connection's transport has room again. */
void recovery_writable(struct connection *connection);

#endif
