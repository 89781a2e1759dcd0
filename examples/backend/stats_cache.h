/* stats_cache.h: a text of statistics that is too long to be made for each request, or by a loop.
 * What is in it is api_status.c's business. */
#ifndef BACKEND_STATS_CACHE_H
#define BACKEND_STATS_CACHE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct app;

struct stats_cache {
    /* Makes the text, on a thread of its own; NULL when memory is short. It is freed by free(). */
    char *(*make)(struct app *app, size_t *length);
    struct app *app;
    atomic_bool is_making;
    pthread_mutex_t mutex; /* of what follows */
    pthread_t thread;
    bool has_thread;
    int fd; /* a file in memory, which many answers can be sent from; -1: none */
    off_t length;
    uint64_t until_ms; /* when it is too old */
};

void stats_cache_open(struct stats_cache *cache, char *(*make)(struct app *app, size_t *length),
                      struct app *app);

/* Waits for the thread. */
void stats_cache_close(struct stats_cache *cache);

/* A descriptor of the text, which is the caller's. False if it is too old, or there is none. Any
 * thread, as all here. */
bool stats_cache_get(struct stats_cache *cache, int *fd, off_t *length);

/* Keeps a text for a second, and another one for each MiB. */
void stats_cache_put(struct stats_cache *cache, const char *text, size_t length);

/* Has a text made, if none is under way. False when it can't be. */
bool stats_cache_make(struct stats_cache *cache);

#endif
