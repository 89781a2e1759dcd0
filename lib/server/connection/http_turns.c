/* http_turns.c: queues of connections whose HTTP continues in a later turn.
 * connection_http.c continues it. */
#include "server/connection/http_turns.h"

void http_queue_add(struct http_queue *queue, struct connection *connection)
{
    struct http_place *place = &connection->http->place;

    if (place->queue != NULL)
        return;
    *place = (struct http_place){.queue = queue, .previous = queue->last};
    if (queue->last != NULL)
        queue->last->http->place.next = connection;
    else
        queue->first = connection;
    queue->last = connection;
    queue->count++;
}

void http_turns_wait(struct http_turns *turns, struct connection *connection)
{
    struct http_queue *queue = &turns->light;

    if (stream_awaits_handshake(&connection->stream))
        queue = &turns->handshakes;
    else if (connection->http->spent > HTTP_CONNECTION_COST)
        queue = &turns->heavy;
    http_queue_add(queue, connection);
}

void http_queue_remove(struct connection *connection)
{
    struct http_place *place = &connection->http->place;
    struct http_queue *queue = place->queue;

    if (queue == NULL)
        return;
    if (place->previous != NULL)
        place->previous->http->place.next = place->next;
    else
        queue->first = place->next;
    if (place->next != NULL)
        place->next->http->place.previous = place->previous;
    else
        queue->last = place->previous;
    *place = (struct http_place){0};
    queue->count--;
}
