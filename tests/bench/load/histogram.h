/* histogram.h: how often each latency occurred, to within 2 percent.
 * Not here: which latencies are recorded. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

/* Exact up to 64 ns, then 64 buckets for each power of two. */
enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = 59 * HISTOGRAM_STEPS };

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t max_ns;
};

void histogram_add(struct histogram *histogram, uint64_t value_ns);

/* The value that this share (0 to 1) of the latencies does not exceed. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, double share);

#endif
