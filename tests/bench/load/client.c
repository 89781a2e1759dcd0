/* client.c: a single connection: connecting, requests, bytes in and out, closing.
 * Not here: the set of connections and its loop (clients.c), the meaning of the bytes
 * (protocol.h). */
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "protocol.h"

enum {
    N_SOURCES = 64, /* source addresses; a single one would run out of ports */
    RECEIVE_BYTES = 256 * 1024,
    SEND_LIMIT_MS = 10000,
    HEAD_BYTES = 1024 /* of a request; options_parse() limits the paths */
};

static void forget(struct clients *clients, struct client *client)
{
    if (client->state == CLIENT_OPEN)
        clients->n_open--;
    client->state = CLIENT_CLOSED;
    close(client->fd);
    bytes_consume(&client->received, client->received.length);
    bytes_consume(&client->polling.unsent, client->polling.unsent.length);
}

void client_close(struct clients *clients, struct client *client)
{
    if (client->state != CLIENT_CLOSED)
        forget(clients, client);
}

void client_reset(struct clients *clients, struct client *client)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (client->state == CLIENT_CLOSED)
        return;
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    forget(clients, client);
}

void client_lose(struct clients *clients, struct client *client, const char *why)
{
    if (clients->n_lost == 0)
        fprintf(stderr, "load: a connection is lost: %s\n", why);
    clients->n_lost++;
    client_close(clients, client);
}

static int connect_from(size_t source, int fd, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)source);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

void client_connect(struct clients *clients, struct client *client)
{
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    size_t source = clients->n_begun++ % N_SOURCES;

    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        perror("load: socket");
        exit(2);
    }
    client->state = CLIENT_CONNECTING;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if ((connect_from(source, client->fd, clients->options->port) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(clients->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        client_lose(clients, client, strerror(errno));
}

/* The server always reads, so a full socket soon becomes writable. */
void client_send(struct clients *clients, struct client *client, const void *data,
                 size_t length)
{
    struct pollfd writable = {.fd = client->fd, .events = POLLOUT};
    const char *at = data;

    while (length > 0 && client->state != CLIENT_CLOSED) {
        ssize_t sent = send(client->fd, at, length, MSG_NOSIGNAL);

        if (sent >= 0) {
            at += sent;
            length -= (size_t)sent;
        } else if (errno != EAGAIN || poll(&writable, 1, SEND_LIMIT_MS) <= 0) {
            client_lose(clients, client, strerror(errno));
        }
    }
}

void client_request(struct clients *clients, struct client *client, const char *method,
                    const char *query, const char *headers, const struct bytes *body)
{
    const struct options *options = clients->options;
    bool publishes = client == &clients->all[0] && options->publisher_path != NULL;
    char head[HEAD_BYTES];
    struct bytes request = {0};
    int length = snprintf(head, sizeof head, "%s %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s",
                          method, publishes ? options->publisher_path : options->path, query,
                          options->port, headers);

    bytes_append(&request, head, (size_t)length);
    if (body != NULL)
        bytes_append(
            &request, head,
            (size_t)snprintf(head, sizeof head, "Content-Length: %zu\r\n", body->length));
    bytes_append(&request, "\r\n", 2);
    if (body != NULL)
        bytes_append(&request, body->data, body->length);
    client_send(clients, client, request.data, request.length);
    free(request.data);
}

static void begin(struct clients *clients, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int error = 0;

    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    if (error != 0) {
        client_lose(clients, client, strerror(error));
        return;
    }
    client->state = CLIENT_REQUESTING;
    epoll_ctl(clients->epoll, EPOLL_CTL_MOD, client->fd, &event);
    client->protocol->open(clients, client);
}

void client_opened(struct clients *clients, struct client *client)
{
    client->state = CLIENT_OPEN;
    clients->n_open++;
    if (clients->on_open != NULL)
        clients->on_open(clients, client);
}

void client_message(struct clients *clients, struct client *client, const unsigned char *text,
                    size_t length)
{
    const struct frame message = {.opcode = FRAME_TEXT, .payload = text, .length = length};

    if (clients->on_frame != NULL)
        clients->on_frame(clients, client, &message);
}

static void receive(struct clients *clients, struct client *client)
{
    static unsigned char input[RECEIVE_BYTES];
    struct bytes *rest = &client->received;
    ssize_t received = recv(client->fd, input, sizeof input, 0);
    bool has_rest = rest->length > 0;
    size_t length = received > 0 ? (size_t)received : 0;
    size_t done;

    if (received <= 0) {
        if (received == 0 || errno != EAGAIN)
            client_lose(clients, client,
                        received == 0 ? "the server ended it" : strerror(errno));
        return;
    }
    clients->received_ns = now_ns();
    clients->wire_bytes += length;
    if (has_rest)
        bytes_append(rest, input, length);
    done = has_rest ? client->protocol->input(clients, client, rest->data, rest->length)
                    : client->protocol->input(clients, client, input, length);
    /* The connection may have been closed, and a new one begun in its place. */
    if (client->state < CLIENT_REQUESTING)
        return;
    if (has_rest)
        bytes_consume(rest, done);
    else if (done < length)
        bytes_append(rest, input + done, length - done);
}

void client_event(struct clients *clients, struct client *client)
{
    if (client->state == CLIENT_CONNECTING)
        begin(clients, client);
    else if (client->state != CLIENT_CLOSED)
        receive(clients, client);
}
