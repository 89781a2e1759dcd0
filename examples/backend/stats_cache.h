/* stats_cache.h: a text of statistics that takes too long to make for each request, or on a loop.
 * api_status.c makes the text. */
#ifndef BACKEND_STATS_CACHE_H
#define BACKEND_STATS_CACHE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ws_manager/server_http.h>

struct app;

struct stats_cache {
    /* Makes the text, on a thread of its own; NULL when memory is short. It is freed by free(). */
    char *(*make)(struct app *app, size_t *length);
    /* Answers a request that waited for the text, which may have failed. Any thread. */
    void (*answer)(struct app *app, ws_server_ticket *ticket);
    struct app *app;
    atomic_bool is_making;
    pthread_mutex_t mutex; /* protects what follows */
    pthread_t thread;
    bool has_thread;
    ws_server_ticket **waiting; /* for the text that is being made */
    size_t n_waiting;
    size_t waiting_capacity;
    int fd; /* a file in memory, which many answers can be sent from; -1: none */
    off_t length;
    uint64_t until_ms;       /* when the text expires */
    uint64_t rests_until_ms; /* when another may be made after a failure */
};

void stats_cache_open(struct stats_cache *cache, char *(*make)(struct app *app, size_t *length),
                      void (*answer)(struct app *app, ws_server_ticket *ticket),
                      struct app *app);

/* Waits for the thread. */
void stats_cache_close(struct stats_cache *cache);

enum stats_cache_result {
    STATS_CACHE_FOUND,
    STATS_CACHE_EMPTY,  /* or too old */
    STATS_CACHE_MAKING, /* one is being made */
    STATS_CACHE_FAILED  /* a moment ago, memory or descriptors were short */
};

/* A descriptor of the text, which the caller closes. Any thread, like all functions here. */
enum stats_cache_result stats_cache_get(struct stats_cache *cache, int *fd, off_t *length);

/* Keeps a text for a second, and one more for each MiB. False if that fails. */
bool stats_cache_put(struct stats_cache *cache, const char *text, size_t length);

/* Starts to make a text, unless one is being made. False if that fails. */
bool stats_cache_make(struct stats_cache *cache);

/* Has a request answered when the text that is being made is complete, or at once. */
void stats_cache_wait(struct stats_cache *cache, ws_server_ticket *ticket);

#endif
