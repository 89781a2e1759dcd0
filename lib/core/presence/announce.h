/* announce.h: sends user_connected and user_disconnected to the clients of this process. Not here:
 * when a user has come or gone (members.h, beat.h; on all processes: follow.h). */
#ifndef WS_CORE_PRESENCE_ANNOUNCE_H
#define WS_CORE_PRESENCE_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/types.h>

struct posting;

enum announcement { USER_CAME, USER_WENT };

/* Sends the event to the recipients that the options name, except the connection itself. It has no
 * position. It is counted as dropped if it cannot be sent, or would exceed max_presence_deliveries.
 * The loop's thread. */
void announce_user(ws_loop *loop, enum announcement announcement, ws_conn_id id,
                   const char *user_id);

/* A connection of a user, at a process. */
struct announced_connection {
    const char *process;
    ws_conn_id id;
    const char *user_id;
};

/* Like announce_user(), in a step of sending that has begun, for a connection of any process.
 * `time_ms` is the event's time. Any thread. */
void announce_posted(struct posting *posting, enum announcement announcement,
                     const struct announced_connection *connection, int64_t time_ms);

/* Adds to the budget what belongs to the time since it was updated. The manager's lock is held,
 * on the loop's thread. */
void announce_refill(const ws_loop *loop);

/* Takes so many deliveries of a room's changes from the budget; false if there is none left: then
 * no event takes any, until manager->presence_waits is cleared. The manager's lock is held, on the
 * loop's thread. */
bool announce_admit_changes(const ws_loop *loop, size_t n_recipients);

/* Corrects the budget after the host's clock went back: a loop got a time that is step_ms
 * before the previous one. */
void announce_clock_set_back(ws_manager *manager, uint64_t step_ms, uint64_t now_ms);

#endif
