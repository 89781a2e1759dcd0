/* unfinished_crowd.h: a loop whose clients seem to have sent so much of what is not complete that
 * the limit is nearly reached, without the memory of it. */
#ifndef SUPPORT_UNFINISHED_CROWD_H
#define SUPPORT_UNFINISHED_CROWD_H

#include <stdint.h>

#include <ws_manager/loop.h>

/* Begins 300,000 messages of one byte, and behind them a large one: 1,500 bytes are left of the
 * limit, and an equal share of it is less than 900. Only what began before gives way. */
void unfinished_crowd_begin(const ws_loop *loop);

/* Ends them, and checks that nothing else is unfinished. */
void unfinished_crowd_end(const ws_loop *loop);

/* The bytes of everything that is unfinished. */
uint64_t unfinished_bytes(const ws_loop *loop);

#endif
