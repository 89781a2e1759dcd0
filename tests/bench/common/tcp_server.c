/* tcp_server.c: accepting, handshakes and epoll for the servers that are compared here.
 * A handshake's head must arrive in one read, as the load generator sends it. */
#include "tcp_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"

enum { EVENTS_PER_TURN = 256, BACKLOG = 4096, MAX_HEAD_BYTES = 4096 };

static int listen_on(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void accept_clients(struct tcp_server *server)
{
    int fd;

    while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct tcp_client *client = must_allocate(sizeof *client);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

        *client = (struct tcp_client){.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void add_upgraded(struct tcp_server *server, struct tcp_client *client)
{
    if (server->n_clients == server->capacity) {
        size_t capacity = 2 * server->capacity + 64;
        struct tcp_client **grown = must_allocate(capacity * sizeof(struct tcp_client *));

        if (server->n_clients > 0)
            memcpy(grown, server->clients, server->n_clients * sizeof(struct tcp_client *));
        free(server->clients);
        server->clients = grown;
        server->capacity = capacity;
    }
    client->upgraded = true;
    client->index = server->n_clients;
    server->clients[server->n_clients++] = client;
}

static void close_client(struct tcp_server *server, struct tcp_client *client)
{
    if (client->upgraded) {
        struct tcp_client *last = server->clients[--server->n_clients];

        server->hooks->closed(client);
        server->clients[client->index] = last;
        last->index = client->index;
    }
    close(client->fd);
    free(client);
}

static bool upgrade(struct tcp_server *server, struct tcp_client *client)
{
    char head[MAX_HEAD_BYTES + 1];
    ssize_t length = recv(client->fd, head, MAX_HEAD_BYTES, 0);
    const char *answer;

    if (length <= 0)
        return false;
    head[length] = '\0';
    if (strstr(head, "\r\n\r\n") == NULL)
        return false;
    answer = server->hooks->answer(head);
    if (answer == NULL || send(client->fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
        return false;
    add_upgraded(server, client);
    server->hooks->opened(client);
    return true;
}

static bool handle_event(struct tcp_server *server, struct tcp_client *client, uint32_t events)
{
    if (!client->upgraded)
        return upgrade(server, client);
    if ((events & EPOLLOUT) != 0 && !server->hooks->writable(client))
        return false;
    return (events & ~(uint32_t)EPOLLOUT) == 0 || server->hooks->readable(client);
}

void tcp_client_watch_writable(const struct tcp_server *server, struct tcp_client *client,
                               bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = client};

    if (client->watches_writable == on)
        return;
    client->watches_writable = on;
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

void tcp_server_run(struct tcp_server *server, int port, const struct tcp_server_hooks *hooks)
{
    /* Edge-triggered: the listener stays readable while no descriptor is left for a client. */
    struct epoll_event events[EVENTS_PER_TURN] = {
        {.events = EPOLLIN | EPOLLET, .data.ptr = NULL}};

    server->hooks = hooks;
    server->listener = listen_on(port);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->listener < 0 || server->epoll < 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &events[0]) != 0)
        return;
    for (;;) {
        int count = epoll_wait(server->epoll, events, EVENTS_PER_TURN, -1);

        if (count < 0 && errno != EINTR)
            return;
        for (int i = 0; i < count; i++) {
            struct tcp_client *client = events[i].data.ptr;

            if (client == NULL)
                accept_clients(server);
            else if (!handle_event(server, client, events[i].events))
                close_client(server, client);
        }
    }
}
