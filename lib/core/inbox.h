/* inbox.h: posting commands to loops, from any thread, and waking those.
 * Not here: what the commands are (commands.h) and when they are carried out (loop/loop.c). */
#ifndef WS_CORE_INBOX_H
#define WS_CORE_INBOX_H

#include "core/loop_state.h"

/* One step under the manager's lock, and the wake-ups that it brought. */
struct posting {
    ws_manager *manager;
    unsigned n_wake;
    ws_loop *wake[MANAGER_MAX_LOOPS];
};

void posting_begin(struct posting *posting, ws_manager *manager);
void posting_end(struct posting *posting);

/* Room for one more command, or for n; WS_ERR_BACKPRESSURE (if `limited`, and max_pending wait on the
 * thread's account) or WS_ERR_NO_MEMORY. */
int loop_reserve(ws_loop *loop, bool limited);
int loop_reserve_n(ws_loop *loop, size_t n, bool limited);

/* Adds a command, for which room was reserved; pins and references become the inbox's. */
void posting_push(struct posting *posting, ws_loop *loop, const struct command *command);

/* Has the loop run soon, for something that was left with it without a command. The loop's
 * thread. */
void loop_wake(ws_loop *loop);

/* Of `length` bytes of text, for COMMAND_DISCONNECT; NULL if memory ran out. */
struct close_reason *close_reason_new(const ws_allocator *memory, uint16_t code,
                                      const char *text, size_t length);

/* --- being inside the library ---------------------------------------------------------------- */

/* Marks this thread as being inside a call on `loop` after which the host runs it, so that
 * posting to it needs no wake-up. Returns what loop_leave() wants. */
ws_loop *loop_enter(ws_loop *loop);
void loop_leave(ws_loop *previous);

/* Whether this thread is. */
bool loop_is_entered(const ws_loop *loop);

#endif
