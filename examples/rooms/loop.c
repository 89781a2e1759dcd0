/* loop.c: one event-loop thread and its clients: their bytes to and from the library, by epoll. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_PER_TURN = 128,
    WRITES_PER_TURN = 128,
    MAX_PIECES = 64,
    STOP_LIMIT_MS = 5000 /* more than close_timeout_ms, after which the library ends a client */
};

struct client {
    struct loop *loop;
    ws_websocket *websocket;
    int fd;
    uint32_t watched; /* the events that epoll reports, besides EPOLLERR and EPOLLHUP */
    struct client *previous;
    struct client *next;
};

static bool watch(struct loop *loop, int operation, int fd, uint32_t events, void *pointer)
{
    struct epoll_event event = {.events = events, .data.ptr = pointer};

    return epoll_ctl(loop->epoll, operation, fd, &event) == 0;
}

/* --- clients -------------------------------------------------------------------------------- */

static void watch_client(struct client *client, uint32_t events)
{
    if (events == client->watched)
        return;
    watch(client->loop, EPOLL_CTL_MOD, client->fd, events, client);
    client->watched = events;
}

static void add_client(struct loop *loop, int fd)
{
    struct client *client = calloc(1, sizeof *client);

    if (client == NULL || !watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, client) ||
        ws_websocket_new(loop->ws, loop->endpoint, client, &client->websocket) != WS_OK) {
        close(fd); /* this also removes it from epoll */
        free(client);
        return;
    }
    client->loop = loop;
    client->fd = fd;
    client->watched = EPOLLIN;
    client->next = loop->clients;
    if (client->next != NULL)
        client->next->previous = client;
    loop->clients = client;
}

/* Frees the client at once: epoll reports each client once in a turn, and a client is dropped by
 * its own event or after all events, so that no later event of the turn points to it. */
static void drop_client(struct client *client)
{
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        client->loop->clients = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    ws_websocket_free(client->websocket);
    close(client->fd);
    free(client);
}

/* Writes output until the socket is full. Returns EPOLLOUT if it is full, 0 if nothing is left to
 * write, EPOLLERR if the connection is broken. */
static uint32_t write_pieces(struct client *client)
{
    struct iovec pieces[MAX_PIECES];
    int count;

    while ((count = ws_websocket_output(client->websocket, pieces, MAX_PIECES)) > 0) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(client->fd, &message, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return EPOLLERR;
        ws_websocket_sent(client->websocket, n > 0 ? (size_t)n : 0);
        if (n <= 0)
            return EPOLLOUT;
    }
    return 0;
}

/* A client that sends faster than the loop handles its messages is not read, so that TCP slows it
 * down; ws_loop_next_output() lists it when it may be read again. */
static void write_client(struct client *client)
{
    uint32_t events = write_pieces(client);

    if (events == EPOLLERR || ws_websocket_ended(client->websocket)) {
        drop_client(client);
        return;
    }
    if (ws_websocket_wants_read(client->websocket))
        events |= EPOLLIN;
    watch_client(client, events);
}

/* One read in a turn, so that a flooding client takes no more of it than the others. */
static void read_client(struct client *client)
{
    struct loop *loop = client->loop;

    if (ws_websocket_wants_read(client->websocket)) {
        ssize_t n = recv(client->fd, loop->received, sizeof loop->received, 0);

        if (n > 0)
            ws_websocket_receive(client->websocket, loop->received, (size_t)n);
        else if (n == 0 || errno != EAGAIN)
            ws_websocket_eof(client->websocket); /* what it sent before is still answered */
    }
    if (!ws_websocket_wants_read(client->websocket))
        watch_client(client, client->watched & ~(uint32_t)EPOLLIN);
}

static void serve_client(struct client *client, uint32_t came)
{
    /* The client is gone, and is not read: epoll_wait() would report this again at once. */
    if (came & (EPOLLERR | EPOLLHUP) && !(client->watched & EPOLLIN)) {
        drop_client(client);
        return;
    }
    if (came & (EPOLLIN | EPOLLERR | EPOLLHUP))
        read_client(client);
    if (came & EPOLLOUT)
        write_client(client);
}

/* --- turns ---------------------------------------------------------------------------------- */

static void take_arrivals(struct loop *loop)
{
    int fds[64];
    ssize_t n = read(loop->arrivals, fds, sizeof fds);

    if (n == 0) {
        watch(loop, EPOLL_CTL_DEL, loop->arrivals, 0, NULL);
        loop->stop_ms = now_ms() + STOP_LIMIT_MS;
    }
    for (ssize_t i = 0; i < n / (ssize_t)sizeof *fds; i++)
        add_client(loop, fds[i]);
}

static void handle_event(struct loop *loop, const struct epoll_event *event)
{
    uint64_t count;

    if (event->data.ptr == &loop->arrivals)
        take_arrivals(loop);
    else if (event->data.ptr != &loop->wake)
        serve_client(event->data.ptr, event->events);
    else if (read(loop->wake, &count, sizeof count) < 0)
        return; /* was read before; the library runs in any case */
}

/* How long epoll may wait, in milliseconds; -1: forever. */
static int wait_ms(const struct loop *loop, uint64_t deadline_ms)
{
    uint64_t now = now_ms();

    if (loop->stop_ms < deadline_ms)
        deadline_ms = loop->stop_ms;
    if (deadline_ms == WS_NO_DEADLINE)
        return -1;
    if (deadline_ms <= now)
        return 0;
    return deadline_ms - now < INT_MAX ? (int)(deadline_ms - now) : INT_MAX;
}

/* Runs the library and writes its output to the clients; returns the time by which the next turn is
 * due. An event for very many clients is written in several turns, so that other clients are read
 * meanwhile. */
static uint64_t run_library(struct loop *loop)
{
    uint64_t deadline_ms = ws_loop_run(loop->ws, now_ms());

    for (int i = 0; i < WRITES_PER_TURN; i++) {
        ws_websocket *websocket = ws_loop_next_output(loop->ws);

        if (websocket == NULL)
            return deadline_ms;
        write_client(ws_websocket_user_data(websocket));
    }
    return 0;
}

static void drop_all(struct loop *loop)
{
    struct client *next;

    for (struct client *client = loop->clients; client != NULL; client = next) {
        next = client->next;
        drop_client(client);
    }
}

static bool has_ended(const struct loop *loop)
{
    return loop->stop_ms != WS_NO_DEADLINE &&
           (loop->clients == NULL || now_ms() >= loop->stop_ms);
}

static void *run(void *user_data)
{
    struct epoll_event events[EVENTS_PER_TURN];
    struct loop *loop = user_data;
    uint64_t deadline_ms = 0;

    while (!has_ended(loop)) {
        int n = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, wait_ms(loop, deadline_ms));

        for (int i = 0; i < n; i++)
            handle_event(loop, &events[i]);
        deadline_ms = run_library(loop);
    }
    drop_all(loop);
    ws_loop_free(loop->ws);
    return NULL;
}

/* --- for the main thread ---------------------------------------------------------------------- */

/* Called from any thread, for example when a client of another loop publishes to one of this
 * loop. */
static void wake(void *user_data)
{
    const struct loop *loop = user_data;
    uint64_t one = 1;

    if (write(loop->wake, &one, sizeof one) < 0)
        return; /* the counter is full, so the loop is awake */
}

bool loop_start(struct loop *loop, ws_manager *manager, ws_endpoint *endpoint)
{
    ws_loop_options options;
    int ends[2];

    loop->endpoint = endpoint;
    loop->stop_ms = WS_NO_DEADLINE;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll < 0 || loop->wake < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    loop->arrivals = ends[0];
    loop->entrance = ends[1];
    if (!watch(loop, EPOLL_CTL_ADD, loop->wake, EPOLLIN, &loop->wake) ||
        !watch(loop, EPOLL_CTL_ADD, loop->arrivals, EPOLLIN, &loop->arrivals))
        return false;
    ws_loop_options_init(&options);
    options.wake = wake;
    options.user_data = loop;
    errno = ENOMEM;
    if (ws_loop_new(manager, &options, now_ms(), &loop->ws) != WS_OK)
        return false;
    errno = pthread_create(&loop->thread, NULL, run, loop);
    return errno == 0;
}

bool loop_give(struct loop *loop, int fd)
{
    return write(loop->entrance, &fd, sizeof fd) == (ssize_t)sizeof fd;
}

void loops_end(struct loop *loops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(loops[i].entrance);
    for (size_t i = 0; i < n; i++)
        pthread_join(loops[i].thread, NULL);
    for (size_t i = 0; i < n; i++) { /* only now, because a running loop may wake any other */
        close(loops[i].arrivals);
        close(loops[i].wake);
        close(loops[i].epoll);
    }
}
