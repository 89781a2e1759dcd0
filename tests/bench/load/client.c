/* client.c: a single connection: connecting, handshake, frames in, bytes out, closing.
 * Not here: the set of connections and its loop (clients.c). */
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

enum {
    N_SOURCES = 64, /* source addresses; a single one would run out of ports */
    RECEIVE_BYTES = 256 * 1024,
    SEND_LIMIT_MS = 10000,
    CONTROL_MAX_BYTES = 125
};

static void forget(struct clients *clients, struct client *client)
{
    if (client->state == CLIENT_OPEN)
        clients->n_open--;
    client->state = CLIENT_CLOSED;
    close(client->fd);
    bytes_consume(&client->received, client->received.length);
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

static void lose(struct clients *clients, struct client *client, const char *why)
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
        lose(clients, client, strerror(errno));
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
            lose(clients, client, strerror(errno));
        }
    }
}

static void send_frame(struct clients *clients, struct client *client, unsigned opcode,
                       const void *payload, size_t length)
{
    unsigned char head[FRAME_MAX_HEAD];
    struct bytes frame = {0};

    bytes_append(&frame, head, frame_write_head(head, opcode, true, length));
    bytes_append(&frame, payload, length);
    client_send(clients, client, frame.data, frame.length);
    free(frame.data);
}

static void send_request(struct clients *clients, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int error = 0;

    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    if (error != 0) {
        lose(clients, client, strerror(error));
        return;
    }
    client->state = CLIENT_UPGRADING;
    epoll_ctl(clients->epoll, EPOLL_CTL_MOD, client->fd, &event);
    client_send(clients, client, clients->request, strlen(clients->request));
}

static void handle_frame(struct clients *clients, struct client *client,
                         const struct frame *frame)
{
    switch (frame->opcode) {
    case FRAME_TEXT:
    case FRAME_BINARY:
        if (clients->on_frame != NULL)
            clients->on_frame(clients, client, frame);
        break;
    case FRAME_PING:
        if (frame->length <= CONTROL_MAX_BYTES)
            send_frame(clients, client, FRAME_PONG, frame->payload, frame->length);
        break;
    case FRAME_CLOSE:
        lose(clients, client, "the server closed it");
        break;
    default:
        break;
    }
}

/* Returns the answer's length, or 0 if the answer is incomplete or is a refusal. */
static size_t read_answer(struct clients *clients, struct client *client,
                          const unsigned char *data, size_t length)
{
    const unsigned char *end = memmem(data, length, "\r\n\r\n", 4);
    size_t size;

    if (end == NULL)
        return 0;
    size = (size_t)(end - data) + 4;
    if (memmem(data, size, " 101 ", 5) == NULL ||
        memmem(data, size, HANDSHAKE_ACCEPT, sizeof HANDSHAKE_ACCEPT - 1) == NULL) {
        lose(clients, client, "the handshake was refused");
        return 0;
    }
    client->state = CLIENT_OPEN;
    clients->n_open++;
    if (clients->options->hello != NULL)
        send_frame(clients, client, FRAME_TEXT, clients->options->hello,
                   strlen(clients->options->hello));
    if (clients->on_open != NULL)
        clients->on_open(clients, client);
    return size;
}

/* Returns how many bytes were processed. The rest is the beginning of a frame or of the answer. */
static size_t handle_input(struct clients *clients, struct client *client,
                           const unsigned char *data, size_t length)
{
    struct frame frame;
    size_t done = 0;
    size_t size;

    if (client->state == CLIENT_UPGRADING) {
        done = read_answer(clients, client, data, length);
        if (done == 0)
            return 0;
    }
    while (client->state == CLIENT_OPEN &&
           (size = frame_read(data + done, length - done, &frame)) > 0) {
        handle_frame(clients, client, &frame);
        done += size;
    }
    return done;
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
            lose(clients, client, received == 0 ? "the server ended it" : strerror(errno));
        return;
    }
    clients->received_ns = now_ns();
    clients->wire_bytes += length;
    if (has_rest)
        bytes_append(rest, input, length);
    done = has_rest ? handle_input(clients, client, rest->data, rest->length)
                    : handle_input(clients, client, input, length);
    /* The connection may have been closed, and a new one begun in its place. */
    if (client->state < CLIENT_UPGRADING)
        return;
    if (has_rest)
        bytes_consume(rest, done);
    else if (done < length)
        bytes_append(rest, input + done, length - done);
}

void client_event(struct clients *clients, struct client *client)
{
    if (client->state == CLIENT_CONNECTING)
        send_request(clients, client);
    else if (client->state != CLIENT_CLOSED)
        receive(clients, client);
}
