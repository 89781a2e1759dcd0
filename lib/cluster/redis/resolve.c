/* resolve.c: hooks that look up a name with getaddrinfo(), either blocking or in a thread.
 * Not here: the state of a lookup (lookup.c). */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cluster/redis/lookup.h"

struct job {
    ws_redis_lookup *lookup;
    char host[];
};

/* AI_ADDRCONFIG is not set, because it would hide IPv6 addresses on a machine whose only IPv6
 * interface is loopback. Connecting to an address that cannot be reached fails immediately. */
int lookup_at_once(ws_redis_lookup *lookup, const char *host, void *user_data)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int result = getaddrinfo(host, NULL, &hints, &list);

    (void)user_data;
    if (result == 0)
        ws_redis_lookup_done(lookup, list, NULL);
    else if (result == EAI_SYSTEM)
        ws_redis_lookup_done(lookup, NULL, strerror(errno));
    else
        ws_redis_lookup_done(lookup, NULL, gai_strerror(result));
    if (result == 0)
        freeaddrinfo(list);
    return WS_OK;
}

static void *look_up(void *data)
{
    struct job *job = data;

    lookup_at_once(job->lookup, job->host, NULL);
    free(job);
    return NULL;
}

/* All signals are blocked in the new thread, so that the host's own threads receive them. */
static int start_detached(void *(*function)(void *data), void *data)
{
    pthread_attr_t attributes;
    sigset_t before;
    sigset_t all;
    pthread_t thread;
    int result = pthread_attr_init(&attributes);

    if (result != 0)
        return result;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    result = pthread_create(&thread, &attributes, function, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return result;
}

int ws_redis_resolve_in_thread(ws_redis_lookup *lookup, const char *host, void *user_data)
{
    struct job *job;
    size_t size;

    (void)user_data;
    if (lookup == NULL || host == NULL)
        return WS_ERR_INVALID;
    size = strlen(host) + 1;
    job = malloc(sizeof *job + size);
    if (job == NULL)
        return WS_ERR_NO_MEMORY;
    job->lookup = lookup;
    memcpy(job->host, host, size);
    if (start_detached(look_up, job) == 0)
        return WS_OK;
    free(job);
    return WS_ERR_SYSTEM;
}
