/* redis_on_libuv.c: a ws_redis on a libuv loop, to copy from. */
#include "redis_on_libuv.h"

#include <stdlib.h>

struct watched {
    uv_poll_t poll; /* first */
    struct watched *next;
    struct redis_on_libuv *adapter;
    int fd;
};

static void run(struct redis_on_libuv *adapter);

static void on_deadline(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_wake(uv_async_t *wake)
{
    run(wake->data);
}

static void run(struct redis_on_libuv *adapter)
{
    uint64_t now_ms = uv_now(adapter->loop);
    uint64_t deadline_ms = ws_redis_run(adapter->redis, now_ms);

    /* A timer of 0 ms would run again before libuv looks at the sockets. */
    if (deadline_ms <= now_ms)
        uv_async_send(&adapter->wake);
    else
        uv_timer_start(&adapter->deadline, on_deadline, deadline_ms - now_ms, 0);
}

/* --- the hooks -------------------------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
    const struct watched *watched = (struct watched *)poll;
    struct redis_on_libuv *adapter = watched->adapter;
    int ready = 0;

    if (status < 0 || (events & UV_READABLE))
        ready |= WS_REDIS_READ;
    if (status < 0 || (events & UV_WRITABLE))
        ready |= WS_REDIS_WRITE;
    ws_redis_ready(adapter->redis, watched->fd, ready);
    run(adapter);
}

static void free_watched(uv_handle_t *poll)
{
    free(poll);
}

/* Without memory for the request the carrier gets no answer, and reconnects. */
static struct watched *add(struct redis_on_libuv *adapter, int fd)
{
    struct watched *watched = malloc(sizeof *watched);

    if (watched == NULL)
        return NULL;
    if (uv_poll_init(adapter->loop, &watched->poll, fd) < 0) {
        free(watched);
        return NULL;
    }
    watched->adapter = adapter;
    watched->fd = fd;
    watched->next = adapter->watched;
    adapter->watched = watched;
    return watched;
}

static void watch(int fd, int events, void *user_data)
{
    struct redis_on_libuv *adapter = user_data;
    struct watched **at = &adapter->watched;
    struct watched *watched;

    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    watched = *at;
    if (events == 0 && watched != NULL) {
        *at = watched->next;
        uv_poll_stop(&watched->poll);
        uv_close((uv_handle_t *)&watched->poll, free_watched);
        return;
    }
    if (watched == NULL)
        watched = add(adapter, fd);
    if (watched != NULL)
        uv_poll_start(&watched->poll,
                      ((events & WS_REDIS_READ) ? UV_READABLE : 0) |
                          ((events & WS_REDIS_WRITE) ? UV_WRITABLE : 0),
                      on_ready);
}

static void wake(void *user_data)
{
    uv_async_send(&((struct redis_on_libuv *)user_data)->wake);
}

/* --- lookups of names ------------------------------------------------------------------------ */

struct look_up {
    uv_getaddrinfo_t request; /* first */
    ws_redis_lookup *lookup;
};

/* By now the adapter may be closed. */
static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct look_up *look_up = (struct look_up *)request;

    ws_redis_lookup_done(look_up->lookup, addresses, status < 0 ? uv_strerror(status) : NULL);
    uv_freeaddrinfo(addresses);
    free(look_up);
}

/* Called in libuv's own threads. */
static int resolve(ws_redis_lookup *lookup, const char *host, void *user_data)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct redis_on_libuv *adapter = user_data;
    struct look_up *look_up = malloc(sizeof *look_up);

    if (look_up == NULL)
        return WS_ERR_NO_MEMORY;
    look_up->lookup = lookup;
    if (uv_getaddrinfo(adapter->loop, &look_up->request, on_resolved, host, NULL, &hints) == 0)
        return WS_OK;
    free(look_up);
    return WS_ERR_SYSTEM;
}

/* --- life ------------------------------------------------------------------------------------- */

int redis_on_libuv_open(struct redis_on_libuv *adapter, uv_loop_t *loop, ws_manager *manager,
                        ws_redis_options *options)
{
    int result;

    *adapter = (struct redis_on_libuv){.loop = loop};
    options->watch = watch;
    options->wake = wake;
    options->resolve = resolve;
    options->user_data = adapter;
    result = uv_async_init(loop, &adapter->wake, on_wake);
    if (result < 0)
        return result;
    uv_timer_init(loop, &adapter->deadline);
    adapter->wake.data = adapter;
    adapter->deadline.data = adapter;
    result = ws_redis_new(manager, options, uv_now(loop), &adapter->redis);
    if (result == WS_OK)
        run(adapter);
    else
        redis_on_libuv_close(adapter);
    return result;
}

void redis_on_libuv_close(struct redis_on_libuv *adapter)
{
    ws_redis_free(adapter->redis);
    uv_close((uv_handle_t *)&adapter->wake, NULL);
    uv_close((uv_handle_t *)&adapter->deadline, NULL);
}
