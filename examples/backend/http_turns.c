/* http_turns.c: the queue of connections whose HTTP goes on in a later turn.
 * How it goes on is in connection_http.c. */
#include "http_turns.h"

#include "connection.h"

void http_turns_wait(struct http_turns *turns, struct connection *connection)
{
    struct http_place *place = &connection->http->place;

    if (place->waits) {
        return;
    }
    *place = (struct http_place){.previous = turns->last, .waits = true};
    if (turns->last != NULL) {
        turns->last->http->place.next = connection;
    } else {
        turns->first = connection;
    }
    turns->last = connection;
    turns->n_waiting++;
}

void http_turns_leave(struct http_turns *turns, struct connection *connection)
{
    struct http_place *place = &connection->http->place;

    if (!place->waits) {
        return;
    }
    if (place->previous != NULL) {
        place->previous->http->place.next = place->next;
    } else {
        turns->first = place->next;
    }
    if (place->next != NULL) {
        place->next->http->place.previous = place->previous;
    } else {
        turns->last = place->previous;
    }
    *place = (struct http_place){0};
    turns->n_waiting--;
}
