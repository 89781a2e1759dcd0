/* loop_run.c: one event-loop thread: its turns, its timeouts and its end.
 * Not here: accepting connections (accept.c), what one does with its bytes (connection.c). */
#include "server/loop_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/accept.h"
#include "server/connection/arrivals.h"
#include "server/connection/connection.h"
#include "server/connection/handshakes.h"
#include "server/connection/http_turns.h"
#include "server/connection/http_unread.h"
#include "server/connection/loop.h"
#include "server/parts/monotonic_clock.h"
#include "server/parts/refusal_log.h"

enum {
    EVENTS_AT_ONCE = 256,
    EVENTS_MS = 2,         /* for events in one turn; most turns need less for all of them */
    ENDS_MS = 2,           /* for clients that time out, and for those that do not read */
    WRITES_PER_TURN = 128, /* takes half a millisecond */
    /* For the last requests of idle clients; longer while polls are to come. */
    STOP_IDLE_MS = 250,
    STOP_POLL_MS = 50
};

static const uint32_t durations_ms[N_TIMEOUTS] = {
    [TIMEOUT_FRESH] = 10000, [TIMEOUT_HANDSHAKE] = 10000, [TIMEOUT_HEAD] = 10000,
    [TIMEOUT_BODY] = 60000,  [TIMEOUT_IDLE] = 60000,      [TIMEOUT_WRITE] = 20000,
    [TIMEOUT_READ] = 20000,  [TIMEOUT_LINGER] = 2000,     [TIMEOUT_UNADMITTED] = 30000,
    [TIMEOUT_TURN] = 60000,
};

static void on_wake(void *user_data)
{
    loop_notify(user_data);
}

static bool watch(struct loop *loop, int operation, int fd, uint32_t events, void *pointer)
{
    struct epoll_event event = {.events = events, .data.ptr = pointer};

    return epoll_ctl(loop->epoll, operation, fd, &event) == 0;
}

struct loop *loop_new(struct ws_server *server, uint32_t thread)
{
    struct loop *loop = calloc(1, sizeof *loop);
    ws_loop_options options;

    if (loop == NULL)
        return NULL;
    loop->server = server;
    loop->thread = thread;
    loop->application = -1;
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
    loop->answers = answers_new(loop->wake);
    ws_loop_options_init(&options);
    options.wake = on_wake;
    options.user_data = loop;
    if (loop->answers == NULL ||
        ws_loop_new(server->manager, &options, loop->now_ms, &loop->ws) != WS_OK) {
        loop_free(loop);
        errno = ENOMEM;
        return NULL;
    }
    loop->identity = loop->ws;
    return loop;
}

bool loop_listen(struct loop *loop, enum listener_kind kind, int fd)
{
    struct listener *listener = &loop->listeners[kind];

    if (!watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, listener))
        return false;
    listener->fd = fd;
    return true;
}

bool loop_watch_application(struct loop *loop, int fd)
{
    loop->application = fd;
    return watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, &loop->application);
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
    answers_close(loop->answers);
    close_listeners(loop);
    if (loop->wake >= 0)
        close(loop->wake);
    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop);
    errno = saved_errno;
}

/* --- timeouts ------------------------------------------------------------------------ */

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
        refusal_log_request(&loop->server->log, &connection->http->request, 0,
                            "its head did not arrive in time");
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

/* Closes at least one connection while unread answers are above their limit, and others while there
 * is time; returns whether some are left. */
static bool limit_unread(struct loop *loop)
{
    const uint64_t start_ms = monotonic_ms();

    while (http_unread_limit(loop))
        if (monotonic_ms() - start_ms >= ENDS_MS)
            return true;
    return false;
}

static uint64_t earlier(uint64_t one_ms, uint64_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

static int wait_ms(const struct loop *loop, uint64_t deadline_ms)
{
    uint64_t left;

    if (loop->run_again || http_turns_waiting(&loop->turns) > 0)
        return 0;
    for (int i = 0; i < N_TIMEOUTS; i++) {
        const struct timer *timer = timer_queue_first(&loop->timeouts[i]);

        if (timer != NULL && timer->due_ms < deadline_ms)
            deadline_ms = timer->due_ms;
    }
    deadline_ms = earlier(deadline_ms, handshakes_due_ms(loop));
    if (loop->accept_again_ms != 0 && loop->accept_again_ms < deadline_ms)
        deadline_ms = loop->accept_again_ms;
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

/* Tells all clients when to reconnect, after what is queued for them. */
static void drain(struct ws_server *server)
{
    ws_drain_options options;
    int result;

    ws_drain_options_init(&options);
    options.reason = "the server restarts";
    options.retry_spread_ms = server->options.retry_spread_ms;
    result = ws_manager_drain(server->manager, &options);
    if (result != WS_OK)
        server_log_line(&server->log, WS_LOG_ERROR,
                        "connections cannot be drained, and are closed at the end of the "
                        "stop: %s",
                        ws_strerror(result));
}

static bool is_over(const struct loop *loop)
{
    return loop->now_ms - loop->stop_ms >= loop->server->options.stop_timeout_ms;
}

/* Whether the application has nothing left to do, too. The first thread asks it, when the
 * others have ended. */
static bool is_application_finished(const struct loop *loop)
{
    struct ws_server *server = loop->server;

    return loop->thread != 0 || server->options.confirm_stop == NULL || is_over(loop) ||
           (atomic_load(&server->n_running) == 1 &&
            server->options.confirm_stop(server->options.user_data) != 0);
}

/* Drains the connections once `stopping` is set; true when the last one is closed. */
static bool has_stopped(struct loop *loop)
{
    struct timer_queue *fresh = &loop->timeouts[TIMEOUT_FRESH];
    struct timer_queue *unfinished = &loop->timeouts[TIMEOUT_HANDSHAKE];
    struct timer_queue *idle = &loop->timeouts[TIMEOUT_IDLE];
    struct timer_queue *unadmitted = &loop->timeouts[TIMEOUT_UNADMITTED];

    if (!atomic_load(&loop->server->stopping))
        return false;
    if (loop->stop_ms == 0) {
        loop->stop_ms = loop->now_ms;
        loop->accept_again_ms = 0;
        close_listeners(loop);
        if (atomic_fetch_sub(&loop->server->n_unaware, 1) == 1) {
            /* Sockets that all loops shared: clients must not wait at them. */
            listen_end(&loop->server->listen);
            listen_end(&loop->server->admin);
            drain(loop->server);
        }
    }
    if (is_over(loop)) {
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
    return loop->n_connections == 0 && is_application_finished(loop) &&
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
    if (event->data.ptr == &loop->application) {
        loop->server->options.on_fd(loop->server->options.user_data);
        return;
    }
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

/* Connections whose answer another thread has given take their turn again. */
static void serve_answers(struct loop *loop)
{
    struct ws_server_ticket *ticket = answers_take(loop->answers);

    while (ticket != NULL) {
        struct ws_server_ticket *next = ticket->next;

        if (ticket->connection == NULL)
            answers_end(ticket);
        else
            connection_http_answered(ticket->connection);
        ticket = next;
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

/* Before the library runs, which delivers what the application emits in it. */
static uint64_t run_application(struct loop *loop)
{
    const ws_server_options *options = &loop->server->options;

    return options->run_timers != NULL
               ? options->run_timers(loop->thread, loop->now_ms, options->user_data)
               : WS_NO_DEADLINE;
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
    bool has_excess;

    if (loop->server->options.on_thread != NULL)
        loop->server->options.on_thread(loop->thread, loop->server->options.user_data);
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
        serve_answers(loop);
        serve_waiting(loop);
        has_excess = limit_unread(loop);
        connection_limit_descriptors(loop);
        if (loop->accept_again_ms != 0 && loop->accept_again_ms <= loop->now_ms)
            accept_resume(loop);
        if (is_handled(&reported)) /* else some may have sent what is waited for */
            close_timed_out(loop);
        deadline_ms = run_application(loop);
        deadline_ms = earlier(deadline_ms, run_library(loop));
        loop->run_again |= has_excess;
        if (is_handled(&reported)) { /* events point to connections */
            connection_send_departing(loop);
            free_dead(loop);
        }
    }
    free_dead(loop);
    ws_loop_free(loop->ws);
    loop->ws = NULL;
    if (atomic_fetch_sub(&loop->server->n_running, 1) == 1 &&
        loop->server->options.on_stopped != NULL)
        loop->server->options.on_stopped(loop->server->options.user_data);
}
