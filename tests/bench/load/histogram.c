/* histogram.c: how often each latency occurred, in buckets that widen with the value.
 * Not here: printing. */
#include "histogram.h"

enum { STEP_BITS = 6 };

_Static_assert(1 << STEP_BITS == HISTOGRAM_STEPS, "the bits are those of the steps");

void histogram_add(struct histogram *histogram, uint64_t value_ns)
{
    unsigned shift = 0;

    if (value_ns >> (STEP_BITS + 1) != 0)
        shift = 63 - STEP_BITS - (unsigned)__builtin_clzll(value_ns);
    histogram->counts[((uint64_t)shift << STEP_BITS) + (value_ns >> shift)]++;
    histogram->total++;
    if (value_ns > histogram->max_ns)
        histogram->max_ns = value_ns;
}

/* The largest value of a bucket. */
static uint64_t bucket_value_ns(unsigned bucket)
{
    unsigned shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;

    return ((uint64_t)(bucket - shift * HISTOGRAM_STEPS + 1) << shift) - 1;
}

uint64_t histogram_quantile_ns(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->total);
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen > wanted)
            return bucket_value_ns(i);
    }
    return histogram->max_ns;
}
