/* loop_view.h: what a loop counts, for tests whose names differ from those of the library's own
 * headers. */
#ifndef TEST_POLLING_LOOP_VIEW_H
#define TEST_POLLING_LOOP_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/loop.h>

/* The most sessions of a loop that poll and have no socket. */
uint32_t view_most_unconnected(void);

/* How many there are. */
uint32_t view_unconnected(const ws_loop *loop);

/* The most memory that the heads of a loop's sessions may have, and what they have. */
size_t view_most_head_bytes(void);
size_t view_head_bytes(const ws_loop *loop);
void view_set_head_bytes(const ws_loop *loop, size_t bytes);

#endif
