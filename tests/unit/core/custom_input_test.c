/* custom_input_test.c: input from the application's own transports is bounded, and carried out in
 * order with the events. Not here: WebSockets (websocket/input_test.c). */
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/clients/builtin_messages.h"
#include "core/connections/connection.h"
#include "core/costs.h"
#include "core/loop_state.h"
#include "support/crowd.h"
#include "support/suite.h"

static struct host host;
static struct client ann;

static const char ping[] = "{\"type\":\"ping\"}";

static void begin(void)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static int say(const char *text)
{
    return ws_manager_receive(host.manager, ann.id, text, strlen(text), 1);
}

/* Hands in messages until one is refused; returns how many were accepted. */
static unsigned say_while_taken(const char *text)
{
    unsigned count = 0;
    int result;

    while ((result = say(text)) == WS_OK)
        count++;
    ck_assert_int_eq(result, WS_ERR_BACKPRESSURE);
    return count;
}

START_TEST(pending_input_is_bounded_by_number)
{
    begin();
    ck_assert_uint_eq(say_while_taken(ping), 256);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 256);
    ck_assert_uint_eq(say_while_taken(ping), 256);
    end();
}
END_TEST

START_TEST(pending_input_is_bounded_by_bytes)
{
    char big[5000];

    begin();
    memset(big, ' ', sizeof big);
    memcpy(big, ping, sizeof ping - 1);
    big[sizeof big - 1] = '\0';
    ck_assert_uint_eq(say_while_taken(big), 4);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 4);
    end();
}
END_TEST

static unsigned resumed;

static int take(ws_message *message, void *transport_data)
{
    (void)message;
    (void)transport_data;
    return WS_OK;
}

static void be_closed(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    (void)code;
    (void)reason;
    (void)length;
    (void)transport_data;
}

static void be_resumed(void *transport_data)
{
    (void)transport_data;
    resumed++;
    ck_assert_int_eq(say(ping), WS_OK);
}

START_TEST(resume_is_called_when_there_is_room_again)
{
    static const ws_transport transport = {
        .size = sizeof transport, .send = take, .close = be_closed, .resume = be_resumed};
    ws_connect_options options;

    host_open(&host);
    ann = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.transport = &transport;
    resumed = 0;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(say(ping), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(resumed, 0);
    say_while_taken(ping);
    host_run(&host);
    ck_assert_uint_eq(resumed, 1);
    ck_assert_int_eq(ws_manager_transport_closed(host.manager, ann.id, 1000, NULL), WS_OK);
    host_close(&host);
}
END_TEST

static void be_closed_for_good(uint16_t code, const char *reason, size_t length,
                               void *transport_data)
{
    be_closed(code, reason, length, transport_data);
    resumed = 100;
}

/* `resume` is not called: the transport may have been freed in close(). */
START_TEST(resume_is_not_called_after_the_end)
{
    static const ws_transport transport = {.size = sizeof transport,
                                           .send = take,
                                           .close = be_closed_for_good,
                                           .resume = be_resumed};
    ws_connect_options options;

    host_open(&host);
    ann = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.transport = &transport;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    host_run(&host);
    say_while_taken(ping);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, NULL), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(resumed, 100);
    host_close(&host);
}
END_TEST

START_TEST(pending_input_is_dropped_with_the_connection)
{
    begin();
    say_while_taken(ping);
    client_lose(&ann);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 0);
    host_expect_log(&host, "on_disconnect ann ann 1006 connection lost\n");
    end();
}
END_TEST

/* --- rooms ----------------------------------------------------------------------------------- */

enum { N_EVENTS = 24 };

static int position_of(const char *message)
{
    const char *id = strstr(message, "\"id\":\"E.");

    ck_assert_msg(id != NULL, "no id: %s", message);
    return atoi(id + 8);
}

/* Between its room_joined and its room_left a client receives every event of the room, and none
 * before and after, whatever else the loop has to do. */
static void expect_events_between(void)
{
    const char *message;
    bool got[N_EVENTS + 1] = {false};
    int joined = -1;
    int left = -1;

    while ((message = client_next(&ann)) != NULL) {
        if (strstr(message, "\"room_joined\"") != NULL) {
            joined = position_of(message);
        } else if (strstr(message, "\"room_left\"") != NULL) {
            left = position_of(message);
        } else if (strstr(message, "\"room\":\"r\"") != NULL) {
            ck_assert_msg(joined >= 0 && left < 0, "received outside of its membership: %s",
                          message);
            got[position_of(message)] = true;
        }
    }
    ck_assert_int_ge(joined, 0);
    ck_assert_int_ge(left, joined);
    for (int i = 1; i <= N_EVENTS; i++)
        ck_assert_msg(got[i] == (i > joined && i <= left), "event %d, a member from %d to %d",
                      i, joined, left);
}

/* The room has far more members than a turn reaches: the loop is in the middle of deliveries, and
 * has further ones to make, when the client joins and leaves. */
static void join_and_leave_within(unsigned first, unsigned last)
{
    struct crowd crowd;
    struct client *client = &ann;

    crowd_open(&crowd, 5000);
    crowd_connect_all(&crowd, "r");
    *client = (struct client){0};
    ck_assert_int_eq(client_try(&crowd.host, client, "ann", NULL, WS_PROTOCOL_JSON), WS_OK);
    host_run(&crowd.host);
    client_count(client);
    for (unsigned i = 1; i <= N_EVENTS; i++) {
        if (i == first)
            client_say(client, "{\"type\":\"join_room\",\"room\":\"r\"}");
        if (i == last)
            client_say(client, "{\"type\":\"leave_room\",\"room\":\"r\"}");
        emit_number(&crowd.host, "r", (int)i);
        if (last % 3 != 0 || i % 5 == 0)
            ws_loop_run(crowd.host.loop, crowd.host.now_ms);
    }
    host_run(&crowd.host);
    expect_events_between();
    crowd_close(&crowd);
    client_free(client);
}

START_TEST(joins_and_leaves_are_in_order_with_the_events_of_a_busy_loop)
{
    for (unsigned i = 0; i < 12; i++)
        join_and_leave_within(4 + i % 4, 8 + i);
}
END_TEST

/* --- effects of clients' input --------------------------------------------------------------- */

enum { MEMBERS = 200 };

static unsigned relayed;

static void relay(struct host *of, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "accept_message", 14) != 0)
        return;
    relayed++;
    emit_number(of, "r", (int)relayed);
}

static unsigned on_account;

static void look_at_account(struct host *of, struct client *client, const char *line)
{
    (void)of;
    (void)client;
    (void)line;
    on_account += account_is_client();
}

/* Also what callbacks send when a client connects, joins a room, leaves it and disconnects. */
START_TEST(sends_from_callbacks_are_charged_to_the_client)
{
    host_open(&host);
    host.hook = look_at_account;
    on_account = 0;
    client_open(&host, &ann, "ann", "ann");
    say("{\"type\":\"join_room\",\"room\":\"r\"}");
    say("{\"type\":\"leave_room\",\"room\":\"r\"}");
    host_run(&host);
    host_expect_log(&host, "on_connect ann ann\nauthorize_join ann r\non_join ann r success\n"
                           "on_leave ann r success\n");
    ck_assert_uint_eq(on_account, 4);
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "s"), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(on_account, 4);
    ck_assert(!account_is_client());
    end();
}
END_TEST

static bool has_got(const struct client *client, const char *text)
{
    for (size_t i = client->n_messages; i > 0; i--)
        if (strstr(client->messages[i - 1], text) != NULL)
            return true;
    return false;
}

/* A message that is relayed to a room costs one delivery for each member: the messages after it
 * wait until these deliveries are made, so that an event of the application waits for two turns'
 * worth of them and not for all. */
START_TEST(relayed_messages_cost_their_recipients)
{
    static struct client members[MEMBERS];

    begin();
    for (unsigned i = 0; i < MEMBERS; i++)
        client_open_in(&host, &members[i], "member", "r");
    host.hook = relay;
    relayed = 0;
    ck_assert_uint_eq(say_while_taken("{\"type\":\"message\",\"room\":\"r\"}"), 256);
    ws_loop_run(host.loop, host.now_ms);
    ck_assert_uint_gt(relayed, 0);
    ck_assert_uint_le(relayed, 2 * 16384 / MEMBERS);
    emit_number(&host, "r", 1000);
    for (int turn = 0; turn < 4; turn++)
        ws_loop_run(host.loop, host.now_ms);
    ck_assert(has_got(&members[0], "\"n\":1000"));
    end();
    for (unsigned i = 0; i < MEMBERS; i++)
        client_free(&members[i]);
}
END_TEST

static uint32_t cost_of(const char *text)
{
    struct connection *connection;
    char copy[5000];

    manager_lock(host.manager);
    connection = connection_find(host.manager, ann.id);
    manager_unlock(host.manager);
    return client_handle(connection, strcpy(copy, text), strlen(text), true);
}

START_TEST(the_values_of_a_message_cost_beside_its_bytes)
{
    enum { VALUES = 1600 };
    char text[2 * VALUES + 64] = "{\"type\":\"ping\",\"x\":[0";
    uint32_t dense;

    begin();
    for (int i = 1; i < VALUES; i++)
        strcat(text, ",0");
    dense = cost_of(strcat(text, "]}"));
    memset(strchr(text, '['), ' ', strlen("[0,0"));
    memset(strstr(text, ",0,"), '0', 2 * VALUES - 4);
    *strstr(text, "00") = '"';
    *strchr(text, ']') = '"';
    ck_assert_uint_eq(dense, cost_of(text) + VALUES / INPUT_TOKENS_PER_UNIT);
    end();
}
END_TEST

/* The others have more than a turn's work: a client with a debt has to wait. */
START_TEST(work_prepared_between_turns_is_not_charged_to_a_client)
{
    enum { OTHERS = 4 };
    struct client others[OTHERS];

    begin();
    for (size_t i = 0; i < OTHERS; i++)
        client_open(&host, &others[i], "other", NULL);
    say(ping);
    say(ping);
    for (size_t i = 0; i < OTHERS; i++)
        while (ws_manager_receive(host.manager, others[i].id, ping, strlen(ping), 1) == WS_OK)
            ;
    host.loop->preparing = 65536;
    ck_assert_uint_eq(ws_loop_run(host.loop, host.now_ms), host.now_ms);
    ck_assert_uint_eq(client_count(&ann), 2);
    end();
    for (size_t i = 0; i < OTHERS; i++)
        client_free(&others[i]);
}
END_TEST

static unsigned visits;

static uint32_t wait_for_a_command(ws_loop *loop, struct input *input)
{
    visits++;
    input_list_add(&loop->inputs, input);
    return 0;
}

/* Many rounds pass until a client has paid for its debt: connections that wait for a command are
 * not visited in each of them. */
START_TEST(waiting_connections_are_visited_within_the_budget)
{
    static struct input waiting[1000];
    struct input debtor = {.credit = -65536, .serve = wait_for_a_command};

    begin();
    input_list_add(&host.loop->inputs, &debtor);
    for (size_t i = 0; i < 1000; i++) {
        waiting[i].serve = wait_for_a_command;
        input_list_add(&host.loop->inputs, &waiting[i]);
    }
    visits = 0;
    ck_assert_uint_eq(ws_loop_run(host.loop, host.now_ms), host.now_ms);
    ck_assert_uint_ge(visits, 1000);
    ck_assert_uint_le(visits, 8192);
    input_list_remove(&host.loop->inputs, &debtor);
    for (size_t i = 0; i < 1000; i++)
        input_list_remove(&host.loop->inputs, &waiting[i]);
    end();
}
END_TEST

static uint64_t n_received(ws_manager *manager)
{
    static const char name[] = "\"received_messages\":";
    uint64_t count;
    char *text;

    ck_assert_int_eq(ws_manager_get_stats(manager, &text, NULL), WS_OK);
    count = strtoull(strstr(text, name) + sizeof name - 1, NULL, 10);
    ws_manager_free_text(manager, text);
    return count;
}

/* Who sends one message waits for few of each of the others, of which there are more than a
 * turn can serve. */
START_TEST(the_more_clients_send_the_less_of_each_is_done_in_a_round)
{
    enum { SENDERS = 2000, OF_EACH = 64, MOST_OF_EACH = 10 };
    struct crowd crowd;

    crowd_open(&crowd, SENDERS);
    crowd_connect_all(&crowd, NULL);
    client_open(&crowd.host, &ann, "ann", NULL);
    for (int i = 0; i < SENDERS; i++)
        for (int j = 0; j < OF_EACH; j++)
            ck_assert_int_eq(ws_manager_receive(crowd.host.manager, crowd.members[i].id, ping,
                                                sizeof ping - 1, 1),
                             WS_OK);
    client_count(&ann);
    client_say(&ann, ping);
    do
        ws_loop_run(crowd.host.loop, crowd.host.now_ms);
    while (client_count(&ann) == 0);
    ck_assert_uint_lt(n_received(crowd.host.manager), SENDERS * MOST_OF_EACH);
    crowd_close(&crowd);
    client_free(&ann);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        pending_input_is_bounded_by_number,
        pending_input_is_bounded_by_bytes,
        resume_is_called_when_there_is_room_again,
        resume_is_not_called_after_the_end,
        pending_input_is_dropped_with_the_connection,
        joins_and_leaves_are_in_order_with_the_events_of_a_busy_loop,
        sends_from_callbacks_are_charged_to_the_client,
        relayed_messages_cost_their_recipients,
        the_values_of_a_message_cost_beside_its_bytes,
        work_prepared_between_turns_is_not_charged_to_a_client,
        waiting_connections_are_visited_within_the_budget,
        the_more_clients_send_the_less_of_each_is_done_in_a_round,
        NULL,
    };

    return suite_run("custom_input", tests);
}
