/* stats.c: the statistics as JSON and as OpenMetrics text. */
#include "core/loop.h"

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

/* The lock is held. */
static void add_json_rooms(struct buffer *buffer, const ws_manager *manager)
{
    const struct name_table *rooms = &manager->registry.tables[GROUP_ROOM];
    const char *separator = "";
    size_t bucket = 0;

    buffer_add_text(buffer, ",\"rooms\":{");
    for (const struct group *room = name_table_first_from(rooms, &bucket); room != NULL;
         room = name_table_next(rooms, room, &bucket)) {
        size_t count = group_count(room);

        if (count == 0)
            continue;
        buffer_add_text(buffer, separator);
        buffer_add_json_string(buffer, room->name, room->name_length);
        buffer_add_text(buffer, ":");
        buffer_add_number(buffer, count);
        separator = ",";
    }
    buffer_add_text(buffer, "}");
}

static int finish(struct buffer *buffer, char **text, size_t *length)
{
    *text = buffer_take(buffer, length);
    return *text != NULL ? WS_OK : WS_ERR_NO_MEMORY;
}

int ws_manager_get_stats(ws_manager *manager, char **text, size_t *length)
{
    uint64_t sums[N_COUNTERS];
    struct buffer buffer;

    if (manager == NULL || text == NULL)
        return WS_ERR_INVALID;
    buffer_init(&buffer, &manager->memory);
    manager_lock(manager);
    sum_counters(manager, sums);
    buffer_add_text(&buffer, "{\"total_connections\":");
    buffer_add_number(&buffer, manager->n_connections);
    add_json_number(&buffer, "unique_users", manager->registry.n_occupied[GROUP_USER]);
    add_json_number(&buffer, "history_events", manager->history.count);
    add_json_number(&buffer, "history_bytes", manager->history.bytes);
    add_json_rooms(&buffer, manager);
    manager_unlock(manager);
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
    return finish(&buffer, text, length);
}

static void add_metric(struct buffer *buffer, const char *name, const char *type,
                       const char *help)
{
    buffer_add_text(buffer, "# TYPE ws_");
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, " ");
    buffer_add_text(buffer, type);
    buffer_add_text(buffer, "\n# HELP ws_");
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, " ");
    buffer_add_text(buffer, help);
    buffer_add_text(buffer, "\n");
}

static void add_sample(struct buffer *buffer, const char *name, const char *suffix,
                       uint64_t value)
{
    buffer_add_text(buffer, "ws_");
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, suffix);
    buffer_add_text(buffer, " ");
    buffer_add_number(buffer, value);
    buffer_add_text(buffer, "\n");
}

static void add_gauge(struct buffer *buffer, const char *name, const char *help, uint64_t value)
{
    add_metric(buffer, name, "gauge", help);
    add_sample(buffer, name, "", value);
}

static void add_drops(struct buffer *buffer, const uint64_t sums[N_COUNTERS])
{
    add_metric(buffer, "drops", "counter",
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
    struct buffer buffer;

    if (manager == NULL || text == NULL)
        return WS_ERR_INVALID;
    manager_lock(manager);
    sum_counters(manager, sums);
    connections = manager->n_connections;
    users = manager->registry.n_occupied[GROUP_USER];
    rooms = manager->registry.n_occupied[GROUP_ROOM];
    history_events = manager->history.count;
    history_bytes = manager->history.bytes;
    manager_unlock(manager);
    buffer_init(&buffer, &manager->memory);
    add_gauge(&buffer, "connections", "Connections that are registered", connections);
    add_gauge(&buffer, "users", "Users with at least one connection", users);
    add_gauge(&buffer, "rooms", "Rooms with at least one member", rooms);
    add_gauge(&buffer, "history_events", "Events kept for clients that come back",
              history_events);
    add_gauge(&buffer, "history_bytes", "Memory that they take", history_bytes);
    for (size_t i = 0; i < FIRST_DROP; i++) {
        add_metric(&buffer, counter_names[i], "counter", counter_help[i]);
        add_sample(&buffer, counter_names[i], "_total", sums[i]);
    }
    add_drops(&buffer, sums);
    buffer_add_text(&buffer, "# EOF\n");
    return finish(&buffer, text, length);
}

void ws_manager_free_text(ws_manager *manager, char *text)
{
    memory_free(&manager->memory, text);
}
