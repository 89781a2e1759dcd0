/* fetch.h: requests pages of the stream from a cluster's carrier. Not here: the recoveries that
 * wait for pages (recovery/page_waits.h). */
#ifndef WS_CORE_CLUSTER_FETCH_H
#define WS_CORE_CLUSTER_FETCH_H

#include "core/loop_state.h"

/* Requests the page after a position, unless a request is pending. COMMAND_FETCHED follows when
 * the page has arrived or the request has failed. WS_ERR_ALREADY: the page is cached, or known
 * to be lost. After other errors, try again later. */
int cluster_fetch(ws_loop *loop, uint64_t position);

/* Whether the answer to a page's request is pending; COMMAND_FETCHED follows then. */
bool cluster_is_fetching(ws_loop *loop, uint64_t number);

#endif
