/* stats_cache.c: a long text of statistics, made by a thread at a limited rate, kept in memory
 * once.
 * api_status.c makes the text. */
#include "stats_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/parts/monotonic_clock.h"

enum { KEPT_MS = 1000, BYTES_PER_MS = 1024 };

void stats_cache_open(struct stats_cache *cache, char *(*make)(struct app *app, size_t *length),
                      void (*answer)(struct app *app, ws_server_ticket *ticket),
                      struct app *app)
{
    *cache = (struct stats_cache){.make = make, .answer = answer, .app = app, .fd = -1};
    pthread_mutex_init(&cache->mutex, NULL);
}

void stats_cache_close(struct stats_cache *cache)
{
    if (cache->has_thread)
        pthread_join(cache->thread, NULL);
    if (cache->fd >= 0)
        close(cache->fd);
    free(cache->waiting);
    pthread_mutex_destroy(&cache->mutex);
}

enum stats_cache_result stats_cache_get(struct stats_cache *cache, int *fd, off_t *length)
{
    uint64_t now_ms = monotonic_ms();
    enum stats_cache_result result = STATS_CACHE_EMPTY;

    *fd = -1;
    pthread_mutex_lock(&cache->mutex);
    if (now_ms < cache->until_ms) {
        *fd = fcntl(cache->fd, F_DUPFD_CLOEXEC, 0);
        *length = cache->length;
        result = *fd >= 0 ? STATS_CACHE_FOUND : STATS_CACHE_FAILED;
    } else if (atomic_load(&cache->is_making)) {
        result = STATS_CACHE_MAKING;
    } else if (now_ms < cache->rests_until_ms) {
        result = STATS_CACHE_FAILED;
    }
    pthread_mutex_unlock(&cache->mutex);
    return result;
}

/* A file in memory with these bytes; -1 when memory or descriptors are short. */
static int file_of(const char *text, size_t length)
{
    int fd = memfd_create("statistics", MFD_CLOEXEC);
    size_t written = 0;

    while (fd >= 0 && written < length) {
        ssize_t part = write(fd, text + written, length - written);

        if (part < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        written += part > 0 ? (size_t)part : 0;
    }
    return fd;
}

bool stats_cache_put(struct stats_cache *cache, const char *text, size_t length)
{
    int fd = file_of(text, length);
    int former;

    if (fd < 0)
        return false;
    pthread_mutex_lock(&cache->mutex);
    former = cache->fd;
    cache->fd = fd;
    cache->length = (off_t)length;
    cache->until_ms = monotonic_ms() + KEPT_MS + length / BYTES_PER_MS;
    pthread_mutex_unlock(&cache->mutex);
    if (former >= 0)
        close(former); /* answers being sent have descriptors of their own */
    return true;
}

static void rest(struct stats_cache *cache)
{
    pthread_mutex_lock(&cache->mutex);
    cache->rests_until_ms = monotonic_ms() + KEPT_MS;
    pthread_mutex_unlock(&cache->mutex);
}

/* The next request that waits. NULL: there is none, and no further one waits for this text. */
static ws_server_ticket *next_waiting(struct stats_cache *cache)
{
    ws_server_ticket *ticket = NULL;

    pthread_mutex_lock(&cache->mutex);
    if (cache->n_waiting > 0)
        ticket = cache->waiting[--cache->n_waiting];
    else
        atomic_store(&cache->is_making, false);
    pthread_mutex_unlock(&cache->mutex);
    return ticket;
}

static void *run(void *user_data)
{
    struct stats_cache *cache = user_data;
    size_t length;
    char *text = cache->make(cache->app, &length);
    ws_server_ticket *ticket;

    if (text == NULL || !stats_cache_put(cache, text, length))
        rest(cache);
    free(text);
    while ((ticket = next_waiting(cache)) != NULL)
        cache->answer(cache->app, ticket);
    return NULL;
}

bool stats_cache_make(struct stats_cache *cache)
{
    bool made = true;

    pthread_mutex_lock(&cache->mutex);
    if (!atomic_load(&cache->is_making)) {
        if (cache->has_thread)
            pthread_join(cache->thread, NULL); /* it ends without waiting for anything */
        atomic_store(&cache->is_making, true);
        made = pthread_create(&cache->thread, NULL, run, cache) == 0;
        cache->has_thread = made;
        if (!made)
            atomic_store(&cache->is_making, false);
    }
    pthread_mutex_unlock(&cache->mutex);
    return made;
}

/* With the mutex locked. */
static bool add_waiting(struct stats_cache *cache, ws_server_ticket *ticket)
{
    if (cache->n_waiting == cache->waiting_capacity) {
        size_t capacity = cache->waiting_capacity > 0 ? 2 * cache->waiting_capacity : 16;
        ws_server_ticket **waiting =
            realloc(cache->waiting, capacity * sizeof(ws_server_ticket *));

        if (waiting == NULL)
            return false;
        cache->waiting = waiting;
        cache->waiting_capacity = capacity;
    }
    cache->waiting[cache->n_waiting++] = ticket;
    return true;
}

void stats_cache_wait(struct stats_cache *cache, ws_server_ticket *ticket)
{
    bool waits;

    pthread_mutex_lock(&cache->mutex);
    waits = atomic_load(&cache->is_making) && add_waiting(cache, ticket);
    pthread_mutex_unlock(&cache->mutex);
    if (!waits)
        cache->answer(cache->app, ticket);
}
