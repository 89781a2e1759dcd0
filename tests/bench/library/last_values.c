/* last_values.c: what it costs to keep the last values of a room, for each event, and how long
 * it takes until clients that enter the room with its state have it. Not here: the values in
 * Redis (tests/model/measure). */
#include <stdio.h>
#include <time.h>

#include <ws_manager/last_values.h>

#include "figures.h"
#include "memory_host.h"
#include "sample_order.h"
#include "support/counting_allocator.h"

enum { KEYS = 100, EVENTS_FOR_CLIENT = 40, IN_A_TURN = 100 };

enum keeping { NOTHING, STATE, STATE_AND_HISTORY };

static double cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

static void open_host(struct memory_host *host, struct counting_allocator *counting, size_t n,
                      enum keeping keeping)
{
    ws_last_values_options values;
    ws_room_history_options history;
    struct memory_host_options options;

    counting_allocator_init(counting);
    memory_host_options_init(&options);
    options.manager.allocator = &counting->allocator;
    options.manager.history_events = 1;
    memory_host_open(host, &options, n);
    ws_last_values_options_init(&values);
    ws_room_history_options_init(&history);
    if (keeping >= STATE)
        require_ok(ws_manager_keep_last_values(host->manager, &values), "keeping values");
    if (keeping == STATE_AND_HISTORY)
        require_ok(ws_manager_keep_room_history(host->manager, &history), "keeping a history");
}

static void emit(const struct memory_host *host, size_t number)
{
    ws_event *event;
    char key[24];

    snprintf(key, sizeof key, "%zu", number % KEYS);
    require_ok(
        ws_event_new(host->manager, "order_created", SAMPLE_ORDER, SAMPLE_ORDER_LENGTH, &event),
        "an event");
    require_ok(ws_event_set_key(event, key), "a key");
    require_ok(ws_manager_broadcast_to_room(host->manager, "orders", event, NULL, 0),
               "a broadcast");
    ws_event_free(event);
}

static void measure_keeping(size_t n, enum keeping keeping, const char *name)
{
    struct counting_allocator counting;
    struct memory_host host;
    double before;
    size_t bytes;

    open_host(&host, &counting, 1, keeping);
    emit(&host, 0);
    bytes = counting.bytes;
    for (size_t i = 1; i < KEYS; i++)
        emit(&host, i);
    if (keeping == STATE)
        print_figure((double)(counting.bytes - bytes) / (KEYS - 1), "B", "kept_value");
    before = cpu_ns();
    for (size_t i = 0; i < n; i++)
        emit(&host, i);
    print_figure((cpu_ns() - before) / (double)n, "ns", "emit_%s", name);
    memory_host_close(&host);
}

static void enter(struct memory_host *host, const char *request)
{
    for (size_t i = 0; i < host->n_clients; i++) {
        memory_host_receive(host, i, request);
        if ((i + 1) % IN_A_TURN == 0)
            memory_host_turn(host);
    }
    memory_host_turn(host);
}

static void measure_entering(size_t n, bool with_state)
{
    const char *request = with_state
                              ? "{\"type\":\"join_room\",\"room\":\"orders\",\"state\":true}"
                              : "{\"type\":\"join_room\",\"room\":\"orders\"}";
    const size_t messages = n * (with_state ? 1 + KEYS : 1);
    struct counting_allocator counting;
    struct memory_host host;
    double cpu_before;
    uint64_t start;

    open_host(&host, &counting, n, STATE);
    memory_host_connect(&host, 0, n, IN_A_TURN);
    for (size_t i = 0; i < KEYS; i++)
        emit(&host, i);
    memory_host_turn(&host);
    host.on_output = memory_host_count_events;
    cpu_before = cpu_ns();
    start = now_ns();
    enter(&host, request);
    require(host.n_events == messages, "everyone gets the answer and the state");
    print_figure((double)(now_ns() - start) / 1e6, "ms", "enter_of_all_with_%d_values",
                 with_state ? KEYS : 0);
    print_figure((cpu_ns() - cpu_before) / (double)n, "ns",
                 "enter_cpu_of_client_with_%d_values", with_state ? KEYS : 0);
    memory_host_close(&host);
}

int main(int argc, char **argv)
{
    size_t n = count_argument(argc, argv, 10000);

    measure_keeping(n * EVENTS_FOR_CLIENT, NOTHING, "kept_nowhere");
    measure_keeping(n * EVENTS_FOR_CLIENT, STATE, "kept_as_state");
    measure_keeping(n * EVENTS_FOR_CLIENT, STATE_AND_HISTORY, "kept_as_state_and_history");
    measure_entering(n, false);
    measure_entering(n, true);
    return 0;
}
