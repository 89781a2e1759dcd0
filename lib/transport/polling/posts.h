/* posts.h: processes the packets that a client posts, a fair share of a turn at a time. */
#ifndef WS_TRANSPORT_POLLING_POSTS_H
#define WS_TRANSPORT_POLLING_POSTS_H

#include "transport/polling/state.h"
#include "transport/polling/ticket.h"

/* Takes over a POST that has arrived at its session. It is answered when its packets have been
 * carried out, so that a client that posts faster than they are waits. */
void polling_accept_post(struct polling *polling, struct ticket *post);

/* A probe of the session has begun or ended: whether a POST must wait is decided anew. */
void posts_wait_anew(struct polling *polling);

#endif
