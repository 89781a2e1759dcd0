/* batch_limit.h: adapts how many events are requested or sent at once, so that a batch stays
 * below half a megabyte and below the limits on the way (Redis' client-output-buffer-limit and
 * client-query-buffer-limit, a slow line). Those limits are not known: the only sign of them is
 * a connection that ends before a batch is complete. Not here: requesting events (reader.c,
 * load.c, fetches.c) and sending them (writer.c). */
#ifndef WS_REDIS_BATCH_LIMIT_H
#define WS_REDIS_BATCH_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BATCH_LIMIT_BYTES = 512 << 10,
    BATCH_LIMIT_ATTEMPTS = 5 /* with a single event, before it is considered hopeless */
};

struct batch_limit {
    uint32_t most;     /* never more than this */
    uint32_t events;   /* the limit for the next batch, at least 1 */
    uint32_t ceiling;  /* a larger batch failed */
    uint32_t n_passed; /* batches that succeeded since then */
    size_t mean_bytes; /* recent mean size of an event; 0: unknown */

    /* How often the connection ended during a batch of only the event at `cut_at`. */
    uint32_t n_cut_single;
    uint64_t cut_at;
};

void batch_limit_init(struct batch_limit *limit, uint32_t first, uint32_t most);

/* A batch of n_events succeeded, with `bytes` in total (0: unknown). */
void batch_limit_passed(struct batch_limit *limit, size_t n_events, size_t bytes);

/* A batch of n_events failed, which began at `place`. `was_cut` is true if the connection
 * ended, and false if the batch took too long. Halves the limit, which then rises again slowly.
 */
void batch_limit_failed(struct batch_limit *limit, uint32_t n_events, uint64_t place,
                        bool was_cut);

/* True if the event at `place` has ended the connection BATCH_LIMIT_ATTEMPTS times in a batch
 * of its own. */
bool batch_limit_is_hopeless(const struct batch_limit *limit, uint64_t place);

/* Forgets the failures at `place`: its event succeeded, or another event will be there. */
void batch_limit_forget(struct batch_limit *limit, uint64_t place);

#endif
