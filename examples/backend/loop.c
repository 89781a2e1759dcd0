/* loop.c: one event-loop thread: its turns, its listener, its timeouts and its end.
 * What a connection does with its bytes is in connection.c. */
#include "loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "handshakes.h"
#include "log.h"
#include "monotonic_clock.h"
#include "realtime.h"
#include "refusal_log.h"
#include "session.h"
#include "wall_clock.h"

enum {
    EVENTS_AT_ONCE = 256,
    EVENTS_MS = 2, /* for events in one turn; most turns need less for all of them */
    ENDS_MS = 2,   /* for clients whose tokens have expired, and for those that time out */
    ACCEPTS_PER_TURN = 64,
    WRITES_PER_TURN = 128, /* takes half a millisecond */
    ACCEPT_PAUSE_MS = 100,
    STOP_IDLE_MS =
        250, /* for the last requests of idle clients; longer while polls are to come */
    STOP_LIMIT_MS = 3000,
    STOP_POLL_MS = 50,
    LATER_POLL_MS = 10
};

static const uint32_t durations_ms[N_TIMEOUTS] = {
    [TIMEOUT_FRESH] = 10000, [TIMEOUT_HANDSHAKE] = 10000, [TIMEOUT_HEAD] = 10000,
    [TIMEOUT_BODY] = 60000,  [TIMEOUT_IDLE] = 60000,      [TIMEOUT_WRITE] = 20000,
    [TIMEOUT_READ] = 20000,  [TIMEOUT_LINGER] = 2000,     [TIMEOUT_UNADMITTED] = 30000,
    [TIMEOUT_TURN] = 60000,
};

static _Thread_local struct loop *current;

struct loop *loop_current(void)
{
    return current;
}

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
    arrivals_open(&loop->arrivals);
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
    loop->identity = loop->ws;
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

static void free_dead(struct loop *loop)
{
    while (loop->dead != NULL) {
        struct connection *connection = loop->dead;

        loop->dead = connection->next;
        free(connection);
    }
}

/* Closes what other loops have sent to one that never ran. */
static void drop_arrivals(struct loop *loop)
{
    connection_take_arrivals(loop);
    while (loop->first != NULL)
        connection_close(loop->first);
    free_dead(loop);
    arrivals_free(&loop->arrivals);
}

void loop_free(struct loop *loop)
{
    int saved_errno = errno;

    drop_arrivals(loop);
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

/* The waiting client keeps the listener readable, so no listener is watched for a while. */
static void pause_accepting(struct loop *loop)
{
    loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
    watch_listeners(loop, 0);
}

/* Whether another connection was closed, so that accepting may be tried again: one that does little
 * must not keep others out. */
static bool has_made_room(struct loop *loop, int error)
{
    static struct log_pause pause;

    if (log_may(&pause))
        log_line(WS_LOG_WARN, "a connection cannot be accepted: %s", strerror(error));
    return (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS) &&
           connection_make_room(loop);
}

/* accept4() takes a descriptor before it looks for a client: its error says nothing of one. */
static bool client_waits(const struct listener *listener)
{
    struct pollfd waiting = {.fd = listener->fd, .events = POLLIN};

    return poll(&waiting, 1, 0) != 0;
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
        int error;

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
            error = errno;
            if (!client_waits(listener))
                return;
            if (has_made_room(loop, error))
                break;
            pause_accepting(loop);
            return;
        }
    }
}

/* --- timeouts ------------------------------------------------------------------------ */

/* Ends at least one client whose token has expired, and the others while there is time; the rest in
 * the next turn. A thousand clients in a thousand rooms each would take 250 ms. */
static void end_expired(struct loop *loop)
{
    const uint64_t start_ms = monotonic_ms();
    const int64_t now_ms = wall_clock_ms();

    while (session_end_expired(&loop->expiries, loop->app->realtime.manager, now_ms))
        if (monotonic_ms() - start_ms >= ENDS_MS)
            return;
}

/* Whether it is the server's turn: the client has sent something, perhaps long ago, and waits
 * behind others. */
static bool is_our_turn(enum timeout timeout, const struct connection *connection)
{
    return (timeout == TIMEOUT_FRESH || timeout == TIMEOUT_HANDSHAKE ||
            timeout == TIMEOUT_IDLE || timeout == TIMEOUT_TURN) &&
           connection->http->place.queue != NULL;
}

static void handle_timeout(struct loop *loop, enum timeout timeout, struct timer *timer)
{
    struct connection *connection = connection_of_timer(timer);

    if ((timeout == TIMEOUT_WRITE || timeout == TIMEOUT_READ) &&
        connection_http_reads_on(connection))
        return;
    if (is_our_turn(timeout, connection)) {
        timer_start(timer, &loop->timeouts[timeout], loop->now_ms);
        return;
    }
    if (timeout == TIMEOUT_HEAD)
        refusal_log(&connection->http->request, 0, "its head took too long");
    connection_close(connection);
}

/* Handles at least one timeout, and the others while there is time: the session of a poll that is
 * closed ends, too, perhaps in a thousand rooms. */
static void close_timed_out(struct loop *loop)
{
    const uint64_t start_ms = monotonic_ms();

    for (int i = 0; i < N_TIMEOUTS; i++) {
        struct timer *timer;

        while ((timer = timer_queue_first(&loop->timeouts[i])) != NULL &&
               timer->due_ms <= loop->now_ms) {
            handle_timeout(loop, (enum timeout)i, timer);
            if (monotonic_ms() - start_ms >= ENDS_MS)
                return;
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
    deadline_ms = earlier(deadline_ms, handshakes_due_ms(loop));
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

/* Whether the other loops have ended and all that they caused is in Redis. Events that are not would
 * wait in the database for the next process of this name; orders, which only the client of Redis has,
 * would be lost. */
static bool has_passed_all_on(const struct loop *loop)
{
    struct app *app = loop->app;

    return loop->cluster == NULL || loop->cluster->redis == NULL ||
           loop->now_ms - loop->stop_ms >= STOP_LIMIT_MS ||
           (atomic_load(&app->n_running) == 1 && outbox_is_stored(&app->outbox) &&
            cluster_pending(loop->cluster) == 0);
}

static void log_lost(const struct loop *loop)
{
    uint64_t n = loop->cluster != NULL ? cluster_pending(loop->cluster) : 0;

    if (n > 0)
        log_line(WS_LOG_WARN,
                 "stopping: %" PRIu64 " events and orders did not reach Redis: those of the"
                 " outbox follow when the next process of this name begins, others are lost",
                 n);
}

/* Drains the connections once app->stopping is set; true when the last one is closed. */
static bool has_stopped(struct loop *loop)
{
    struct timer_queue *fresh = &loop->timeouts[TIMEOUT_FRESH];
    struct timer_queue *unfinished = &loop->timeouts[TIMEOUT_HANDSHAKE];
    struct timer_queue *idle = &loop->timeouts[TIMEOUT_IDLE];
    struct timer_queue *unadmitted = &loop->timeouts[TIMEOUT_UNADMITTED];

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
               loop->now_ms - loop->resumed_ms >= STOP_IDLE_MS &&
               ws_loop_unfetched_sessions(loop->ws) == 0 &&
               loop->n_connections ==
                   fresh->count + unfinished->count + idle->count + unadmitted->count &&
               http_turns_waiting(&loop->turns) + loop->turns.later.count == 0) {
        close_all_of(fresh);
        close_all_of(unfinished);
        close_all_of(idle);
        close_all_of(unadmitted);
    }
    return loop->n_connections == 0 && has_passed_all_on(loop) &&
           arrivals_close(&loop->arrivals);
}

/* --- turns --------------------------------------------------------------------------- */

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
    if (!connection_has_left(connection))
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

/* Cheap requests do not wait for expensive ones, nor handshakes of TLS for those that begin. */
static void serve_waiting(struct loop *loop)
{
    serve_queue(loop, &loop->turns.light, 0);
    handshakes_serve(loop);
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

/* Writes to the next WebSocket and the next event stream that have output; returns to how many. It
 * takes both in turn: hundreds of either kind may have output in every turn of the loop. */
static int write_next(struct loop *loop)
{
    ws_websocket *websocket = ws_loop_next_output(loop->ws);
    ws_http *http;

    if (websocket != NULL)
        connection_websocket_write(ws_websocket_user_data(websocket));
    http = ws_loop_next_http(loop->ws);
    if (http != NULL)
        connection_events_write(ws_http_user_data(http));
    return (websocket != NULL) + (http != NULL);
}

/* Runs the library, then writes its output; returns when it must run again. The rest of a large
 * broadcast is written in the next turns, after reading. */
static uint64_t run_library(struct loop *loop)
{
    uint64_t deadline_ms;
    int writes = 0;
    int written;

    loop->run_again = false;
    deadline_ms = ws_loop_run(loop->ws, loop->now_ms);
    do {
        written = write_next(loop);
        writes += written;
    } while (written > 0 && writes < WRITES_PER_TURN);
    loop->run_again |= written > 0;
    return deadline_ms;
}

/* Call it before the library runs, which delivers what came from Redis. */
static uint64_t run_cluster(struct loop *loop)
{
    return loop->cluster != NULL ? cluster_run(loop->cluster, loop->now_ms) : WS_NO_DEADLINE;
}

/* What epoll has reported. */
struct reported {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count;
    int next; /* to be handled */
};

static bool is_handled(const struct reported *reported)
{
    return reported->next == reported->count;
}

static void await_events(struct loop *loop, struct reported *reported, uint64_t deadline_ms)
{
    int count =
        epoll_wait(loop->epoll, reported->events, EVENTS_AT_ONCE, wait_ms(loop, deadline_ms));

    reported->count = count > 0 ? count : 0;
    reported->next = 0;
}

/* Handles at least one event, and the others while there is time; the rest comes in the next turn.
 * Clients that end together, each in a thousand rooms, would take 80 ms. */
static void handle_reported(struct loop *loop, struct reported *reported)
{
    while (!is_handled(reported)) {
        handle_event(loop, &reported->events[reported->next++]);
        if (monotonic_ms() - loop->now_ms >= EVENTS_MS)
            return;
    }
}

void loop_run(struct loop *loop)
{
    struct reported reported = {.count = 0};
    uint64_t deadline_ms = loop->now_ms;

    current = loop;
    for (;;) {
        if (is_handled(&reported)) {
            if (has_stopped(loop))
                break;
            await_events(loop, &reported, deadline_ms);
        }
        loop->now_ms = monotonic_ms();
        http_turns_begin(&loop->turns);
        handle_reported(loop, &reported);
        connection_take_arrivals(loop);
        serve_later(loop);
        serve_waiting(loop);
        http_unread_limit(loop);
        connection_limit_descriptors(loop);
        if (loop->accept_again_ms != 0 && loop->accept_again_ms <= loop->now_ms)
            resume_accepting(loop);
        if (is_handled(&reported)) /* else some may have sent what is waited for */
            close_timed_out(loop);
        if (expiry_first(&loop->expiries) != NULL)
            end_expired(loop);
        deadline_ms = run_cluster(loop);
        deadline_ms = earlier(deadline_ms, run_library(loop));
        deadline_ms = earlier(deadline_ms, outbox_settle(&loop->app->outbox, loop->now_ms));
        if (is_handled(&reported)) { /* events point to connections */
            connection_send_departing(loop);
            free_dead(loop);
        }
    }
    free_dead(loop);
    log_lost(loop);
    ws_loop_free(loop->ws);
    loop->ws = NULL;
    atomic_fetch_sub(&loop->app->n_running, 1);
}
