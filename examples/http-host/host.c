/* host.c: the loop of a program, by epoll, on one thread. Not here: the clients' sockets
 * (client.c). */
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

enum { EVENTS_PER_TURN = 64, BACKLOG = 256, ACCEPT_PAUSE_MS = 100, WRITE_TIMEOUT_MS = 20000 };

uint64_t host_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool watch(const struct host *host, int operation, int fd, uint32_t events,
                  void *pointer)
{
    struct epoll_event event = {.events = events, .data.ptr = pointer};

    return epoll_ctl(host->epoll, operation, fd, &event) == 0;
}

/* --- new clients ---------------------------------------------------------------------------- */

/* When no descriptor or no memory is left, the waiting client stays in the listener's queue and
 * keeps it readable: epoll would report it at once, again and again. */
static void pause_accepting(struct host *host)
{
    host->accept_again_ms = host_now_ms() + ACCEPT_PAUSE_MS;
    watch(host, EPOLL_CTL_MOD, host->listener, 0, &host->listener);
}

/* The kernel ends a connection whose client takes nothing: the response to a poll has no other
 * time limit. */
static void accept_client(struct host *host)
{
    int fd = accept4(host->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    unsigned timeout_ms = WRITE_TIMEOUT_MS;

    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            pause_accepting(host);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    if (!client_new(host, fd, host_now_ms()))
        close(fd);
}

/* --- turns ---------------------------------------------------------------------------------- */

static void handle_event(struct host *host, const struct epoll_event *event)
{
    if (event->data.ptr == &host->listener)
        accept_client(host);
    else if (event->data.ptr == &host->signals)
        host->stopped = true;
    else
        client_serve(event->data.ptr, event->events, host_now_ms());
}

/* Watches the listener again after a pause, and drops the clients that were silent for too long.
 * Returns when to call it again. */
static uint64_t keep_deadlines(struct host *host, uint64_t now)
{
    uint64_t deadline_ms;

    if (now >= host->accept_again_ms) {
        host->accept_again_ms = WS_NO_DEADLINE;
        watch(host, EPOLL_CTL_MOD, host->listener, EPOLLIN, &host->listener);
    }
    deadline_ms = clients_drop_silent(host, now);
    return deadline_ms < host->accept_again_ms ? deadline_ms : host->accept_again_ms;
}

static int wait_ms(uint64_t deadline_ms)
{
    uint64_t now = host_now_ms();

    if (deadline_ms == WS_NO_DEADLINE)
        return -1;
    if (deadline_ms <= now)
        return 0;
    return deadline_ms - now < INT_MAX ? (int)(deadline_ms - now) : INT_MAX;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void run(struct host *host, ws_manager *manager, host_turn *turn)
{
    struct epoll_event events[EVENTS_PER_TURN];
    uint64_t deadline_ms = 0;
    ws_websocket *websocket;
    ws_http *http;

    while (!host->stopped) {
        int n = epoll_wait(host->epoll, events, EVENTS_PER_TURN, wait_ms(deadline_ms));

        for (int i = 0; i < n; i++)
            handle_event(host, &events[i]);
        deadline_ms = ws_loop_run(host->loop, host_now_ms());
        while ((websocket = ws_loop_next_output(host->loop)) != NULL)
            client_write(ws_websocket_user_data(websocket), host_now_ms());
        while ((http = ws_loop_next_http(host->loop)) != NULL)
            client_write(ws_http_user_data(http), host_now_ms());
        deadline_ms = earlier(deadline_ms, keep_deadlines(host, host_now_ms()));
        if (turn != NULL)
            deadline_ms = earlier(deadline_ms, turn(manager, host_now_ms()));
    }
    clients_drop_all(host);
}

/* --- the beginning -------------------------------------------------------------------------- */

static bool read_address(const char *text, struct sockaddr_in *address)
{
    char host[INET_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    char *end;
    unsigned long port;

    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    port = strtoul(colon + 1, &end, 10);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    return colon[1] >= '0' && colon[1] <= '9' && *end == '\0' && port <= UINT16_MAX &&
           inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

static bool listen_on(struct host *host, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    char text[INET_ADDRSTRLEN];
    int one = 1;

    host->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (host->listener < 0 ||
        setsockopt(host->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        setsockopt(host->listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        bind(host->listener, (struct sockaddr *)address, size) < 0 ||
        listen(host->listener, BACKLOG) < 0 ||
        getsockname(host->listener, (struct sockaddr *)address, &size) < 0)
        return false;
    inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    printf("listening on http://%s:%u\n", text, (unsigned)ntohs(address->sin_port));
    fflush(stdout);
    return true;
}

static int take_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

int host_run(const char *text, ws_manager *manager, const struct host_endpoint *endpoints,
             size_t n_endpoints, host_turn *turn)
{
    struct host host = {
        .endpoints = endpoints,
        .n_endpoints = n_endpoints,
        .accept_again_ms = WS_NO_DEADLINE,
    };
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (!read_address(text, &address)) {
        fprintf(stderr, "%s: the address must be ADDRESS:PORT, not \"%s\"\n",
                program_invocation_short_name, text);
        return 2;
    }
    host.signals = take_signals();
    host.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (host.signals < 0 || host.epoll < 0 || !listen_on(&host, &address) ||
        !watch(&host, EPOLL_CTL_ADD, host.listener, EPOLLIN, &host.listener) ||
        !watch(&host, EPOLL_CTL_ADD, host.signals, EPOLLIN, &host.signals)) {
        fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, text, strerror(errno));
        return 1;
    }
    if (ws_loop_new(manager, NULL, host_now_ms(), &host.loop) != WS_OK) {
        fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
        return 1;
    }
    run(&host, manager, turn);
    ws_loop_free(host.loop);
    close(host.listener);
    close(host.signals);
    close(host.epoll);
    return 0;
}

/* --- clients that name their user ------------------------------------------------------------- */

static int accept_user(ws_handshake *handshake, void *user_data)
{
    const char *user_id = "anonymous";

    (void)user_data;
    ws_handshake_query_parameter(handshake, "user_id", &user_id, NULL);
    return ws_handshake_set_user_id(handshake, user_id);
}

int host_serve_users(const char *text, ws_manager *manager)
{
    struct host_endpoint all = {"/", NULL};
    ws_endpoint_options options;
    int status;

    ws_endpoint_options_init(&options);
    options.accept_handshake = accept_user;
    if (ws_endpoint_new(manager, &options, &all.endpoint) != WS_OK) {
        fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
        return 1;
    }
    status = host_run(text, manager, &all, 1, NULL);
    ws_endpoint_free(all.endpoint);
    return status;
}
