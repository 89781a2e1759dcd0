/* emit.c: emits per second, from one thread and from several at once, into a room without members
 * and into a room with one member, whose loop runs on another thread. Not here: many recipients
 * (fanout_to_room.c). */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "figures.h"
#include "memory_host.h"
#include "sample_order.h"

enum { MAX_THREADS = 4, KEPT = 10000 /* events in the history: the default */ };

/* The loop's thread: sleeps until the library wakes it, then runs a turn. */
struct loop_thread {
    struct memory_host host;
    pthread_t thread;
    int wake_fd;
    atomic_bool stopping;
};

struct emitter {
    pthread_t thread;
    ws_manager *manager;
    size_t count;
};

static void wake(void *user_data)
{
    struct loop_thread *loop = user_data;

    eventfd_write(loop->wake_fd, 1);
}

static void *run_loop(void *user_data)
{
    struct loop_thread *loop = user_data;
    eventfd_t value;

    while (!atomic_load(&loop->stopping)) {
        eventfd_read(loop->wake_fd, &value);
        memory_host_turn(&loop->host);
    }
    memory_host_turn(&loop->host);
    return NULL;
}

static void *emit_all(void *user_data)
{
    const struct emitter *emitter = user_data;

    for (size_t i = 0; i < emitter->count; i++) {
        int result;

        while ((result = ws_manager_emit_order_created(emitter->manager, SAMPLE_ORDER,
                                                       SAMPLE_ORDER_LENGTH)) ==
               WS_ERR_BACKPRESSURE)
            sched_yield();
        require_ok(result, "an emit");
    }
    return NULL;
}

static void emit_from_threads(ws_manager *manager, size_t count, size_t n_threads)
{
    struct emitter emitters[MAX_THREADS];

    for (size_t i = 0; i < n_threads; i++) {
        emitters[i] = (struct emitter){.manager = manager, .count = count / n_threads};
        require(pthread_create(&emitters[i].thread, NULL, emit_all, &emitters[i]) == 0,
                "starting a thread");
    }
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(emitters[i].thread, NULL);
}

static void open_loop(struct loop_thread *loop, uint32_t history_events)
{
    struct memory_host_options options;

    loop->wake_fd = eventfd(0, EFD_CLOEXEC);
    require(loop->wake_fd >= 0, "eventfd");
    atomic_init(&loop->stopping, false);
    memory_host_options_init(&options);
    options.manager.history_events = history_events;
    options.loop.wake = wake;
    options.loop.user_data = loop;
    /* A slow turn must not look like a slow client. */
    options.endpoint.max_queue_bytes = UINT32_MAX;
    memory_host_open(&loop->host, &options, 1);
    memory_host_connect(&loop->host, 0, 1, 1);
    loop->host.on_output = memory_host_count_events;
    memory_host_route(&loop->host, "orders");
}

static void close_loop(struct loop_thread *loop)
{
    memory_host_close(&loop->host);
    close(loop->wake_fd);
}

static void measure_empty_room(size_t count, size_t n_threads, uint32_t history_events)
{
    struct loop_thread loop;
    uint64_t start;
    double seconds;

    open_loop(&loop, history_events);
    start = now_ns();
    emit_from_threads(loop.host.manager, count, n_threads);
    seconds = (double)(now_ns() - start) / 1e9;
    print_figure((double)(count / n_threads * n_threads) / seconds, "per_s",
                 "emit_to_empty_room_by_%zu_threads%s", n_threads,
                 history_events > 0 ? "" : "_without_history");
    close_loop(&loop);
}

/* The member receives the last event some time after the last emit. Both times are printed. */
static void measure_one_member(size_t count, size_t n_threads)
{
    struct loop_thread loop;
    uint64_t start;
    double emitted_s, delivered_s;

    open_loop(&loop, KEPT);
    count = count / n_threads * n_threads;
    memory_host_join(&loop.host, 0, "orders");
    memory_host_turn(&loop.host);
    require(pthread_create(&loop.thread, NULL, run_loop, &loop) == 0, "starting a thread");
    start = now_ns();
    emit_from_threads(loop.host.manager, count, n_threads);
    emitted_s = (double)(now_ns() - start) / 1e9;
    atomic_store(&loop.stopping, true);
    wake(&loop);
    pthread_join(loop.thread, NULL);
    delivered_s = (double)(now_ns() - start) / 1e9;
    require(loop.host.n_events == count, "the member gets every event");
    print_figure((double)count / emitted_s, "per_s", "emit_to_one_member_by_%zu_threads",
                 n_threads);
    print_figure((double)count / delivered_s, "per_s",
                 "emit_to_one_member_by_%zu_threads_delivered", n_threads);
    close_loop(&loop);
}

int main(int argc, char **argv)
{
    size_t count = count_argument(argc, argv, 500000);

    for (size_t n_threads = 1; n_threads <= MAX_THREADS; n_threads *= 2)
        measure_empty_room(count, n_threads, KEPT);
    for (size_t n_threads = 1; n_threads <= MAX_THREADS; n_threads *= 2)
        measure_empty_room(count, n_threads, 0);
    for (size_t n_threads = 1; n_threads <= MAX_THREADS; n_threads *= 2)
        measure_one_member(count, n_threads);
    return 0;
}
