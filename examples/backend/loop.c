/* loop.c: one event-loop thread: its turns, its listener, its timeouts and its end.
 * What a connection does with its bytes is in connection.c. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "log.h"
#include "monotonic_clock.h"
#include "realtime.h"
#include "refusal_log.h"
#include "session.h"
#include "wall_clock.h"

enum {
    EVENTS_PER_TURN = 256,
    ACCEPTS_PER_TURN = 64,
    WRITES_PER_TURN = 128, /* takes half a millisecond */
    ACCEPT_PAUSE_MS = 100,
    STOP_IDLE_MS = 250, /* for the last requests of idle clients */
    STOP_LIMIT_MS = 3000,
    STOP_POLL_MS = 50,
    LATER_POLL_MS = 10
};

static const uint32_t durations_ms[N_TIMEOUTS] = {
    [TIMEOUT_FRESH] = 10000, [TIMEOUT_HEAD] = 10000,  [TIMEOUT_BODY] = 60000,
    [TIMEOUT_IDLE] = 60000,  [TIMEOUT_WRITE] = 20000, [TIMEOUT_LINGER] = 2000,
};

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;

    /* write() fails only if the counter is full; then the loop wakes up anyway. */
    if (write(loop->wake, &one, sizeof one) < 0)
        return;
}

static void on_wake(void *user_data)
{
    loop_wake(user_data);
}

static bool watch(struct loop *loop, int operation, int fd, uint32_t events, void *pointer)
{
    struct epoll_event event = {.events = events, .data.ptr = pointer};

    return epoll_ctl(loop->epoll, operation, fd, &event) == 0;
}

struct loop *loop_new(struct app *app)
{
    struct loop *loop = calloc(1, sizeof *loop);
    ws_loop_options options;

    if (loop == NULL)
        return NULL;
    loop->app = app;
    loop->signals = -1;
    for (int i = 0; i < N_LISTENERS; i++)
        loop->listeners[i] = (struct listener){-1, (enum listener_kind)i};
    loop->now_ms = monotonic_ms();
    for (int i = 0; i < N_TIMEOUTS; i++)
        timer_queue_init(&loop->timeouts[i], durations_ms[i]);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll < 0 || loop->wake < 0 ||
        !watch(loop, EPOLL_CTL_ADD, loop->wake, EPOLLIN | EPOLLET, &loop->wake)) {
        loop_free(loop);
        return NULL;
    }
    ws_loop_options_init(&options);
    options.wake = on_wake;
    options.user_data = loop;
    if (ws_loop_new(app->realtime.manager, &options, loop->now_ms, &loop->ws) != WS_OK) {
        loop_free(loop);
        errno = ENOMEM;
        return NULL;
    }
    return loop;
}

void loop_attach_cluster(struct loop *loop, struct cluster *cluster)
{
    loop->cluster = cluster;
    cluster_attach(cluster, loop->epoll);
}

bool loop_listen(struct loop *loop, enum listener_kind kind, int fd)
{
    struct listener *listener = &loop->listeners[kind];

    if (!watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, listener))
        return false;
    listener->fd = fd;
    return true;
}

bool loop_watch_signals(struct loop *loop, const sigset_t *signals,
                        void (*on_signal)(int number, void *user_data), void *user_data)
{
    loop->signals = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    loop->on_signal = on_signal;
    loop->on_signal_data = user_data;
    return loop->signals >= 0 &&
           watch(loop, EPOLL_CTL_ADD, loop->signals, EPOLLIN, &loop->signals);
}

static void take_signal(struct loop *loop)
{
    struct signalfd_siginfo info;

    if (read(loop->signals, &info, sizeof info) == (ssize_t)sizeof info)
        loop->on_signal((int)info.ssi_signo, loop->on_signal_data);
}

static void close_listeners(struct loop *loop)
{
    for (int i = 0; i < N_LISTENERS; i++) {
        if (loop->listeners[i].fd >= 0) {
            close(loop->listeners[i].fd);
            loop->listeners[i].fd = -1;
        }
    }
}

void loop_free(struct loop *loop)
{
    int saved_errno = errno;

    ws_loop_free(loop->ws);
    expiry_heap_free(&loop->expiries);
    close_listeners(loop);
    if (loop->signals >= 0)
        close(loop->signals);
    if (loop->wake >= 0)
        close(loop->wake);
    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop);
    errno = saved_errno;
}

/* --- the listeners ------------------------------------------------------------------- */

static void watch_listeners(struct loop *loop, uint32_t events)
{
    for (int i = 0; i < N_LISTENERS; i++)
        if (loop->listeners[i].fd >= 0)
            watch(loop, EPOLL_CTL_MOD, loop->listeners[i].fd, events, &loop->listeners[i]);
}

/* No descriptor or memory is left. The waiting client keeps the listener readable, so no listener
 * is watched for a while. */
static void pause_accepting(struct loop *loop, int error)
{
    static struct log_pause pause;

    if (log_may(&pause))
        log_line(WS_LOG_WARN, "no connection can be accepted: %s", strerror(error));
    loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
    watch_listeners(loop, 0);
}

static void resume_accepting(struct loop *loop)
{
    loop->accept_again_ms = 0;
    watch_listeners(loop, EPOLLIN);
}

static void accept_clients(struct loop *loop, const struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        int fd = accept4(listener->fd, (struct sockaddr *)&peer, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            connection_open(loop, fd, listener->kind == LISTENER_ADMIN, &peer);
            continue;
        }
        switch (errno) {
        case EAGAIN:
            return;
        case EINTR:
        case ECONNABORTED: /* this and the next: the client has already gone */
        case EPROTO:
            break;
        default:
            pause_accepting(loop, errno);
            return;
        }
    }
}

/* --- timeouts ------------------------------------------------------------------------ */

static void close_timed_out(struct loop *loop)
{
    for (int i = 0; i < N_TIMEOUTS; i++) {
        struct timer *timer;

        while ((timer = timer_queue_first(&loop->timeouts[i])) != NULL &&
               timer->due_ms <= loop->now_ms) {
            if (i == TIMEOUT_WRITE && connection_http_reads_on(connection_of_timer(timer)))
                continue;
            if (i == TIMEOUT_HEAD)
                refusal_log(&connection_of_timer(timer)->http->request, 0,
                            "its head took too long");
            connection_close(connection_of_timer(timer));
        }
    }
}

static uint64_t earlier(uint64_t one_ms, uint64_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

static int wait_ms(const struct loop *loop, uint64_t deadline_ms)
{
    const struct expiry *expiry = expiry_first(&loop->expiries);
    uint64_t left;

    if (loop->run_again || http_turns_waiting(&loop->turns) > 0)
        return 0;
    for (int i = 0; i < N_TIMEOUTS; i++) {
        const struct timer *timer = timer_queue_first(&loop->timeouts[i]);

        if (timer != NULL && timer->due_ms < deadline_ms)
            deadline_ms = timer->due_ms;
    }
    if (expiry != NULL) {
        int64_t left_ms = expiry->due_ms - wall_clock_ms();
        uint64_t due_ms = loop->now_ms + (left_ms > 0 ? (uint64_t)left_ms : 0);

        deadline_ms = due_ms < deadline_ms ? due_ms : deadline_ms;
    }
    if (loop->accept_again_ms != 0 && loop->accept_again_ms < deadline_ms)
        deadline_ms = loop->accept_again_ms;
    if (loop->turns.later.count > 0 && loop->now_ms + LATER_POLL_MS < deadline_ms)
        deadline_ms = loop->now_ms + LATER_POLL_MS;
    if (loop->stop_ms != 0 && loop->now_ms + STOP_POLL_MS < deadline_ms)
        deadline_ms = loop->now_ms + STOP_POLL_MS;
    if (deadline_ms == WS_NO_DEADLINE)
        return -1;
    left = deadline_ms > loop->now_ms ? deadline_ms - loop->now_ms : 0;
    return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* --- the end ------------------------------------------------------------------------- */

static void close_all_of(struct timer_queue *queue)
{
    struct timer *timer;

    while ((timer = timer_queue_first(queue)) != NULL)
        connection_close(connection_of_timer(timer));
}

/* Drains the connections once app->stopping is set; true when the last one is closed. */
static bool has_stopped(struct loop *loop)
{
    struct timer_queue *fresh = &loop->timeouts[TIMEOUT_FRESH];
    struct timer_queue *idle = &loop->timeouts[TIMEOUT_IDLE];

    if (!atomic_load(&loop->app->stopping))
        return false;
    if (loop->stop_ms == 0) {
        loop->stop_ms = loop->now_ms;
        if (atomic_fetch_sub(&loop->app->n_unaware, 1) == 1)
            realtime_drain(&loop->app->realtime);
        loop->accept_again_ms = 0;
        close_listeners(loop);
    }
    if (loop->now_ms - loop->stop_ms >= STOP_LIMIT_MS) {
        while (loop->first != NULL)
            connection_close(loop->first);
    } else if (loop->now_ms - loop->stop_ms >= STOP_IDLE_MS &&
               loop->n_connections == fresh->count + idle->count &&
               http_turns_waiting(&loop->turns) + loop->turns.later.count == 0) {
        close_all_of(fresh);
        close_all_of(idle);
    }
    return loop->n_connections == 0;
}

/* --- turns --------------------------------------------------------------------------- */

static void free_dead(struct loop *loop)
{
    while (loop->dead != NULL) {
        struct connection *connection = loop->dead;

        loop->dead = connection->next;
        free(connection);
    }
}

static void handle_event(struct loop *loop, const struct epoll_event *event)
{
    struct connection *connection = event->data.ptr;

    if (event->data.ptr == &loop->wake)
        return;
    for (int i = 0; i < N_LISTENERS; i++) {
        if (event->data.ptr == &loop->listeners[i]) {
            accept_clients(loop, &loop->listeners[i]);
            return;
        }
    }
    if (event->data.ptr == &loop->signals) {
        take_signal(loop);
        return;
    }
    if (loop->cluster != NULL && cluster_event(loop->cluster, event->data.ptr, event->events))
        return;
    if (connection->phase != PHASE_DEAD)
        connection_event(connection, event->events);
}

/* Continues the connections of a queue, each once: at least `least`, more while the turn allows. */
static void serve_queue(struct loop *loop, struct http_queue *queue, size_t least)
{
    size_t count = queue->count;

    for (size_t i = 0; i < count && queue->first != NULL; i++) {
        struct connection *connection = queue->first;

        if (i >= least && loop->turns.left == 0)
            return;
        http_queue_remove(connection);
        connection_http_go_on(connection);
    }
}

/* Cheap requests do not wait for expensive ones. */
static void serve_waiting(struct loop *loop)
{
    serve_queue(loop, &loop->turns.light, 0);
    serve_queue(loop, &loop->turns.heavy, 1);
}

/* Connections whose answer has been made take their turn again. */
static void serve_later(struct loop *loop)
{
    struct http_turns *turns = &loop->turns;

    if (atomic_load(&loop->app->stats_cache.is_making))
        return;
    while (turns->later.first != NULL) {
        struct connection *connection = turns->later.first;

        http_queue_remove(connection);
        http_turns_wait(turns, connection);
    }
}

/* Runs the library, then writes its output; returns when it must run again. The rest of a large
 * broadcast is written in the next turns, after reading. */
static uint64_t run_library(struct loop *loop)
{
    uint64_t deadline_ms;

    loop->run_again = false;
    deadline_ms = ws_loop_run(loop->ws, loop->now_ms);
    for (int i = 0; i < WRITES_PER_TURN; i++) {
        ws_websocket *websocket = ws_loop_next_output(loop->ws);

        if (websocket == NULL)
            return deadline_ms;
        connection_websocket_write(ws_websocket_user_data(websocket));
    }
    loop->run_again = true;
    return deadline_ms;
}

/* Call it before the library runs, which delivers what came from Redis. */
static uint64_t run_cluster(struct loop *loop)
{
    return loop->cluster != NULL ? cluster_run(loop->cluster, loop->now_ms) : WS_NO_DEADLINE;
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[EVENTS_PER_TURN];
    uint64_t deadline_ms = loop->now_ms;

    while (!has_stopped(loop)) {
        int count =
            epoll_wait(loop->epoll, events, EVENTS_PER_TURN, wait_ms(loop, deadline_ms));

        loop->now_ms = monotonic_ms();
        http_turns_begin(&loop->turns);
        for (int i = 0; i < count; i++)
            handle_event(loop, &events[i]);
        serve_later(loop);
        serve_waiting(loop);
        http_unread_limit(loop);
        if (loop->accept_again_ms != 0 && loop->accept_again_ms <= loop->now_ms)
            resume_accepting(loop);
        close_timed_out(loop);
        if (expiry_first(&loop->expiries) != NULL)
            session_end_expired(&loop->expiries, wall_clock_ms());
        deadline_ms = run_cluster(loop);
        deadline_ms = earlier(deadline_ms, run_library(loop));
        deadline_ms = earlier(deadline_ms, outbox_settle(&loop->app->outbox, loop->now_ms));
        free_dead(loop);
    }
    free_dead(loop);
    ws_loop_free(loop->ws);
    loop->ws = NULL;
}
