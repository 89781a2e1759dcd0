/* peer.c: a proxy between a node and its Redis. */
#include "redis/support/peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

enum { MAX_PAIRS = 16, PIECE = 16384 };

struct order {
    enum peer_way way;
    size_t n;
    char text[PEER_MAX_TEXT];
};

/* A connection from the node, and ours to Redis; -1: none. */
struct pair {
    int node;
    int redis;
};

static struct pair pairs[MAX_PAIRS];
static struct order order;
static int redis_port;

static struct sockaddr_in address_of(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void cut(struct pair *pair)
{
    if (pair->node >= 0)
        close(pair->node);
    if (pair->redis >= 0)
        close(pair->redis);
    *pair = (struct pair){-1, -1};
}

static void cut_all(void)
{
    for (size_t i = 0; i < MAX_PAIRS; i++)
        cut(&pairs[i]);
}

static bool say(int fd, const char *bytes, size_t length)
{
    return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void say_text(struct pair *pair)
{
    if (pair->node >= 0 && !say(pair->node, order.text, strlen(order.text)))
        cut(pair);
}

static void let_in(int listener)
{
    struct sockaddr_in address = address_of(redis_port);
    struct pair *pair = pairs;
    int at_once = 1;

    while (pair->node >= 0)
        if (++pair == pairs + MAX_PAIRS)
            abort();
    pair->node = accept(listener, NULL, NULL);
    setsockopt(pair->node, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    pair->redis = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(pair->redis, (struct sockaddr *)&address, sizeof address) != 0) {
        cut(pair);
        return;
    }
    if (order.way == PEER_GREETS || order.way == PEER_DRIPS)
        say_text(pair);
}

/* Passes on up to `max` bytes; returns how many. */
static size_t pass(struct pair *pair, int from, int to, size_t max)
{
    char bytes[PIECE];
    ssize_t length = recv(from, bytes, max < PIECE ? max : PIECE, 0);

    if (length > 0 && say(to, bytes, (size_t)length))
        return (size_t)length;
    cut(pair);
    return 0;
}

static void pass_and_cut(struct pair *pair, int from, int to)
{
    order.n -= pass(pair, from, to, order.n);
    if (order.n > 0)
        return;
    order.way = PEER_PASSES;
    cut_all();
}

static void pass_on(struct pair *pair, int from, int to, enum peer_way cutting)
{
    if (order.way == cutting) {
        pass_and_cut(pair, from, to);
    } else if (order.way == PEER_PASSES && order.n > 0) {
        pass(pair, from, to, order.n);
        usleep(1000);
    } else {
        pass(pair, from, to, PIECE);
    }
}

static void hear(struct pair *pair)
{
    char bytes[PIECE];

    if (recv(pair->node, bytes, sizeof bytes, 0) <= 0)
        cut(pair);
    else if (order.way != PEER_DRIPS)
        say_text(pair);
}

static bool is_ready(const struct pollfd *polled, int fd)
{
    return fd >= 0 && polled->fd == fd && polled->revents != 0;
}

static void serve(struct pair *pair, const struct pollfd *polled)
{
    bool is_deaf =
        order.way == PEER_SAYS || order.way == PEER_GREETS || order.way == PEER_DRIPS;

    if (is_ready(&polled[0], pair->node)) {
        if (is_deaf)
            hear(pair);
        else
            pass_on(pair, pair->node, pair->redis, PEER_CUTS_REQUESTS);
    }
    if (is_ready(&polled[1], pair->redis) && !is_deaf)
        pass_on(pair, pair->redis, pair->node, PEER_CUTS_REPLIES);
}

static void drip(void)
{
    static char bytes[1 << 20];

    memset(bytes, 'x', sizeof bytes);
    for (size_t i = 0; i < MAX_PAIRS; i++)
        if (pairs[i].node >= 0)
            send(pairs[i].node, bytes, order.n < sizeof bytes ? order.n : sizeof bytes,
                 MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void obey(int orders)
{
    if (recv(orders, &order, sizeof order, 0) != (ssize_t)sizeof order)
        _exit(0);
    if (order.way == PEER_MOVES) {
        redis_port = (int)order.n;
        order = (struct order){.way = PEER_PASSES};
    }
    if (order.way == PEER_GREETS || order.way == PEER_DRIPS)
        for (size_t i = 0; i < MAX_PAIRS; i++)
            say_text(&pairs[i]);
    if (order.way ==
        PEER_PASSES) /* Redis and the node disagree on the state of the connection by now */
        cut_all();
    send(orders, "", 1, MSG_NOSIGNAL);
}

/* The process ends with the test, however the test ends. */
static void live(int listener, int orders)
{
    struct pollfd fds[2 + 2 * MAX_PAIRS];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cut_all();
    for (;;) {
        fds[0] = (struct pollfd){.fd = orders, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = listener, .events = POLLIN};
        for (size_t i = 0; i < MAX_PAIRS; i++) {
            fds[2 + 2 * i] = (struct pollfd){.fd = pairs[i].node, .events = POLLIN};
            fds[3 + 2 * i] = (struct pollfd){.fd = pairs[i].redis, .events = POLLIN};
        }
        poll(fds, sizeof fds / sizeof *fds, order.way == PEER_DRIPS ? 1 : -1);
        for (size_t i = 0; i < MAX_PAIRS; i++)
            serve(&pairs[i], &fds[2 + 2 * i]);
        if (fds[0].revents != 0)
            obey(orders);
        if (fds[1].revents != 0)
            let_in(listener);
        if (order.way == PEER_DRIPS)
            drip();
    }
}

/* --- the test's side -------------------------------------------------------------------------- */

void peer_start(struct peer *peer, int port)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int little = 1 << 15; /* a large buffer would take a whole request at once */
    int orders[2];

    ck_assert_int_ge(listener, 0);
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(listener, MAX_PAIRS), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders), 0);
    redis_port = port;
    peer->port = ntohs(address.sin_port);
    peer->orders = orders[0];
    snprintf(peer->uri, sizeof peer->uri, "redis://127.0.0.1:%d", peer->port);
    peer->pid = fork();
    ck_assert_int_ge(peer->pid, 0);
    if (peer->pid == 0) {
        close(orders[0]);
        live(listener, orders[1]);
    }
    close(orders[1]);
    close(listener);
}

void peer_order(struct peer *peer, enum peer_way way, size_t n, const char *text)
{
    struct order given = {.way = way, .n = n};
    char known;

    snprintf(given.text, sizeof given.text, "%s", text);
    ck_assert_int_eq(send(peer->orders, &given, sizeof given, MSG_NOSIGNAL), sizeof given);
    ck_assert_int_eq(recv(peer->orders, &known, 1, 0), 1);
}

void peer_end(struct peer *peer)
{
    kill(peer->pid, SIGKILL);
    ck_assert_int_eq(waitpid(peer->pid, NULL, 0), peer->pid);
    close(peer->orders);
}
