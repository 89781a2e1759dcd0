/* rooms.c: joining and leaving rooms, and the end of a connection that is in many rooms.
 * Not here: what is sent to rooms (fanout_to_room.c). */
#include <stdio.h>

#include "figures.h"
#include "memory_host.h"

enum {
    N_ROOMS = 1000,      /* in total; also the default limit of a connection */
    ROOMS_OF_EACH = 100, /* while joining and leaving are measured */
    IN_A_TURN = 1000,
    ENDINGS = 20
};

typedef int membership_call(ws_manager *manager, ws_conn_id connection, const char *room);

struct room_name {
    char text[32];
};

static struct room_name room_names[N_ROOMS];

/* Each connection joins or leaves consecutive rooms, beginning with a different one. */
static void change_all(struct memory_host *host, membership_call *change)
{
    for (size_t i = 0; i < host->n_clients * ROOMS_OF_EACH; i++) {
        size_t client = i % host->n_clients;
        size_t room = (client + i / host->n_clients) % N_ROOMS;

        require_ok(change(host->manager, memory_host_id(host, client), room_names[room].text),
                   "entering or leaving a room");
        if (i % IN_A_TURN == IN_A_TURN - 1)
            memory_host_turn(host);
    }
    memory_host_turn(host);
}

static void measure_changes(struct memory_host *host)
{
    double n = (double)host->n_clients * ROOMS_OF_EACH;
    uint64_t start = now_ns();

    change_all(host, ws_manager_join_room);
    print_figure(n / (double)(now_ns() - start) * 1e9, "per_s", "rooms_joins");
    require(ws_manager_is_member(host->manager, memory_host_id(host, 0), room_names[0].text),
            "a connection is in its room");
    start = now_ns();
    change_all(host, ws_manager_leave_room);
    print_figure(n / (double)(now_ns() - start) * 1e9, "per_s", "rooms_leaves");
    require(!ws_manager_is_member(host->manager, memory_host_id(host, 0), room_names[0].text),
            "a connection has left its room");
}

static void enter_all_rooms(struct memory_host *host, size_t client)
{
    for (size_t room = 0; room < N_ROOMS; room++)
        memory_host_join(host, client, room_names[room].text);
    memory_host_turn(host);
    for (size_t room = 0; room < N_ROOMS; room++)
        require(ws_manager_is_member(host->manager, memory_host_id(host, client),
                                     room_names[room].text),
                "a connection is in all rooms");
}

/* The connections end one after the other. With its last member a room is removed. */
static void measure_endings(size_t n_in_rooms, const char *name)
{
    double durations_us[ENDINGS];

    for (size_t i = 0; i < ENDINGS; i++) {
        struct memory_host host;
        uint64_t start;

        memory_host_open(&host, NULL, n_in_rooms);
        memory_host_connect(&host, 0, n_in_rooms, n_in_rooms);
        for (size_t client = 0; client < n_in_rooms; client++)
            enter_all_rooms(&host, client);
        start = now_ns();
        memory_host_eof(&host, 0);
        memory_host_turn(&host);
        durations_us[i] = (double)(now_ns() - start) / 1e3;
        require(host.clients[0].websocket == NULL, "a connection has ended");
        memory_host_close(&host);
    }
    print_figure(median(durations_us, ENDINGS), "us", "rooms_end_of_connection_in_%d_%s",
                 N_ROOMS, name);
}

int main(int argc, char **argv)
{
    struct memory_host host;

    for (size_t i = 0; i < N_ROOMS; i++)
        snprintf(room_names[i].text, sizeof room_names[i].text, "room-%zu", i);
    memory_host_open(&host, NULL, count_argument(argc, argv, 1000));
    memory_host_connect(&host, 0, host.n_clients, IN_A_TURN);
    measure_changes(&host);
    memory_host_close(&host);
    measure_endings(10, "shared");
    measure_endings(1, "of_its_own");
    return 0;
}
