/* presence_grace_test.c: many users whose grace time runs, and the limits of presence. Not here:
 * what a grace time is for (presence_test.c, presence_list_test.c). */
#include <stdio.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

enum { SOME = 300 };

static struct host host;
static struct client ann, bob, eve;

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

static void prepare(void)
{
    host_init(&host);
    host_without_callbacks(&host);
    host.options.authorize_presence = authorize;
    host.options.presence_grace_ms = 2000;
    host.options.presence_batch_ms = 64;
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    client_free(&eve);
}

static void pass(uint64_t ms)
{
    for (uint64_t until = host.now_ms + ms; host.now_ms < until;) {
        host.now_ms += 50;
        host_run(&host);
    }
}

static void enter(struct client *client, const char *room)
{
    char json[100];

    snprintf(json, sizeof json, "{\"type\":\"join_room\",\"room\":\"%s\",\"presence\":true}",
             room);
    client_say(client, json);
    host_run(&host);
}

/* Who is lost changes nothing in a room, until the grace time ends. */
START_TEST(rooms_in_which_nothing_has_changed_delay_no_other)
{
    prepare();
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    client_open(&host, &eve, "eve", "eve");
    for (int i = 0; i < SOME; i++) {
        char room[20];

        snprintf(room, sizeof room, "room-%d", i);
        enter(&ann, room);
        ck_assert_int_eq(ws_manager_join_room(host.manager, eve.id, room), WS_OK);
        host_run(&host);
    }
    enter(&ann, "lobby");
    pass(1000);
    client_count(&ann);
    client_lose(&eve);
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "lobby"), WS_OK);
    host_run(&host);
    pass(150); /* a beat */
    ck_assert_uint_eq(client_count(&ann), 1);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        rooms_in_which_nothing_has_changed_delay_no_other,
        NULL,
    };

    return suite_run("presence-grace", tests);
}
