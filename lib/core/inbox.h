/* inbox.h: posts commands to loops, from any thread, and wakes the loops. Not here: the kinds
 * of commands (commands.h) and their execution (loop/loop.c). */
#ifndef WS_CORE_INBOX_H
#define WS_CORE_INBOX_H

#include "core/loop_state.h"

/* One step under the manager's lock, and the loops to wake when it is over. */
struct posting {
    ws_manager *manager;
    unsigned n_wake;
    ws_loop *wake[MANAGER_MAX_LOOPS];
};

void posting_begin(struct posting *posting, ws_manager *manager);
void posting_end(struct posting *posting);

/* Reserve room for one more command, or for n. Errors: WS_ERR_BACKPRESSURE (only if `limited`:
 * max_pending commands of the thread's account are waiting) or WS_ERR_NO_MEMORY. */
int loop_reserve(ws_loop *loop, bool limited);
int loop_reserve_n(ws_loop *loop, size_t n, bool limited);

/* Adds a command for which room was reserved. The inbox takes over the command's pins and
 * references. */
void posting_push(struct posting *posting, ws_loop *loop, const struct command *command);

/* Makes a loop run soon when the step is over, for work that is not in its inbox. */
void posting_wake(struct posting *posting, ws_loop *loop);

/* Makes the calling thread's loop run soon, for work that is not in its inbox. Takes the manager's
 * lock. */
void loop_wake(ws_loop *loop);

/* Makes the reason of a COMMAND_DISCONNECT from `length` bytes of text; NULL if memory ran
 * out. */
struct close_reason *close_reason_new(const ws_allocator *memory, uint16_t code,
                                      const char *text, size_t length);

/* --- being inside the library ---------------------------------------------------------------- */

/* Marks this thread as being inside a call on `loop` after which the host runs the loop, so
 * that posting to it needs no wake-up. Returns the previous mark, for loop_leave(). */
ws_loop *loop_enter(ws_loop *loop);
void loop_leave(ws_loop *previous);

/* The loop of the innermost loop_enter() of this thread; NULL: none. */
ws_loop *loop_entered(void);

/* Charges the loop in whose turn this thread is for work on a manager, if it is one of that
 * manager's (loop_charge()). */
void loop_charge_running(const ws_manager *manager, uint32_t cost);

/* Whether this thread is between loop_enter() and loop_leave() of `loop`. */
bool loop_is_entered(const ws_loop *loop);

#endif
