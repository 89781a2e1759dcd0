/* cluster.h: what a cluster's carrier is asked for: pages, and how far the stream goes.
 * Not here: those that wait for them (page_waits.h), what is sent to the carrier (publish.h), and
 * what it delivers (cluster.c). */
#ifndef WS_CORE_CLUSTER_H
#define WS_CORE_CLUSTER_H

#include "core/loop.h"

/* Asks for the page behind a position, unless that is under way; COMMAND_FETCHED follows when it
 * has come, or can't be had. WS_ERR_ALREADY: that is so now. Other errors: to be tried again
 * later. */
int cluster_fetch(ws_loop *loop, uint64_t position);

/* Whether the stream may reach a position, which this process has not come to yet. It asks the
 * carrier, who answers when it can: WS_OK until then. WS_ERR_NOT_FOUND: by an answer since
 * *question was 0 the stream ends before. Other errors: the carrier can't be asked now. */
int cluster_reaches(ws_loop *loop, uint64_t position, uint64_t *question);

/* Takes the answer to that. */
void cluster_end_answered(ws_manager *manager, size_t n_events);

/* Whether the answer about a page is still to come. Then COMMAND_FETCHED follows. */
bool cluster_is_fetching(ws_loop *loop, uint64_t number);

#endif
