/* stats.c: a carrier's statistics as JSON and as OpenMetrics text. */
#include <string.h>

#include "base/buffer.h"
#include "base/metrics.h"
#include "cluster/redis/carrier.h"

#define GAUGES(X)                                                                              \
    X(connected, "1 while events are exchanged with Redis")                                    \
    X(position, "Position of the last event that was read")                                    \
    X(lag, "Events that are stored but not yet read, as of the last reply")                    \
    X(pending_events, "Events that wait to be stored")                                         \
    X(pending_bytes, "Bytes of memory of the events that wait to be stored")                   \
    X(pending_fetches, "Requests for missed events that Redis has not answered yet")

#define COUNTERS(X)                                                                            \
    X(stored, "Events of this process that were stored")                                       \
    X(duplicates, "Events of this process that were already in the stream")                    \
    X(refused, "Events that were refused: the queue was full, or Redis refuses this size")     \
    X(delivered, "Events that were read and delivered")                                        \
    X(fetched, "Events that were read for reconnecting clients")                               \
    X(sessions, "Sessions with Redis that were established")                                   \
    X(failures,                                                                                \
      "Sessions that were lost, attempts that failed, and batches that were not stored")       \
    X(redirections, "Redirections by a cluster node to another one")

struct figure {
    const char *name;
    const char *help;
    uint64_t value;
};

#define PLUS_ONE(name, help) +1
enum { N_GAUGES = GAUGES(PLUS_ONE), N_FIGURES = N_GAUGES COUNTERS(PLUS_ONE) };
#undef PLUS_ONE

struct statistics {
    struct figure figures[N_FIGURES];
    char epoch[WS_EPOCH_SIZE];
    char server[PLACE_TEXT_SIZE]; /* "": none is connected */
};

static void collect(struct ws_redis *redis, struct statistics *to)
{
    lock_acquire(&redis->lock);
    {
        const uint64_t read = redis->reader.position;
        const uint64_t newest = redis->session.position;
        const uint64_t connected = carrier_is_up(redis);
        const uint64_t position = read;
        const uint64_t lag = newest > read ? newest - read : 0;
        const uint64_t pending_events = redis->queue.count;
        const uint64_t pending_bytes = redis->queue.bytes;
        const uint64_t pending_fetches = redis->fetches.count;
        const struct figure all[N_FIGURES] = {
#define X(name, help) {#name, help, name},
            GAUGES(X)
#undef X
#define X(name, help) {#name, help, redis->counters.name},
                COUNTERS(X)
#undef X
        };

        memcpy(to->figures, all, sizeof all);
        memcpy(to->epoch, redis->reader.epoch, WS_EPOCH_SIZE);
        to->server[0] = '\0';
        if (connected)
            place_write(&redis->session.place, to->server);
    }
    lock_release(&redis->lock);
}

int ws_redis_get_stats(ws_redis *redis, char **text, size_t *length)
{
    struct statistics now;
    struct buffer buffer;

    if (redis == NULL || text == NULL)
        return WS_ERR_INVALID;
    collect(redis, &now);
    buffer_init(&buffer, &redis->memory);
    buffer_add_text(&buffer, "{\"epoch\":");
    buffer_add_json_string(&buffer, now.epoch, strlen(now.epoch));
    buffer_add_text(&buffer, ",\"server\":");
    buffer_add_json_string(&buffer, now.server, strlen(now.server));
    for (size_t i = 0; i < N_FIGURES; i++) {
        buffer_add_text(&buffer, ",\"");
        buffer_add_text(&buffer, now.figures[i].name);
        buffer_add_text(&buffer, "\":");
        buffer_add_number(&buffer, now.figures[i].value);
    }
    buffer_add_text(&buffer, "}");
    return buffer_finish(&buffer, text, length);
}

static const char prefix[] = "ws_redis_";

int ws_redis_get_metrics(ws_redis *redis, char **text, size_t *length)
{
    struct statistics now;
    struct buffer buffer;

    if (redis == NULL || text == NULL)
        return WS_ERR_INVALID;
    collect(redis, &now);
    buffer_init(&buffer, &redis->memory);
    for (size_t i = 0; i < N_FIGURES; i++) {
        const struct figure *figure = &now.figures[i];

        if (i < N_GAUGES)
            metrics_add_gauge(&buffer, prefix, figure->name, figure->help, figure->value);
        else
            metrics_add_counter(&buffer, prefix, figure->name, figure->help, figure->value);
    }
    /* OpenMetrics and JSON escape a text without control characters in the same way. */
    if (now.server[0] != '\0') {
        metrics_add_head(&buffer, prefix, "server", "info", "The Redis server in use");
        buffer_add_text(&buffer, "ws_redis_server_info{server=");
        buffer_add_json_string(&buffer, now.server, strlen(now.server));
        buffer_add_text(&buffer, "} 1\n");
    }
    return buffer_finish(&buffer, text, length);
}

void ws_redis_free_text(ws_redis *redis, char *text)
{
    if (redis != NULL)
        memory_free(&redis->memory, text);
}
