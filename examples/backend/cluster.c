/* cluster.c: runs the library's Redis client on the first thread of the server.
 * What the client carries is decided by the library. */
#include "cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "log.h"
#include "server/parts/monotonic_clock.h"

enum { AWAIT_REDIS_MS = 1000 };

/* The entry of a descriptor, or a free one; NULL if there is none. */
static struct cluster_watch *find_watch(struct cluster *cluster, int fd)
{
    struct cluster_watch *unused = NULL;

    for (size_t i = 0; i < CLUSTER_MAX_FDS; i++) {
        struct cluster_watch *watch = &cluster->watches[i];

        if (watch->events != 0 && watch->fd == fd)
            return watch;
        if (watch->events == 0)
            unused = watch;
    }
    return unused;
}

static void watch(int fd, int events, void *user_data)
{
    struct cluster *cluster = user_data;
    struct cluster_watch *watch = find_watch(cluster, fd);
    struct epoll_event wanted = {.data.ptr = watch};
    int operation = EPOLL_CTL_MOD;

    if (watch == NULL || (watch->events == 0 && events == 0))
        return;
    wanted.events = ((events & WS_REDIS_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
                    ((events & WS_REDIS_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0);
    if (watch->events == 0)
        operation = EPOLL_CTL_ADD;
    else if (events == 0)
        operation = EPOLL_CTL_DEL;
    *watch = (struct cluster_watch){fd, events};
    /* At shutdown, the epoll is closed before the client. */
    if (cluster->epoll >= 0 && epoll_ctl(cluster->epoll, operation, fd, &wanted) != 0)
        log_line(WS_LOG_ERROR, "redis: the connection cannot be added to epoll: %s",
                 strerror(errno));
}

static void wake(void *user_data)
{
    const struct cluster *cluster = user_data;
    uint64_t one = 1;

    /* write() fails only if the counter is full; then the thread wakes up anyway. */
    if (write(cluster->wake, &one, sizeof one) < 0)
        return;
}

static void on_state(int connected, const char *text, void *user_data)
{
    struct cluster *cluster = user_data;

    /* If it is connected but takes no events, `text` says why. */
    bool is_well = connected && strcmp(text, "connected") == 0;

    cluster->connected = connected;
    log_line(is_well ? WS_LOG_INFO : WS_LOG_WARN, "redis: %s", text);
}

bool cluster_open(struct cluster *cluster, const struct options *options, ws_manager *manager,
                  char *problem, size_t size)
{
    ws_redis_options redis_options;
    char reason[256];
    int result;

    *cluster = (struct cluster){.epoll = -1, .wake = -1};
    if (options->redis_uri == NULL)
        return true;
    if (ws_redis_check_uri(options->redis_uri, reason, sizeof reason) != WS_OK) {
        snprintf(problem, size, "--redis: %s", reason);
        return false;
    }
    cluster->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cluster->wake < 0) {
        snprintf(problem, size, "--redis: %s", strerror(errno));
        return false;
    }
    ws_redis_options_init(&redis_options);
    redis_options.uri = options->redis_uri;
    redis_options.node = options->node;
    redis_options.watch = watch;
    redis_options.wake = wake;
    redis_options.on_state = on_state;
    redis_options.resolve = ws_redis_resolve_in_thread;
    redis_options.user_data = cluster;
    if (options->history_events > 0)
        redis_options.preload_events = options->history_events;
    result = ws_redis_new(manager, &redis_options, monotonic_ms(), &cluster->redis);
    if (result != WS_OK) {
        snprintf(problem, size, "%s: %s", result == WS_ERR_INVALID ? "--node" : "--redis",
                 ws_strerror(result));
        cluster_close(cluster);
    }
    return result == WS_OK;
}

static void await_redis(struct cluster *cluster)
{
    uint64_t now_ms = monotonic_ms();
    uint64_t limit_ms = now_ms + AWAIT_REDIS_MS;
    struct epoll_event events[CLUSTER_MAX_FDS];

    while (!cluster->connected && now_ms < limit_ms) {
        uint64_t deadline_ms = ws_redis_run(cluster->redis, now_ms);
        int wait_ms = (int)((deadline_ms < limit_ms ? deadline_ms : limit_ms) - now_ms);
        int count = cluster->connected
                        ? 0
                        : epoll_wait(cluster->epoll, events, CLUSTER_MAX_FDS, wait_ms);

        for (int i = 0; i < count; i++)
            cluster_event(cluster, events[i].data.ptr, events[i].events);
        now_ms = monotonic_ms();
    }
}

void cluster_attach(struct cluster *cluster, int epoll)
{
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLET, .data.ptr = &cluster->wake};

    if (cluster->redis == NULL)
        return;
    cluster->epoll = epoll;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, cluster->wake, &wanted) != 0)
        log_line(WS_LOG_ERROR, "redis: the wake-up cannot be added to epoll: %s",
                 strerror(errno));
    await_redis(cluster);
}

bool cluster_event(struct cluster *cluster, const void *pointer, uint32_t events)
{
    if (pointer == &cluster->wake)
        return true;
    for (size_t i = 0; i < CLUSTER_MAX_FDS; i++) {
        const struct cluster_watch *watched = &cluster->watches[i];
        int ready = 0;

        if (pointer != watched)
            continue;
        if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
            ready |= WS_REDIS_READ;
        if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
            ready |= WS_REDIS_WRITE;
        if (watched->events != 0)
            ws_redis_ready(cluster->redis, watched->fd, ready);
        return true;
    }
    return false;
}

uint64_t cluster_run(struct cluster *cluster, uint64_t now_ms)
{
    return cluster->redis != NULL ? ws_redis_run(cluster->redis, now_ms) : UINT64_MAX;
}

uint64_t cluster_pending(const struct cluster *cluster)
{
    const cJSON *pending;
    cJSON *stats;
    char *text;
    uint64_t n = 1;

    if (cluster->redis == NULL)
        return 0;
    if (ws_redis_get_stats(cluster->redis, &text, NULL) != WS_OK)
        return 1;
    stats = cJSON_Parse(text);
    pending = cJSON_GetObjectItemCaseSensitive(stats, "pending_events");
    if (cJSON_IsNumber(pending))
        n = (uint64_t)pending->valuedouble;
    cJSON_Delete(stats);
    ws_redis_free_text(cluster->redis, text);
    return n;
}

void cluster_close(struct cluster *cluster)
{
    cluster->epoll = -1;
    ws_redis_free(cluster->redis);
    cluster->redis = NULL;
    if (cluster->wake >= 0) {
        close(cluster->wake);
        cluster->wake = -1;
    }
}

static bool add_json(cJSON *object, const char *name, const struct cluster *cluster,
                     int (*get)(ws_redis *redis, char **text, size_t *length))
{
    char *text;
    bool added;

    if (get(cluster->redis, &text, NULL) != WS_OK)
        return false;
    added = cJSON_AddRawToObject(object, name, text) != NULL;
    ws_redis_free_text(cluster->redis, text);
    return added;
}

char *cluster_stats(const struct cluster *cluster)
{
    cJSON *stats = cJSON_CreateObject();
    char *text = NULL;

    if (add_json(stats, "redis", cluster, ws_redis_get_stats) &&
        add_json(stats, "cluster", cluster, ws_redis_get_nodes))
        text = cJSON_PrintUnformatted(stats);
    cJSON_Delete(stats);
    return text;
}
