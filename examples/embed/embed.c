/* embed.c: the smallest host, to copy from: poll(), one thread, one file. It serves WebSockets
 * on ws://127.0.0.1:PORT/ and sends the time to every client once a second.
 *
 *   embed [PORT]          the default is 9000; 0 picks a free one */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <ws_manager/ws_manager.h>

enum { MAX_CLIENTS = 1000, MAX_PIECES = 64, ACCEPT_PAUSE_MS = 100 };

/* fds[0] is the listener; clients[i] belongs to fds[i]. A free place has the descriptor -1, which
 * poll() ignores. */
static struct pollfd fds[1 + MAX_CLIENTS];
static ws_websocket *clients[1 + MAX_CLIENTS];
static size_t n_fds = 1;         /* places that have been used */
static uint64_t accept_again_ms; /* the listener is not polled before */
static volatile sig_atomic_t stopping;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 128) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        perror("embed: listen");
        exit(2);
    }
    printf("listening on ws://127.0.0.1:%u/\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* When no descriptor or no memory is left, the waiting client stays in the listener's queue and
 * keeps it readable: poll() would return at once, again and again. */
static void pause_accepting(void)
{
    accept_again_ms = now_ms() + ACCEPT_PAUSE_MS;
    fds[0].events = 0;
}

static void accept_client(ws_loop *loop, ws_endpoint *endpoint)
{
    int fd = accept4(fds[0].fd, NULL, NULL, SOCK_NONBLOCK);
    size_t at = 1;

    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            pause_accepting();
        return;
    }
    while (at < n_fds && fds[at].fd >= 0)
        at++;
    if (at > MAX_CLIENTS ||
        ws_websocket_new(loop, endpoint, (void *)(uintptr_t)at, &clients[at]) != WS_OK) {
        close(fd);
        return;
    }
    fds[at] = (struct pollfd){.fd = fd, .events = POLLIN};
    if (at == n_fds)
        n_fds++;
}

static void drop_client(size_t at)
{
    ws_websocket_free(clients[at]);
    close(fds[at].fd);
    fds[at] = (struct pollfd){.fd = -1};
}

/* Writes output until the socket is full; returns false when the connection has ended. */
static int write_client(size_t at)
{
    struct iovec pieces[MAX_PIECES];
    int count;

    fds[at].events &= ~POLLOUT;
    while ((count = ws_websocket_output(clients[at], pieces, MAX_PIECES)) > 0) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(fds[at].fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN)
            return 0;
        ws_websocket_sent(clients[at], n > 0 ? (size_t)n : 0);
        if (n <= 0) {
            fds[at].events |= POLLOUT;
            break;
        }
    }
    return !ws_websocket_ended(clients[at]);
}

static void read_client(size_t at)
{
    static char buffer[65536];
    ssize_t n = recv(fds[at].fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (n > 0)
        ws_websocket_receive(clients[at], buffer, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        ws_websocket_eof(clients[at]); /* what it sent before is still answered */
}

/* A client that sends faster than the loop handles its messages is not read meanwhile, so TCP slows
 * it down. */
static void watch_clients(void)
{
    for (size_t at = 1; at < n_fds; at++) {
        fds[at].events &= ~POLLIN;
        if (fds[at].fd >= 0 && ws_websocket_wants_read(clients[at]))
            fds[at].events |= POLLIN;
    }
}

/* Returns false when the connection has ended, or the client disconnected while it was not read. */
static int serve_client(size_t at)
{
    short came = fds[at].revents;

    if (came & (POLLHUP | POLLERR) && !(fds[at].events & POLLIN))
        return 0;
    if (came & (POLLIN | POLLHUP | POLLERR))
        read_client(at);
    return !(came & POLLOUT) || write_client(at);
}

static void emit_time(ws_manager *manager)
{
    char text[64];
    time_t now = time(NULL);

    strftime(text, sizeof text, "it is %H:%M:%S UTC", gmtime(&now));
    ws_manager_emit_notification(manager, text, NULL, "info");
}

/* One turn of the loop: wait, read, run, write. Returns the time by which the next turn is due. */
static uint64_t turn(ws_loop *loop, ws_endpoint *endpoint, uint64_t deadline)
{
    uint64_t now = now_ms();
    ws_websocket *websocket;

    if (fds[0].events == 0 && accept_again_ms < deadline)
        deadline = accept_again_ms;
    watch_clients();
    poll(fds, n_fds, now < deadline ? (int)(deadline - now) : 0);
    for (size_t at = 1; at < n_fds; at++)
        if (fds[at].fd >= 0 && !serve_client(at))
            drop_client(at);
    if (fds[0].revents & POLLIN)
        accept_client(loop, endpoint);
    else if (now_ms() >= accept_again_ms)
        fds[0].events = POLLIN;
    deadline = ws_loop_run(loop, now_ms());
    while ((websocket = ws_loop_next_output(loop)) != NULL) {
        size_t at = (uintptr_t)ws_websocket_user_data(websocket);

        if (!write_client(at))
            drop_client(at);
    }
    return deadline;
}

int main(int argc, char **argv)
{
    uint64_t next_tick = now_ms() + 1000;
    uint64_t deadline = 0;
    ws_manager *manager;
    ws_endpoint *endpoint;
    ws_loop *loop;

    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    fds[0] = (struct pollfd){
        .fd = listen_on(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 9000),
        .events = POLLIN,
    };
    if (ws_manager_new(NULL, &manager) != WS_OK ||
        ws_loop_new(manager, NULL, now_ms(), &loop) != WS_OK ||
        ws_endpoint_new(manager, NULL, &endpoint) != WS_OK) {
        fprintf(stderr, "embed: out of memory\n");
        return 1;
    }
    while (!stopping) {
        deadline = turn(loop, endpoint, deadline < next_tick ? deadline : next_tick);
        if (now_ms() >= next_tick) {
            emit_time(manager);
            next_tick += 1000;
            deadline = 0; /* the next turn, which is now, delivers what was emitted */
        }
    }
    for (size_t at = 1; at < n_fds; at++)
        if (fds[at].fd >= 0)
            drop_client(at);
    close(fds[0].fd);
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
    ws_manager_free(manager);
    return 0;
}
