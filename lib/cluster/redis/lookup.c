/* lookup.c: a name lookup, shared by the thread that waits for it and the thread that answers
 * it. */
#include "cluster/redis/lookup.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Allocated with malloc(): a lookup may outlive the carrier and the host's allocator. */
struct ws_redis_lookup {
    pthread_mutex_t lock;
    /* Guarded by the lock: */
    bool is_done;
    bool is_abandoned;
    struct resolver resolver;
    struct addresses addresses;
    char error[LOOKUP_ERROR_SIZE];

    char host[];
};

static void destroy(ws_redis_lookup *lookup)
{
    pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

static ws_redis_lookup *new_lookup(const struct resolver *resolver, const char *host)
{
    size_t size = strlen(host) + 1;
    ws_redis_lookup *lookup = calloc(1, sizeof *lookup + size);

    if (lookup == NULL || pthread_mutex_init(&lookup->lock, NULL) != 0) {
        free(lookup);
        return NULL;
    }
    lookup->resolver = *resolver;
    memcpy(lookup->host, host, size);
    return lookup;
}

ws_redis_lookup *lookup_begin(const struct resolver *resolver, const char *host,
                              char error[LOOKUP_ERROR_SIZE])
{
    ws_redis_lookup *lookup = new_lookup(resolver, host);
    int result = WS_ERR_NO_MEMORY;

    if (lookup != NULL)
        result = resolver->resolve(lookup, lookup->host, resolver->user_data);
    if (result == WS_OK)
        return lookup;
    if (lookup != NULL)
        destroy(lookup);
    snprintf(error, LOOKUP_ERROR_SIZE, "the lookup could not be started: %s",
             ws_strerror(result));
    return NULL;
}

bool lookup_take(ws_redis_lookup *lookup, struct addresses *addresses,
                 char error[LOOKUP_ERROR_SIZE])
{
    bool is_done;

    pthread_mutex_lock(&lookup->lock);
    is_done = lookup->is_done;
    pthread_mutex_unlock(&lookup->lock);
    if (!is_done)
        return false;
    *addresses = lookup->addresses;
    memcpy(error, lookup->error, LOOKUP_ERROR_SIZE);
    destroy(lookup);
    return true;
}

void lookup_abandon(ws_redis_lookup *lookup)
{
    bool is_done;

    if (lookup == NULL)
        return;
    pthread_mutex_lock(&lookup->lock);
    is_done = lookup->is_done;
    lookup->is_abandoned = true;
    pthread_mutex_unlock(&lookup->lock);
    if (is_done)
        destroy(lookup);
}

void ws_redis_lookup_done(ws_redis_lookup *lookup, const struct addrinfo *addresses,
                          const char *error)
{
    bool is_abandoned;

    if (lookup == NULL)
        return;
    pthread_mutex_lock(&lookup->lock);
    lookup->is_done = true;
    is_abandoned = lookup->is_abandoned;
    addresses_take(&lookup->addresses, error == NULL ? addresses : NULL);
    snprintf(lookup->error, sizeof lookup->error, "%s",
             error != NULL ? error : "the name has no address");
    if (!is_abandoned)
        lookup->resolver.wake(lookup->resolver.wake_data);
    pthread_mutex_unlock(&lookup->lock);
    if (is_abandoned)
        destroy(lookup);
}
