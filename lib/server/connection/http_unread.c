/* http_unread.c: bounds the memory of answers that clients do not read. */
#include "server/connection/http_unread.h"

#include "server/connection/connection.h"
#include "server/parts/refusal_log.h"

static void list(struct connection *connection)
{
    struct http_blocked *blocked = &connection->loop->blocked;
    struct http_unread *unread = &connection->http->unread;

    unread->is_blocked = true;
    unread->previous = blocked->last;
    unread->next = NULL;
    if (blocked->last != NULL)
        blocked->last->http->unread.next = connection;
    else
        blocked->first = connection;
    blocked->last = connection;
}

static void unlist(struct connection *connection)
{
    struct http_blocked *blocked = &connection->loop->blocked;
    struct http_unread *unread = &connection->http->unread;

    unread->is_blocked = false;
    if (unread->previous != NULL)
        unread->previous->http->unread.next = unread->next;
    else
        blocked->first = unread->next;
    if (unread->next != NULL)
        unread->next->http->unread.previous = unread->previous;
    else
        blocked->last = unread->previous;
}

/* Empty buffers keep so little that the number of connections bounds it. */
static size_t live_memory(const struct byte_buffer *buffer)
{
    return byte_buffer_length(buffer) > 0 ? buffer->capacity : 0;
}

void http_unread_count(struct connection *connection, size_t written)
{
    struct http_unread *unread = &connection->http->unread;

    unread->written += written;
    if (written > 0 && unread->is_blocked) {
        unlist(connection);
        list(connection);
    }
}

void http_unread_note(struct connection *connection, bool is_blocked)
{
    struct http_unread *unread = &connection->http->unread;
    size_t bytes = live_memory(&connection->http->out) + live_memory(&connection->http->held);

    connection->loop->blocked.bytes += bytes - unread->bytes;
    unread->bytes = bytes;
    if (is_blocked && !unread->is_blocked)
        list(connection);
    else if (!is_blocked && unread->is_blocked)
        unlist(connection);
}

void http_unread_forget(struct connection *connection)
{
    struct http_unread *unread = &connection->http->unread;

    if (unread->is_blocked)
        unlist(connection);
    connection->loop->blocked.bytes -= unread->bytes;
    unread->bytes = 0;
}

bool http_unread_close_longest(struct loop *loop, const char *reason)
{
    struct connection *connection = loop->blocked.first;

    while (connection != NULL && connection->is_admin)
        connection = connection->http->unread.next;
    if (connection == NULL)
        return false;
    refusal_log_address(&loop->server->log, connection_client(connection), 0, reason);
    connection_close(connection);
    return true;
}

bool http_unread_limit(struct loop *loop)
{
    return loop->blocked.bytes > HTTP_UNREAD_BYTES &&
           http_unread_close_longest(loop, "clients leave too many answers unread");
}
