/* mode_echo.c: every connection sends a message, and the next one when that has come back.
 * Not here: counting and measuring (traffic.c). */
#include "clock.h"
#include "modes.h"
#include "traffic.h"

static void send_one(struct traffic *traffic, struct client *client)
{
    traffic_add(traffic, now_ns());
    traffic_send_batch(traffic, client);
}

static uint64_t begin(struct traffic *traffic)
{
    for (size_t i = 0; traffic->sent < traffic->clients.count; i++)
        send_one(traffic, &traffic->clients.all[i]);
    return UINT64_MAX;
}

static void send_next(struct traffic *traffic, struct client *client)
{
    if (!traffic->ending)
        send_one(traffic, client);
}

int mode_echo(const struct options *options)
{
    static const struct traffic_kind kind = {.feed = begin, .delivered = send_next};

    return traffic_run(options, &kind);
}
