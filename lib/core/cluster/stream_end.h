/* stream_end.h: how far a cluster's stream goes beyond what was delivered here. */
#ifndef WS_CORE_CLUSTER_STREAM_END_H
#define WS_CORE_CLUSTER_STREAM_END_H

#include "core/loop_state.h"

/* Whether the stream may reach a position, which this process has not come to yet. It asks the
 * carrier, who answers when it can: WS_OK until then. WS_ERR_NOT_FOUND: by an answer since
 * *question was 0 the stream ends before. Other errors: the carrier can't be asked now. */
int cluster_reaches(ws_loop *loop, uint64_t position, uint64_t *question);

/* Takes the answer to that. */
void cluster_end_answered(ws_manager *manager, size_t n_events);

#endif
