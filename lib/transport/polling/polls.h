/* polls.h: the GET requests that wait for a session's packets. */
#ifndef WS_TRANSPORT_POLLING_POLLS_H
#define WS_TRANSPORT_POLLING_POLLS_H

#include "transport/polling/state.h"
#include "transport/polling/ticket.h"

/* Takes over a poll that has arrived at its session. */
void polling_accept_poll(struct polling *polling, struct ticket *poll);

/* Answers a poll that waits on its session's own loop, if something is queued. */
void polling_fill(struct ticket *poll);

#endif
