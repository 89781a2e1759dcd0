/* mode_fanout.c: connection 0 publishes, and every connection receives it. The rate is either the
 * highest with a number of messages outstanding, or fixed, without waiting for the server. */
#include "clock.h"
#include "modes.h"
#include "traffic.h"

static uint64_t feed_outstanding(struct traffic *traffic)
{
    const struct options *options = traffic->clients.options;
    uint64_t whole = traffic->delivered / traffic->clients.count;
    uint64_t sent_ns = now_ns();

    if (traffic->sent - whole >= options->outstanding)
        return UINT64_MAX;
    while (traffic->sent - whole < options->outstanding)
        traffic_add(traffic, sent_ns);
    traffic_send_batch(traffic, &traffic->clients.all[0]);
    return UINT64_MAX;
}

static uint64_t feed_paced(struct traffic *traffic)
{
    static uint64_t due_ns;
    uint64_t interval_ns = (uint64_t)((double)NS_PER_S / traffic->clients.options->rate);
    uint64_t time_ns = now_ns();

    if (due_ns == 0)
        due_ns = time_ns;
    for (; due_ns <= time_ns; due_ns += interval_ns)
        traffic_add(traffic, due_ns);
    if (traffic->batch.length > 0)
        traffic_send_batch(traffic, &traffic->clients.all[0]);
    return due_ns - time_ns;
}

int mode_fanout(const struct options *options)
{
    static const struct traffic_kind kind = {.feed = feed_outstanding, .to_everyone = true};

    return traffic_run(options, &kind);
}

int mode_paced(const struct options *options)
{
    static const struct traffic_kind kind = {.feed = feed_paced, .to_everyone = true};

    return traffic_run(options, &kind);
}
