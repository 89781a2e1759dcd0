/* engine.h: a cluster's stream with a thread of its own, which delivers what other threads send and
 * answers what their loops ask for, often with less. Not here: one that does what a test says
 * (stream.h). */
#ifndef SUPPORT_ENGINE_H
#define SUPPORT_ENGINE_H

#include <ws_manager/cluster.h>

struct engine;

/* Becomes the carrier of a manager that has no loop yet; up to so many events. */
struct engine *engine_start(ws_manager *manager, size_t most_events);

/* When nobody sends any more and the loops are gone. Returns how many events were asked for. */
size_t engine_stop(struct engine *engine);

#endif
