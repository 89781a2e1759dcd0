/* presence_list_test.c: who is in a room: lists, the changes that follow them, states and
 * limits. Not here: user_connected and user_disconnected (presence_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob, eve;
static const char *refused; /* a room whose presence is nobody's business; NULL: none */
static unsigned n_allowed;  /* so many questions more are not refused */

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    if (n_allowed > 0) {
        n_allowed--;
        return WS_OK;
    }
    return refused != NULL && room != NULL && strcmp(room, refused) == 0 ? WS_ERR_FORBIDDEN
                                                                         : WS_OK;
}

static void prepare(void)
{
    refused = NULL;
    n_allowed = 0;
    host_init(&host);
    host_without_callbacks(&host);
    host.options.authorize_presence = authorize;
    host.options.presence_grace_ms = 2000;
    host.options.presence_batch_ms = 64;
}

static void begin(void)
{
    prepare();
    host_start(&host);
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

static void say(struct client *client, const char *json)
{
    client_say(client, json);
    host_run(&host);
}

static void enter(struct client *client)
{
    say(client, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true,\"ref\":1}");
}

#define STAMP ",\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null,\"room\":\"r\"}"
#define LIST(data) "{\"type\":\"presence\",\"data\":" data STAMP
#define CHANGES(data) "{\"type\":\"presence_changed\",\"data\":" data STAMP
#define MEMBER(user, connections, state)                                                       \
    "{\"user_id\":\"" user "\",\"connections\":" connections ",\"state\":" state "}"
#define JOINED "{\"type\":\"room_joined\",\"ref\":1,\"data\":{\"room\":\"r\",\"id\":\"E.0\"}}"

START_TEST(a_client_receives_the_list_and_then_the_changes)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    enter(&ann);
    client_expect(&ann, JOINED,
                  LIST("{\"count\":1,\"members\":[" MEMBER("ann", "1", "null") "]}"), NULL);
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    client_expect(&ann, NULL); /* changes are collected */
    pass(200);
    client_expect(
        &ann,
        CHANGES("{\"joined\":[" MEMBER("bob", "1", "null") "],\"left\":[],\"changed\":[]"
                                                           ",\"count\":2}"),
        NULL);
    ck_assert_uint_eq(client_count(&bob), 1); /* it did not ask for presence */
    say(&bob, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    pass(200);
    client_expect(&ann,
                  CHANGES("{\"joined\":[],\"left\":[{\"user_id\":\"bob\"}],\"changed\":[]"
                          ",\"count\":1}"),
                  NULL);
    /* Who came and left at once was not there. */
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    say(&bob, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    pass(200);
    client_expect(&ann, NULL);
    say(&ann, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    pass(200);
    ck_assert_uint_eq(client_count(&ann), 1);
    end();
}
END_TEST

START_TEST(a_user_is_listed_once_and_until_the_last_connection_is_lost)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    client_open(&host, &eve, "eve", "bob");
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    say(&eve, "{\"type\":\"join_room\",\"room\":\"r\"}");
    say(&ann, "{\"type\":\"presence\",\"room\":\"r\",\"ref\":\"x\"}");
    client_expect(&ann,
                  "{\"type\":\"presence\",\"ref\":\"x\",\"room\":\"r\",\"data\":{\"count\":1,"
                  "\"members\":[" MEMBER("bob", "2", "null") "]}}",
                  NULL);
    enter(&ann);
    pass(200);
    client_count(&ann);
    client_lose(&bob);
    pass(200);
    client_expect(&ann,
                  CHANGES("{\"joined\":[],\"left\":[],\"changed\":[" MEMBER(
                      "bob", "1", "null") "],\"count\":2}"),
                  NULL);
    /* A reconnect within the grace time changes nothing. */
    client_lose(&eve);
    pass(1000);
    client_free(&eve);
    client_open(&host, &eve, "eve", "bob");
    say(&eve, "{\"type\":\"join_room\",\"room\":\"r\"}");
    pass(3000);
    client_expect(&ann, NULL);
    client_lose(&eve);
    pass(3000);
    client_expect(&ann,
                  CHANGES("{\"joined\":[],\"left\":[{\"user_id\":\"bob\"}],\"changed\":[]"
                          ",\"count\":1}"),
                  NULL);
    end();
}
END_TEST

START_TEST(states_are_set_by_clients_and_by_the_application)
{
    char *text;
    char big[1200];

    begin();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    enter(&ann);
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    pass(200);
    client_count(&ann);
    client_count(&bob);
    say(&bob,
        "{\"type\":\"set_state\",\"room\":\"r\",\"data\": { \"a b\" : \"c \\\" d\" , \"e\" :"
        " [ 1 ] },\"ref\":5}");
    client_expect(&bob, "{\"type\":\"ack\",\"ref\":5}", NULL);
    pass(200);
    client_expect(&ann,
                  CHANGES("{\"joined\":[],\"left\":[],\"changed\":[" MEMBER(
                      "bob", "1", "{\"a b\":\"c \\\" d\",\"e\":[1]}") "],\"count\":2}"),
                  NULL);
    ck_assert_int_eq(ws_manager_set_presence_state(host.manager, "r", "bob", "7", 1), WS_OK);
    ck_assert_int_eq(ws_manager_set_presence_state(host.manager, "r", "eve", "7", 1),
                     WS_ERR_NOT_MEMBER);
    ck_assert_int_eq(ws_manager_set_presence_state(host.manager, "r", "bob", "7,", 2),
                     WS_ERR_BAD_JSON);
    ck_assert_int_eq(ws_manager_get_presence(host.manager, "r", &text, NULL), WS_OK);
    ck_assert_ptr_nonnull(strstr(text, MEMBER("bob", "1", "7")));
    ws_manager_free_text(host.manager, text);
    pass(200);
    ck_assert_uint_eq(client_count(&ann), 1);
    /* One that is too long, and one for a room that the client is not in. */
    snprintf(big, sizeof big,
             "{\"type\":\"set_state\",\"room\":\"r\",\"ref\":6,\"data\":\"%01030d\"}", 1);
    say(&bob, big);
    client_expect(
        &bob,
        "{\"type\":\"error\",\"ref\":6,\"data\":{\"code\":\"bad_request\",\"message\":"
        "\"the state is too long\"}}",
        NULL);
    say(&bob, "{\"type\":\"set_state\",\"room\":\"s\",\"data\":1,\"ref\":7}");
    ck_assert_ptr_nonnull(strstr(client_next(&bob), "not_member"));
    /* It is gone with its user. */
    say(&bob, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    ck_assert_int_eq(ws_manager_get_presence(host.manager, "r", &text, NULL), WS_OK);
    ck_assert_ptr_nonnull(strstr(text, MEMBER("bob", "1", "null")));
    ws_manager_free_text(host.manager, text);
    end();
}
END_TEST

static int set_state_of_sender(ws_manager *manager, const ws_connection_info *connection,
                               const ws_client_message *message, void *user_data)
{
    (void)user_data;
    return ws_manager_set_presence_state(manager, "r", connection->user_id, message->data,
                                         message->length);
}

/* Within a turn the loop is not woken: the turn itself asks for the next one. */
START_TEST(a_callback_sets_a_state)
{
    uint64_t deadline_ms;

    prepare();
    host.options.accept_message = set_state_of_sender;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    enter(&ann);
    pass(200);
    client_count(&ann);
    client_say(&ann, "{\"type\":\"message\",\"data\":7}");
    while ((deadline_ms = ws_loop_run(host.loop, host.now_ms)) == host.now_ms)
        continue;
    ck_assert_uint_le(deadline_ms, host.now_ms + 100);
    pass(200);
    client_expect(&ann,
                  CHANGES("{\"joined\":[],\"left\":[],\"changed\":[" MEMBER(
                      "ann", "1", "7") "],\"count\":1}"),
                  NULL);
    end();
}
END_TEST

START_TEST(presence_is_forbidden_without_permission)
{
    begin();
    refused = "r";
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    enter(&ann);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 0);
    say(&ann, "{\"type\":\"presence\",\"room\":\"r\",\"ref\":2}");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    say(&ann, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":1,\"ref\":2}");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    /* Who loses the right receives no changes any more, and stays in the room. */
    refused = NULL;
    enter(&ann);
    ck_assert_uint_eq(client_count(&ann), 2);
    refused = "r";
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    host_run(&host);
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    pass(200);
    client_expect(&ann, NULL);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 1);
    end();

    prepare();
    host.options.authorize_presence = NULL;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    say(&ann, "{\"type\":\"presence\"}");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    end();
}
END_TEST

static void lose_right(ws_manager *manager, const ws_connection_info *connection,
                       const char *room, int result, void *user_data)
{
    (void)result;
    (void)user_data;
    ck_assert_str_eq(room, "r");
    refused = "r";
    ck_assert_int_eq(ws_manager_reauthorize(manager, connection->id), WS_OK);
}

/* The right is taken away before the room is entered, or as soon as it was. */
START_TEST(a_client_that_loses_the_right_does_not_watch)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    refused = "r";
    n_allowed = 1;
    enter(&ann);
    client_expect(&ann, JOINED, NULL);
    pass(200);
    client_expect(&ann, NULL);
    end();

    prepare();
    host.options.on_join = lose_right;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    enter(&ann);
    client_expect(&ann, JOINED,
                  LIST("{\"count\":1,\"members\":[" MEMBER("ann", "1", "null") "]}"), NULL);
    refused = NULL;
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    pass(200);
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(the_whole_service_has_presence_too)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", NULL);
    say(&ann, "{\"type\":\"presence\",\"ref\":1}");
    client_expect(&ann,
                  "{\"type\":\"presence\",\"ref\":1,\"data\":{\"count\":1,\"members\":[" MEMBER(
                      "ann", "1", "null") "]}}",
                  NULL);
    client_open(&host, &eve, "eve", "ann");
    say(&ann, "{\"type\":\"presence\",\"ref\":2}");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), MEMBER("ann", "2", "null")));
    end();
}
END_TEST

/* Above max_presence_list clients receive the count alone, and the list again when the room is
 * small enough. */
START_TEST(of_a_big_room_only_the_count_is_sent)
{
    static struct client crowd[6];
    char name[32];

    prepare();
    host.options.max_presence_list = 4;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    enter(&ann);
    client_count(&ann);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "user %d", i);
        client_open(&host, &crowd[i], name, name);
        say(&crowd[i], "{\"type\":\"join_room\",\"room\":\"r\"}");
    }
    pass(200);
    client_expect(&ann, LIST("{\"count\":7}"), NULL);
    say(&crowd[0], "{\"type\":\"leave_room\",\"room\":\"r\"}");
    pass(200);
    client_expect(&ann, CHANGES("{\"count\":6}"), NULL);
    for (int i = 1; i < 5; i++)
        say(&crowd[i], "{\"type\":\"leave_room\",\"room\":\"r\"}");
    pass(200);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"members\":["));
    client_count(&ann);
    say(&crowd[5], "{\"type\":\"leave_room\",\"room\":\"r\"}");
    pass(200);
    client_expect(&ann,
                  CHANGES("{\"joined\":[],\"left\":[{\"user_id\":\"user 5\"}],\"changed\":[]"
                          ",\"count\":1}"),
                  NULL);
    end();
    for (int i = 0; i < 6; i++)
        client_free(&crowd[i]);
}
END_TEST

/* A turn makes as many lists as their bytes allow. */
START_TEST(a_list_costs_its_bytes)
{
    enum { USERS = 60, SIZE = 1000, ASKED = 100 };
    static struct client users[USERS];
    static char state[SIZE];

    memset(state, '1', SIZE);
    begin();
    for (int i = 0; i < USERS; i++) {
        char name[16];

        snprintf(name, sizeof name, "u%d", i);
        client_open(&host, &users[i], "user", name);
        say(&users[i], "{\"type\":\"join_room\",\"room\":\"r\"}");
        ck_assert_int_eq(ws_manager_set_presence_state(host.manager, "r", name, state, SIZE),
                         WS_OK);
    }
    pass(200);
    client_count(&users[0]);
    for (int i = 0; i < ASKED; i++)
        client_say(&users[0], "{\"type\":\"presence\",\"room\":\"r\"}");
    ws_loop_run(host.loop, host.now_ms);
    ck_assert_uint_le(client_count(&users[0]), 10); /* 64 bytes cost as much as a delivery */
    host_run(&host);
    ck_assert_uint_ge(client_count(&users[0]), ASKED - 10);
    end();
    for (int i = 0; i < USERS; i++)
        client_free(&users[i]);
}
END_TEST

START_TEST(members_are_limited)
{
    prepare();
    host.options.max_presence_members = 1;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    enter(&ann);
    ck_assert_uint_eq(client_count(&ann), 2);
    say(&bob, "{\"type\":\"join_room\",\"room\":\"r\",\"ref\":3}");
    ck_assert_ptr_nonnull(strstr(client_next(&bob), "too_many_rooms"));
    ck_assert_int_eq(ws_manager_is_member(host.manager, bob.id, "r"), 0);
    ck_assert_int_eq(ws_manager_enable_presence(host.manager, NULL), WS_ERR_LIMIT);
    end();
}
END_TEST

/* --- the application's callback ----------------------------------------------------------- */

static char *told;

static void on_presence(ws_manager *manager, const ws_presence_change *change, void *user_data)
{
    char *more;

    (void)manager;
    (void)user_data;
    ck_assert_int_gt(asprintf(&more, "%s%d %s %s %u %s\n", told, change->change,
                              change->room != NULL ? change->room : "-", change->user_id,
                              change->connections, change->state != NULL ? change->state : "-"),
                     0);
    free(told);
    told = more;
}

static int set(const char *user, int length)
{
    char state[1100];

    snprintf(state, sizeof state, "\"%0*d\"", length - 2, 0);
    return ws_manager_set_presence_state(host.manager, "r", user, state, (size_t)length);
}

/* At the limit a state may still be replaced by one that is no longer, and removed. */
START_TEST(states_are_limited)
{
    prepare();
    host.options.max_presence_bytes = 2000;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    enter(&ann);
    enter(&bob);
    ck_assert_int_eq(set("ann", 1000), WS_OK);
    ck_assert_int_eq(set("bob", 1000), WS_ERR_LIMIT);
    ck_assert_int_eq(set("ann", 1000), WS_OK);
    ck_assert_int_eq(set("ann", 999), WS_OK);
    ck_assert_int_eq(ws_manager_set_presence_state(host.manager, "r", "ann", "null", 4), WS_OK);
    ck_assert_int_eq(set("bob", 1000), WS_OK);
    end();
}
END_TEST

START_TEST(the_application_learns_of_changes)
{
    told = strdup("");
    prepare();
    host.options.on_presence = on_presence;
    host_start(&host);
    ck_assert_int_eq(ws_manager_enable_presence(host.manager, "r"), WS_OK);
    client_open(&host, &ann, "ann", "ann");
    say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    pass(200);
    ck_assert_str_eq(told, "0 r ann 1 -\n");
    ck_assert_int_eq(ws_manager_set_presence_state(host.manager, "r", "ann", "[1, 2]", 6),
                     WS_OK);
    pass(200);
    client_lose(&ann);
    pass(3000);
    ck_assert_str_eq(told, "0 r ann 1 -\n2 r ann 1 [1,2]\n1 r ann 0 -\n");
    ck_assert_int_eq(ws_manager_disable_presence(host.manager, "r"), WS_OK);
    end();
    free(told);
}
END_TEST

/* Users who are in the room already when presence begins are reported too. */
START_TEST(presence_may_begin_late)
{
    told = strdup("");
    prepare();
    host.options.on_presence = on_presence;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    ck_assert_int_eq(ws_manager_enable_presence(host.manager, "r"), WS_OK);
    pass(200);
    ck_assert_str_eq(told, "0 r ann 1 -\n");
    client_lose(&ann);
    pass(3000);
    ck_assert_str_eq(told, "0 r ann 1 -\n1 r ann 0 -\n");
    end();
    free(told);
}
END_TEST

/* --- memory ------------------------------------------------------------------------------- */

static void try_to_say(const char *json)
{
    if (bob.n_closes == 0)
        ws_manager_receive(host.manager, bob.id, json, strlen(json), 1);
    host_run(&host);
}

/* Whatever allocation fails, nobody keeps a wrong list, and nothing is left (host_close()). */
START_TEST(each_allocation_may_fail)
{
    bool failed = true;

    for (long n = 0; failed; n++) {
        const char *text;
        char *list;

        begin();
        client_open(&host, &ann, "ann", "ann");
        client_open(&host, &bob, "bob", "bob");
        enter(&ann);
        pass(200);
        client_count(&ann);
        test_memory_fail(&host.memory, n, false);
        try_to_say("{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
        try_to_say("{\"type\":\"set_state\",\"room\":\"r\",\"data\":[1]}");
        pass(200);
        failed = host.memory.failed;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        pass(3000);
        if (ws_manager_is_member(host.manager, bob.id, "r") && ann.n_closes == 0) {
            ck_assert_int_eq(ws_manager_get_presence(host.manager, "r", &list, NULL), WS_OK);
            ck_assert_ptr_nonnull(strstr(list, "\"bob\",\"connections\":1"));
            ws_manager_free_text(host.manager, list);
            text = client_next(&ann);
            ck_assert_ptr_nonnull(text);
            ck_assert_ptr_nonnull(strstr(text, "\"joined\":[{\"user_id\":\"bob\""));
        }
        end();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_client_receives_the_list_and_then_the_changes,
        a_user_is_listed_once_and_until_the_last_connection_is_lost,
        states_are_set_by_clients_and_by_the_application,
        a_callback_sets_a_state,
        presence_is_forbidden_without_permission,
        a_client_that_loses_the_right_does_not_watch,
        the_whole_service_has_presence_too,
        of_a_big_room_only_the_count_is_sent,
        a_list_costs_its_bytes,
        members_are_limited,
        states_are_limited,
        the_application_learns_of_changes,
        presence_may_begin_late,
        each_allocation_may_fail,
        NULL,
    };

    return suite_run("presence_list", tests);
}
