/* handshakes.h: bounds the memory of unfinished handshakes of TLS, 44 KB each.
 * A connection that has sent its first bytes waits until there is room. While others wait, the
 * oldest unfinished handshake gives way, but not before its client had time to answer. */
#ifndef WS_SERVER_HANDSHAKES_H
#define WS_SERVER_HANDSHAKES_H

#include <stdint.h>

struct loop;

/* When the next of the waiting connections may begin: at `loop->now_ms` or before it if it may
 * now; WS_NO_DEADLINE if none waits. */
uint64_t handshakes_due_ms(const struct loop *loop);

/* Begins handshakes as far as the turn and the bound allow. */
void handshakes_serve(struct loop *loop);

#endif
