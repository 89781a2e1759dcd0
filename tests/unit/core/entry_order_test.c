/* entry_order_test.c: the order in which a client that enters a room with everything receives
 * it: the answer, who is there, what the room keeps, and then what comes live. Not here: lists
 * and changes (presence_list_test.c), and what rooms keep (last_values_test.c). */
#include <stdio.h>
#include <string.h>

#include <ws_manager/last_values.h>

#include "support/host.h"
#include "support/suite.h"

enum { MANY = 1200 /* values: more than are delivered at once */ };

static struct host host;
static struct client ann, bob, eve;
static void (*meanwhile)(void); /* runs when a client sends a message */

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

static int accept(ws_manager *manager, const ws_connection_info *connection,
                  const ws_client_message *message, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)message;
    (void)user_data;
    meanwhile();
    return WS_OK;
}

static void begin_with(uint32_t history_events)
{
    ws_last_values_options values;
    ws_room_history_options history;

    host_init(&host);
    host_without_callbacks(&host);
    host.options.history_events = history_events;
    host.options.authorize_presence = authorize;
    host.options.accept_message = accept;
    host.options.presence_grace_ms = 0;
    host_start(&host);
    ws_last_values_options_init(&values);
    values.room = "r";
    values.by_key = 1;
    values.max_values = MANY + 1;
    values.max_bytes = 1 << 22;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &values), WS_OK);
    ws_room_history_options_init(&history);
    history.room = "r";
    ck_assert_int_eq(ws_manager_keep_room_history(host.manager, &history), WS_OK);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
}

static void begin(void)
{
    begin_with(10000);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    client_free(&eve);
}

static void emit(int key)
{
    ws_event *event = NULL;
    char text[16];

    snprintf(text, sizeof text, "%d", key);
    ck_assert_int_eq(ws_event_new(host.manager, "order_updated", text, strlen(text), &event),
                     WS_OK);
    ck_assert_int_eq(ws_event_set_key(event, text), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast_to_room(host.manager, "r", event, NULL, 0), WS_OK);
    ws_event_free(event);
}

static void run_for(uint64_t ms)
{
    for (uint64_t until = host.now_ms + ms; host.now_ms < until;) {
        host.now_ms += 50;
        host_run(&host);
    }
}

static void expect_next(struct client *client, const char *part)
{
    const char *text = client_next(client);

    ck_assert_msg(text != NULL && strstr(text, part) != NULL, "expected %s, received %s", part,
                  text != NULL ? text : "nothing");
}

#define ENTER                                                                                  \
    "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true,\"state\":true,\"last\":2}"

/* A client enters, and before that is carried out another one's message does something, which
 * waits in the inbox behind the entry. */
static void enter_before(struct client *entering, struct client *sender, void (*act)(void))
{
    meanwhile = act;
    client_say(entering, ENTER);
    client_say(sender, "{\"type\":\"message\",\"data\":1}");
    host_run(&host);
}

static void emit_another(void)
{
    emit(MANY);
}

START_TEST(the_list_comes_before_what_the_room_keeps)
{
    begin();
    emit(1);
    emit(2);
    enter_before(&ann, &bob, emit_another);
    client_say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    run_for(300);
    expect_next(&ann, "\"room_joined\"");
    expect_next(&ann, "{\"type\":\"presence\"");
    expect_next(&ann, "\"state\":true,");
    expect_next(&ann, "\"state\":true,");
    expect_next(&ann, "\"replayed\":true,");
    expect_next(&ann, "\"replayed\":true,");
    expect_next(&ann, "{\"id\":\"E.3\",\"type\"");
    expect_next(&ann, "{\"type\":\"presence_changed\"");
    client_expect(&ann, NULL);
    end();
}
END_TEST

/* They are delivered over several turns, in which others come and events are emitted. */
static void enter_with_many_values(uint32_t history_events)
{
    begin_with(history_events);
    for (int i = 0; i < MANY; i++)
        emit(i);
    host_run(&host);
    enter_before(&ann, &bob, emit_another);
    expect_next(&ann, "\"room_joined\"");
    expect_next(&ann, "{\"type\":\"presence\"");
    for (int i = 0; i < MANY; i++)
        expect_next(&ann, "\"state\":true,");
    expect_next(&ann, "\"replayed\":true,");
    expect_next(&ann, "\"replayed\":true,");
    expect_next(&ann, "{\"id\":\"E.1201\",\"type\"");
    client_expect(&ann, NULL);
    end();
}

START_TEST(the_list_comes_before_many_values)
{
    enter_with_many_values(10000);
    enter_with_many_values(0);
}
END_TEST

/* --- several loops --------------------------------------------------------------------------- */

static ws_loop *loops[2];

static void run_loop(size_t i, uint64_t ms)
{
    ws_loop *before = host.loop;

    host.loop = loops[i];
    run_for(ms);
    host.loop = before;
}

static void bob_comes_and_goes(void)
{
    client_say(&bob, "{\"type\":\"join_room\",\"room\":\"r\"}");
    run_loop(0, 300);
    client_say(&bob, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    run_loop(0, 50);
}

/* Changes that were on their way to another loop when a client enters there are older than its
 * list: in the end it knows who is there. */
START_TEST(changes_that_are_older_than_the_list_lead_to_it)
{
    struct client ian;

    begin();
    loops[0] = host.loop;
    client_say(&ann, ENTER);
    run_for(300);
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, host.now_ms, &loops[1]), WS_OK);
    host.loop = loops[1];
    client_open(&host, &ian, "ian", "ian");
    client_open(&host, &eve, "eve", "eve");
    client_say(&ian, ENTER);
    host_run(&host);
    run_loop(0, 300);
    host_run(&host);
    enter_before(&eve, &ian, bob_comes_and_goes);
    run_loop(0, 300);
    host_run(&host);
    expect_next(&eve, "\"room_joined\"");
    expect_next(&eve, "\"count\":3,\"members\"");
    expect_next(&eve, "\"joined\":[{\"user_id\":\"bob\"");
    expect_next(&eve, "\"left\":[{\"user_id\":\"bob\"}]");
    client_expect(&eve, NULL);
    host.loop = loops[0];
    ws_loop_free(loops[1]);
    end();
    client_free(&ian);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_list_comes_before_what_the_room_keeps,
        the_list_comes_before_many_values,
        changes_that_are_older_than_the_list_lead_to_it,
        NULL,
    };

    return suite_run("entry_order", tests);
}
