/* reauthorize_test.c: clients that may not be any more in the rooms that they are in.
 * Not here: what they are asked when they enter (client_test.c). */
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann;
static const char *refused; /* rooms whose names begin so */
static bool ends_meanwhile; /* the client is lost while the application is asked */

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    if (ends_meanwhile)
        client_lose(&ann);
    return strncmp(room, refused, strlen(refused)) == 0 ? WS_ERR_FORBIDDEN : WS_OK;
}

static void begin(void)
{
    refused = "staff:";
    ends_meanwhile = false;
    host_init(&host);
    host.options.authorize_join = authorize;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static void join(const char *room)
{
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, room), WS_OK);
    host_run(&host);
    host_forget_log(&host);
}

static void reauthorize(void)
{
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    host_run(&host);
}

#define LEFT(room) "{\"type\":\"room_left\",\"data\":{\"room\":\"" room "\",\"id\":\"E.0\"}}"

START_TEST(only_what_is_refused_is_left)
{
    static const char *const rooms[] = {"staff:a", "orders", "staff:b", "user:ann", "staff:c"};

    begin();
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        join(rooms[i]);
    refused = "nothing";
    reauthorize();
    host_expect_log(&host, "");
    client_expect(&ann, NULL);
    refused = "staff:";
    reauthorize();
    host_expect_log(&host, "on_leave ann staff:c success\n"
                           "on_leave ann staff:b success\n"
                           "on_leave ann staff:a success\n");
    client_expect(&ann, LEFT("staff:c"), LEFT("staff:b"), LEFT("staff:a"), NULL);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, rooms[i]),
                         i == 1 || i == 3);
    end();
}
END_TEST

/* Joins before it are judged, events after it are not received. */
START_TEST(it_has_its_place_in_the_order)
{
    begin();
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "staff:a"), WS_OK);
    emit_number(&host, "staff:a", 1);
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    emit_number(&host, "staff:a", 2);
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "staff:a"), 0);
    ck_assert_uint_eq(ann.n_messages, 3); /* the welcome, the first event, room_left */
    end();
}
END_TEST

/* The room's name must outlive its last member. */
START_TEST(the_application_may_end_it_meanwhile)
{
    begin();
    join("staff:a");
    join("staff:b");
    ends_meanwhile = true;
    reauthorize();
    host_expect_log(&host, "on_disconnect ann ann 1006 connection lost\n");
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(who_is_unknown_or_has_no_rooms)
{
    ws_conn_id stale;

    begin();
    reauthorize();
    client_expect(&ann, NULL);
    stale = ann.id;
    client_lose(&ann);
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, stale), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_reauthorize(NULL, stale), WS_ERR_INVALID);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        only_what_is_refused_is_left,
        it_has_its_place_in_the_order,
        the_application_may_end_it_meanwhile,
        who_is_unknown_or_has_no_rooms,
        NULL,
    };

    return suite_run("reauthorize", tests);
}
