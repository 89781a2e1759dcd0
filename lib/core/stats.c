/* stats.c: the statistics as JSON and as OpenMetrics text. */
#include "core/loop_state.h"

#include <string.h>

#include "base/metrics.h"
#include "core/checks.h"

/* Rooms that are read under one hold of the lock: a tenth of a millisecond. */
enum { ROOMS_AT_ONCE = 1000 };

static const char *const counter_names[N_COUNTERS] = {
#define X(name, help) #name,
    COUNTER_TABLE(X) DROP_TABLE(X)
#undef X
};

static const char *const counter_help[N_COUNTERS] = {
#define X(name, help) help,
    COUNTER_TABLE(X) DROP_TABLE(X)
#undef X
};

enum { FIRST_DROP = COUNTER_drop_slow_client };

/* The lock is held. */
static void sum_counters(const ws_manager *manager, uint64_t sums[N_COUNTERS])
{
    manager_assert_locked(manager);
    for (size_t i = 0; i < N_COUNTERS; i++) {
        sums[i] = counter_read(&manager->counters, (enum counter)i);
        for (size_t loop = 0; loop < MANAGER_MAX_LOOPS; loop++)
            if (manager->loops[loop] != NULL)
                sums[i] += counter_read(&manager->loops[loop]->counters, (enum counter)i);
    }
}

static void add_json_number(struct buffer *buffer, const char *name, uint64_t value)
{
    buffer_add_text(buffer, ",\"");
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, "\":");
    buffer_add_number(buffer, value);
}

/* A walk over the rooms. */
struct listing {
    uint64_t position; /* name_table_walk() */
    size_t n_read;     /* rooms read in this step */
    struct buffer raw; /* of each room read: its member count and its name */
};

static void read_room(void *node, void *user_data)
{
    struct listing *listing = user_data;
    const struct group *room = node;
    const size_t count = group_count(room);

    listing->n_read++;
    if (count == 0)
        return;
    buffer_add(&listing->raw, &count, sizeof count);
    buffer_add(&listing->raw, &room->name_length, sizeof room->name_length);
    buffer_add(&listing->raw, room->name, room->name_length);
}

/* Copies the next rooms; false after the last. It makes no text, because the lock is held. */
static bool read_rooms(struct listing *listing, const ws_manager *manager)
{
    manager_assert_locked(manager);
    listing->n_read = 0;
    listing->raw.length = 0;
    while (listing->n_read < ROOMS_AT_ONCE)
        if (!name_table_walk(&manager->registry.tables[GROUP_ROOM], &listing->position,
                             read_room, listing))
            return false;
    return true;
}

static void add_json_read(struct buffer *buffer, const struct listing *listing)
{
    const char *at = listing->raw.data;
    const char *end = listing->raw.length > 0 ? at + listing->raw.length : at;

    while (at < end) {
        size_t count;
        uint8_t length;

        memcpy(&count, at, sizeof count);
        memcpy(&length, at + sizeof count, sizeof length);
        at += sizeof count + sizeof length;
        if (buffer->data[buffer->length - 1] != '{')
            buffer_add_text(buffer, ",");
        buffer_add_json_string(buffer, at, length);
        buffer_add_text(buffer, ":");
        buffer_add_number(buffer, count);
        at += length;
        if (buffer->failed)
            return;
    }
}

/* Writes the rooms, of which the first step was read already; null if they take more than
 * max_bytes. */
static void add_json_rooms(struct buffer *buffer, ws_manager *manager, struct listing *listing,
                           bool more, size_t max_bytes)
{
    size_t start;

    buffer_add_text(buffer, ",\"rooms\":");
    start = buffer->length;
    buffer_add_text(buffer, "{");
    for (;;) {
        buffer->failed |= listing->raw.failed;
        if (buffer->failed)
            return;
        add_json_read(buffer, listing);
        if (buffer->failed || buffer->length - start > max_bytes || !more)
            break;
        manager_lock(manager);
        more = read_rooms(listing, manager);
        manager_unlock(manager);
    }
    buffer_add_text(buffer, "}");
    if (!buffer->failed && buffer->length - start > max_bytes) {
        buffer->length = start;
        buffer_add_text(buffer, "null");
    }
}

int ws_manager_get_stats_within(ws_manager *manager, size_t max_rooms_bytes, char **text,
                                size_t *length)
{
    uint64_t sums[N_COUNTERS];
    struct listing listing = {.position = 0};
    struct buffer buffer;
    bool more;
    int result;

    if (manager == NULL || text == NULL)
        return WS_ERR_INVALID;
    result = checks_call(manager, "statistics were read");
    if (result != WS_OK)
        return result;
    buffer_init(&buffer, &manager->memory);
    buffer_init(&listing.raw, &manager->memory);
    manager_lock(manager);
    sum_counters(manager, sums);
    buffer_add_text(&buffer, "{\"total_connections\":");
    buffer_add_number(&buffer, manager->n_connections);
    add_json_number(&buffer, "unique_users", manager->registry.n_occupied[GROUP_USER]);
    add_json_number(&buffer, "history_events", manager->history.count);
    add_json_number(&buffer, "history_bytes", manager->history.bytes);
    add_json_number(&buffer, "last_values", manager->last_values.count);
    add_json_number(&buffer, "last_values_bytes", manager->last_values.bytes);
    add_json_number(&buffer, "last_values_dropped", manager->last_values.n_dropped);
    more = read_rooms(&listing, manager);
    manager_unlock(manager);
    add_json_rooms(&buffer, manager, &listing, more, max_rooms_bytes);
    buffer_free(&listing.raw);
    for (size_t i = 0; i < FIRST_DROP; i++)
        add_json_number(&buffer, counter_names[i], sums[i]);
    buffer_add_text(&buffer, ",\"drops\":{\"");
    for (size_t i = FIRST_DROP; i < N_COUNTERS; i++) {
        buffer_add_text(&buffer, i > FIRST_DROP ? ",\"" : "");
        buffer_add_text(&buffer, counter_names[i]);
        buffer_add_text(&buffer, "\":");
        buffer_add_number(&buffer, sums[i]);
    }
    buffer_add_text(&buffer, "}}");
    return buffer_finish(&buffer, text, length);
}

int ws_manager_get_stats(ws_manager *manager, char **text, size_t *length)
{
    return ws_manager_get_stats_within(manager, SIZE_MAX, text, length);
}

static const char prefix[] = "ws_";

static void add_gauge(struct buffer *buffer, const char *name, const char *help, uint64_t value)
{
    metrics_add_gauge(buffer, prefix, name, help, value);
}

static void add_drops(struct buffer *buffer, const uint64_t sums[N_COUNTERS])
{
    metrics_add_head(buffer, prefix, "drops", "counter",
                     "Messages that did not reach a recipient, by reason");
    for (size_t i = FIRST_DROP; i < N_COUNTERS; i++) {
        buffer_add_text(buffer, "ws_drops_total{reason=\"");
        buffer_add_text(buffer, counter_names[i]);
        buffer_add_text(buffer, "\"} ");
        buffer_add_number(buffer, sums[i]);
        buffer_add_text(buffer, "\n");
    }
}

int ws_manager_get_metrics(ws_manager *manager, char **text, size_t *length)
{
    uint64_t sums[N_COUNTERS];
    uint64_t connections;
    uint64_t users;
    uint64_t rooms;
    uint64_t history_events;
    uint64_t history_bytes;
    uint64_t last_values;
    uint64_t last_values_bytes;
    uint64_t last_values_dropped;
    struct buffer buffer;
    int result;

    if (manager == NULL || text == NULL)
        return WS_ERR_INVALID;
    result = checks_call(manager, "metrics were read");
    if (result != WS_OK)
        return result;
    manager_lock(manager);
    sum_counters(manager, sums);
    connections = manager->n_connections;
    users = manager->registry.n_occupied[GROUP_USER];
    rooms = manager->registry.n_occupied[GROUP_ROOM];
    history_events = manager->history.count;
    history_bytes = manager->history.bytes;
    last_values = manager->last_values.count;
    last_values_bytes = manager->last_values.bytes;
    last_values_dropped = manager->last_values.n_dropped;
    manager_unlock(manager);
    buffer_init(&buffer, &manager->memory);
    add_gauge(&buffer, "connections", "Registered connections", connections);
    add_gauge(&buffer, "users", "Users with at least one connection", users);
    add_gauge(&buffer, "rooms", "Rooms with at least one member", rooms);
    add_gauge(&buffer, "history_events", "Events stored for clients that reconnect",
              history_events);
    add_gauge(&buffer, "history_bytes", "Bytes of memory used by the stored events",
              history_bytes);
    add_gauge(&buffer, "last_values", "Events kept by rooms for clients that enter",
              last_values);
    add_gauge(&buffer, "last_values_bytes", "Bytes of memory used by the kept events",
              last_values_bytes);
    metrics_add_counter(&buffer, prefix, "last_values_dropped",
                        "Kept events that a limit pushed out", last_values_dropped);
    for (size_t i = 0; i < FIRST_DROP; i++)
        metrics_add_counter(&buffer, prefix, counter_names[i], counter_help[i], sums[i]);
    add_drops(&buffer, sums);
    buffer_add_text(&buffer, "# EOF\n");
    return buffer_finish(&buffer, text, length);
}

void ws_manager_free_text(ws_manager *manager, char *text)
{
    if (manager != NULL)
        memory_free(&manager->memory, text);
}
