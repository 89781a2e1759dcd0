/* connection_proxy.c: determines who the client of a connection is if the peer is a trusted
 * proxy, by a PROXY header before anything else. Not here: who the client of a request is
 * (request_client.c), the header's format (proxy_header.c). */
#include "server/connection/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "server/parts/proxy_header.h"

static const struct address_ranges *trusted_proxies(const struct connection *connection)
{
    return &connection->loop->server->trusted_proxies;
}

static bool is_trusted(const struct connection *connection)
{
    return address_ranges_contain(trusted_proxies(connection), &connection->peer);
}

bool connection_proxy_open(struct connection *connection)
{
    if (!is_trusted(connection))
        return true;
    connection->proxied = calloc(1, sizeof *connection->proxied);
    if (connection->proxied == NULL)
        return false;
    connection->proxied->awaits_header = true;
    return true;
}

void connection_proxy_close(struct connection *connection)
{
    free(connection->proxied);
    connection->proxied = NULL;
}

/* --- the PROXY header ---------------------------------------------------------------- */

/* Bytes of an incomplete PROXY header stay in the socket, because they may turn out to be TLS or
 * HTTP. So the socket stays readable, and epoll reports only that more arrive. SO_RCVLOWAT does not
 * do that for Unix sockets: their poll() does not heed it. */
static void await_more(struct connection *connection)
{
    stream_watch(&connection->stream, connection->loop->epoll, EPOLLIN | EPOLLET, connection);
}

/* Whether the peer sends nothing more. */
static bool has_ended(const struct connection *connection)
{
    struct pollfd socket = {.fd = connection->stream.fd, .events = POLLRDHUP};

    return poll(&socket, 1, 0) > 0 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* From now on, the client of the connection is the one that the header names. */
static void use_header(struct connection *connection, const struct proxy_header *header,
                       enum proxy_header_result result)
{
    if (result == PROXY_HEADER_LOCAL)
        return;
    if (result == PROXY_HEADER_CLIENT)
        connection->peer = header->client;
    /* An unknown client counts as the proxy, but its own forwarding headers are not believed. */
    if (result == PROXY_HEADER_UNKNOWN || !is_trusted(connection)) {
        connection_proxy_close(connection);
        connection_count(connection);
    }
}

bool connection_proxy_receive(struct connection *connection)
{
    struct loop *loop = connection->loop;
    int fd = connection->stream.fd;
    ssize_t length = recv(fd, loop->received, PROXY_HEADER_MAX_BYTES, MSG_PEEK);
    struct proxy_header header;
    enum proxy_header_result result;

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length <= 0) {
        connection_close(connection);
        return false;
    }
    result = proxy_header_read(&header, loop->received, (size_t)length);
    if (result == PROXY_HEADER_PARTIAL) {
        if (has_ended(connection))
            connection_close(connection);
        else
            await_more(connection);
        return false;
    }
    connection->proxied->awaits_header = false;
    connection_watch(connection, EPOLLIN);
    if (result == PROXY_HEADER_NONE)
        return true;
    if (result == PROXY_HEADER_BAD ||
        recv(fd, loop->received, header.length, 0) != (ssize_t)header.length) {
        connection_close(connection);
        return false;
    }
    use_header(connection, &header, result);
    return false; /* what follows makes the socket readable again */
}
