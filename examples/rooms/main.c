/* main.c: a small message board on WebSockets, to build servers from: rooms, users, two
 * event-loop threads. The main thread accepts clients, passes them to the loops in turn,
 * publishes a status once a second, and shuts the server down when a signal arrives.
 *
 *   rooms [PORT]          the default is 9000; 0 picks a free one
 *
 * Who may do what is in rooms.c, what happens to a client's bytes in loop.c. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "rooms.h"

enum { N_LOOPS = 2, BACKLOG = 1024, ACCEPT_PAUSE_MS = 100, STATUS_INTERVAL_MS = 1000 };

static struct loop loops[N_LOOPS];

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "rooms: %s: %s\n", what, why);
    exit(1);
}

static uint16_t port_of(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || port > UINT16_MAX) {
        fprintf(stderr, "rooms: the port must be a number from 0 to 65535, not \"%s\"\n", text);
        exit(2);
    }
    return (uint16_t)port;
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
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    /* Accepted sockets inherit TCP_NODELAY, so no small message waits for the previous one's
     * acknowledgement. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("listen", strerror(errno));
    printf("listening on ws://127.0.0.1:%u/ws\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* Blocks SIGINT and SIGTERM in this thread and those that it starts; returns the descriptor from
 * which they are read instead. */
static int take_signals(void)
{
    sigset_t signals;
    int fd;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (fd < 0)
        fail("signalfd", strerror(errno));
    return fd;
}

/* Accepts one client. Returns false if that is impossible for now: no descriptor or memory is
 * left. */
static bool accept_client(int listener)
{
    static size_t turn;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return errno == EAGAIN || errno == ECONNABORTED;
    if (!loop_give(&loops[turn++ % N_LOOPS], fd))
        close(fd);
    return true;
}

/* Runs until a signal arrives. A client that cannot be accepted stays in the listener's queue and
 * keeps it readable, so poll() would return at once, again and again: for ACCEPT_PAUSE_MS the
 * listener is not polled. */
static void serve(ws_manager *manager, int listener, int signals)
{
    uint64_t accept_ms = 0; /* no client is accepted before */
    uint64_t status_ms = now_ms() + STATUS_INTERVAL_MS;

    for (;;) {
        uint64_t now = now_ms();
        bool accepting = now >= accept_ms;
        uint64_t due_ms = !accepting && accept_ms < status_ms ? accept_ms : status_ms;
        struct pollfd fds[] = {
            {.fd = signals, .events = POLLIN},
            {.fd = accepting ? listener : -1, .events = POLLIN},
        };

        poll(fds, 2, now < due_ms ? (int)(due_ms - now) : 0);
        if (fds[0].revents != 0)
            return;
        if (fds[1].revents != 0 && !accept_client(listener))
            accept_ms = now_ms() + ACCEPT_PAUSE_MS;
        if (now_ms() >= status_ms) {
            rooms_publish_status(manager);
            status_ms = now_ms() + STATUS_INTERVAL_MS;
        }
    }
}

int main(int argc, char **argv)
{
    uint16_t port = port_of(argc > 1 ? argv[1] : "9000");
    int signals = take_signals();
    ws_manager *manager;
    ws_endpoint *endpoint;
    int listener;
    int result = rooms_new(&manager, &endpoint);

    if (result != WS_OK)
        fail("the manager", ws_strerror(result));
    for (size_t i = 0; i < N_LOOPS; i++)
        if (!loop_start(&loops[i], manager, endpoint))
            fail("a loop", strerror(errno));
    listener = listen_on(port);
    serve(manager, listener, signals);
    close(listener); /* first, so that clients reconnect to the next process, not to this one */
    rooms_drain(manager);
    loops_end(loops, N_LOOPS);
    close(signals);
    ws_endpoint_free(endpoint);
    ws_manager_free(manager);
    return 0;
}
