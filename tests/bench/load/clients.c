/* clients.c: the set of connections, and the epoll loop.
 * Not here: a single connection (client.c). */
#include "clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"

enum { EVENTS_PER_TURN = 512, MAX_OPENING = 128, SPARE_FILES = 64 };

#define QUIET_NS (300 * NS_PER_MS)
#define SETTLE_LIMIT_NS (120 * NS_PER_S)
#define OPEN_LIMIT_NS (60 * NS_PER_S)

static bool raise_file_limit(size_t files)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= files;
}

bool clients_init(struct clients *clients, const struct options *options, size_t count)
{
    *clients = (struct clients){.options = options, .count = count, .epoll = -1};
    if (!raise_file_limit(count + SPARE_FILES)) {
        fprintf(stderr, "load: the limit of open files is too low for %zu connections\n",
                count);
        return false;
    }
    clients->all = must_allocate(count * sizeof *clients->all);
    memset(clients->all, 0, count * sizeof *clients->all);
    for (size_t i = 0; i < count; i++)
        clients->all[i].protocol = options->protocol;
    if (options->publisher_path != NULL)
        clients->all[0].protocol = options->publisher_protocol;
    clients->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (clients->epoll < 0) {
        perror("load: epoll_create1");
        return false;
    }
    return true;
}

void clients_free(struct clients *clients)
{
    for (size_t i = 0; i < clients->count && clients->all != NULL; i++)
        client_close(clients, &clients->all[i]);
    free(clients->all);
    if (clients->epoll >= 0)
        close(clients->epoll);
}

int clients_turn(struct clients *clients, uint64_t wait_ns)
{
    struct epoll_event events[EVENTS_PER_TURN];
    struct timespec wait = {(time_t)(wait_ns / NS_PER_S), (long)(wait_ns % NS_PER_S)};
    int count = epoll_pwait2(clients->epoll, events, EVENTS_PER_TURN, &wait, NULL);

    for (int i = 0; i < count; i++)
        client_event(clients, events[i].data.ptr);
    return count;
}

void clients_settle(struct clients *clients)
{
    uint64_t limit_ns = now_ns() + SETTLE_LIMIT_NS;

    while (clients_turn(clients, QUIET_NS) != 0 && now_ns() < limit_ns)
        continue;
}

bool clients_open_all(struct clients *clients)
{
    uint64_t limit_ns = now_ns() + OPEN_LIMIT_NS;
    size_t begun = 0;

    while (clients->n_open + clients->n_lost < clients->count && now_ns() < limit_ns) {
        while (begun < clients->count &&
               begun - clients->n_open - clients->n_lost < MAX_OPENING)
            client_connect(clients, &clients->all[begun++]);
        clients_turn(clients, NS_PER_S);
    }
    clients_settle(clients);
    if (clients->n_open < clients->count)
        fprintf(stderr, "load: %zu of %zu connections are open\n", clients->n_open,
                clients->count);
    return clients->n_open == clients->count;
}
