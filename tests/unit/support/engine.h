/* engine.h: a cluster's stream with its own thread, which delivers what other threads send and
 * answers their loops' requests, often with less than requested. Not here: a stream that a test
 * controls (stream.h). */
#ifndef SUPPORT_ENGINE_H
#define SUPPORT_ENGINE_H

#include <ws_manager/cluster.h>

struct engine;

/* Becomes the carrier of a manager that has no loop yet, for at most so many events. */
struct engine *engine_start(ws_manager *manager, size_t most_events);

/* To be called when nothing is sent any more and the loops are freed. Returns how many events were
 * requested. */
size_t engine_stop(struct engine *engine);

#endif
