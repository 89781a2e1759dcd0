/* stream_end.h: how far a cluster's stream goes beyond what was delivered here. */
#ifndef WS_CORE_CLUSTER_STREAM_END_H
#define WS_CORE_CLUSTER_STREAM_END_H

#include "core/loop_state.h"

/* Whether the stream may reach a position that was not delivered here yet. Asks the carrier,
 * which answers later; WS_OK until then. WS_ERR_NOT_FOUND: an answer that came since *question
 * was set from 0 says that the stream ends before the position. Other errors: the carrier cannot
 * be asked now. */
int cluster_reaches(ws_loop *loop, uint64_t position, uint64_t *question);

/* Handles the carrier's answer: the number of events that it found. */
void cluster_end_answered(ws_manager *manager, size_t n_events);

#endif
