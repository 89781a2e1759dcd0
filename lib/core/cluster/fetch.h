/* fetch.h: pages of the stream that a cluster's carrier is asked for.
 * Not here: those that wait for them (recovery/page_waits.h). */
#ifndef WS_CORE_CLUSTER_FETCH_H
#define WS_CORE_CLUSTER_FETCH_H

#include "core/loop_state.h"

/* Asks for the page behind a position, unless that is under way; COMMAND_FETCHED follows when it
 * has come, or can't be had. WS_ERR_ALREADY: that is so now. Other errors: to be tried again
 * later. */
int cluster_fetch(ws_loop *loop, uint64_t position);

/* Whether the answer about a page is still to come. Then COMMAND_FETCHED follows. */
bool cluster_is_fetching(ws_loop *loop, uint64_t number);

#endif
