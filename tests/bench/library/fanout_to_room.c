/* fanout_to_room.c: the cost of an event to a room with few members among many connections, from
 * the emit to the last byte taken. Not here: events to everyone (idle.c, reading_pause.c). */
#include <stdio.h>

#include "figures.h"
#include "memory_host.h"

enum { EVENTS = 200, IN_A_TURN = 256 };

static const size_t connections[] = {1000, 10000, 100000};
static const size_t members[] = {1, 10, 100, 1000};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* The members are spread over all connections, as clients that join at random would be. */
static void join(struct memory_host *host, const char *room, size_t n, size_t n_members)
{
    for (size_t i = 0; i < n_members; i++)
        memory_host_join(host, i * (n / n_members), room);
    memory_host_turn(host);
}

static void measure(struct memory_host *host, size_t n, size_t n_members)
{
    double durations_ns[EVENTS];
    uint64_t n_events = host->n_events;
    char room[32];

    snprintf(room, sizeof room, "%zu-of-%zu", n_members, n);
    join(host, room, n, n_members);
    memory_host_route(host, room);
    for (size_t i = 0; i < EVENTS; i++) {
        uint64_t start = now_ns();

        memory_host_emit(host);
        memory_host_turn(host);
        durations_ns[i] = (double)(now_ns() - start);
    }
    /* One more event, not measured, checks who receives it. */
    host->on_output = memory_host_count_events;
    memory_host_emit(host);
    memory_host_turn(host);
    host->on_output = NULL;
    require(host->n_events - n_events == n_members, "the room's members alone get its event");
    print_figure(median(durations_ns, EVENTS), "ns", "room_of_%zu_members_%zu", n, n_members);
}

int main(int argc, char **argv)
{
    size_t most = count_argument(argc, argv, connections[LENGTH(connections) - 1]);
    struct memory_host host;
    size_t open = 0;

    require(most >= connections[0], "there are enough connections for the first figure");
    memory_host_open(&host, NULL, most);
    for (size_t i = 0; i < LENGTH(connections) && connections[i] <= most; i++) {
        memory_host_connect(&host, open, connections[i], IN_A_TURN);
        open = connections[i];
        for (size_t j = 0; j < LENGTH(members); j++)
            measure(&host, open, members[j]);
    }
    memory_host_close(&host);
    return 0;
}
