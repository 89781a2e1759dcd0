/* arrivals.c: connections that other threads have handed to a loop, until it takes them. */
#include "server/connection/arrivals.h"

void arrivals_open(struct arrivals *arrivals)
{
    *arrivals = (struct arrivals){0};
    pthread_mutex_init(&arrivals->mutex, NULL);
}

void arrivals_free(struct arrivals *arrivals)
{
    pthread_mutex_destroy(&arrivals->mutex);
}

static enum arrivals_result add(struct arrivals *arrivals, struct connection *connection)
{
    bool is_first = arrivals->first == NULL;

    if (arrivals->is_closed || arrivals->count == ARRIVALS_MAX)
        return ARRIVALS_REFUSED;
    connection->next = NULL;
    if (is_first)
        arrivals->first = connection;
    else
        arrivals->last->next = connection;
    arrivals->last = connection;
    arrivals->count++;
    return is_first ? ARRIVALS_FIRST : ARRIVALS_ADDED;
}

enum arrivals_result arrivals_add(struct arrivals *arrivals, struct connection *connection)
{
    enum arrivals_result result;

    pthread_mutex_lock(&arrivals->mutex);
    result = add(arrivals, connection);
    pthread_mutex_unlock(&arrivals->mutex);
    return result;
}

struct connection *arrivals_take(struct arrivals *arrivals)
{
    struct connection *first;

    pthread_mutex_lock(&arrivals->mutex);
    first = arrivals->first;
    arrivals->first = NULL;
    arrivals->last = NULL;
    arrivals->count = 0;
    pthread_mutex_unlock(&arrivals->mutex);
    return first;
}

bool arrivals_close(struct arrivals *arrivals)
{
    pthread_mutex_lock(&arrivals->mutex);
    arrivals->is_closed |= arrivals->first == NULL;
    pthread_mutex_unlock(&arrivals->mutex);
    return arrivals->is_closed;
}
