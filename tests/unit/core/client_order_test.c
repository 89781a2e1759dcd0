/* client_order_test.c: the answers to clients are in order with the events, so that the ids in them
 * say which events a client has received. */
#include <stdlib.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann;

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

/* The position in "id":"E.7", wherever it is in the message. */
static int position_of(const char *message)
{
    const char *id = strstr(message, "\"id\":\"E.");

    ck_assert_msg(id != NULL, "no id in %s", message);
    return atoi(id + 8);
}

static bool is_event(const char *message)
{
    return strncmp(message, "{\"id\":", 6) == 0;
}

/* A client that has received position N has received everything for it from 1 to N: every answer's
 * id is at least that of the events before it, and below that of the events after it. Returns the
 * number of answers. */
static size_t check_order(void)
{
    const char *message;
    size_t n_answers = 0;
    int position = 0;

    while ((message = client_next(&ann)) != NULL) {
        int next = position_of(message);

        ck_assert_msg(is_event(message) ? next == position + 1 : next == position,
                      "got %s after position %d", message, position);
        n_answers += !is_event(message);
        position = next;
    }
    return n_answers;
}

START_TEST(answers_and_events_are_in_order_of_their_ids)
{
    begin();
    client_say(&ann, "{\"type\":\"ping\",\"ref\":1}");
    emit_number(&host, NULL, 1);
    client_say(&ann, "{\"type\":\"ping\",\"ref\":2}");
    emit_number(&host, NULL, 2);
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    emit_number(&host, NULL, 3);
    client_say(&ann, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    host_run(&host);
    emit_number(&host, NULL, 4);
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    ck_assert_uint_eq(check_order(), 5);
    end();
}
END_TEST

static void emit_around_a_join(struct host *of, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "authorize_join", 14) == 0)
        emit_number(of, "r", 2);
    else if (strncmp(line, "on_join", 7) == 0)
        emit_number(of, "r", 3);
}

/* A client whose "room_joined" has an id receives every event of that room above it, also when it
 * is the room's first member and the event was sent before the join was carried out. */
static void check_joiner(void)
{
    bool received[5] = {false};
    const char *message;
    int joined = -1;

    host.hook = emit_around_a_join;
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    emit_number(&host, "r", 1);
    host_run(&host);
    emit_number(&host, "r", 4);
    host_run(&host);
    while ((message = client_next(&ann)) != NULL) {
        if (is_event(message))
            received[position_of(message)] = true;
        else
            joined = position_of(message);
    }
    ck_assert_int_ge(joined, 0);
    for (int position = joined + 1; position <= 4; position++)
        ck_assert_msg(received[position], "joined at %d, did not receive %d", joined, position);
}

START_TEST(a_joiner_misses_nothing_above_the_id_of_its_answer)
{
    struct client bob;

    begin();
    check_joiner();
    end();
    begin();
    client_open_in(&host, &bob, "bob", "r");
    check_joiner();
    ck_assert_uint_eq(client_count(&bob), 4);
    end();
    client_free(&bob);
}
END_TEST

START_TEST(messages_before_the_first_turn_wait_for_the_welcome)
{
    host_open(&host);
    ck_assert_int_eq(client_try(&host, &ann, "ann", "user", WS_PROTOCOL_JSON), WS_OK);
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    client_say(&ann, "{\"type\":\"message\",\"room\":\"r\",\"data\":1}");
    client_say(&ann, "{\"type\":\"ping\"}");
    client_expect(&ann, NULL);
    host_run(&host);
    client_expect(
        &ann,
        "{\"type\":\"welcome\",\"data\":{\"connection_id\":\"E-1\",\"user_id\":\"user\","
        "\"id\":\"E.0\",\"ping_interval_ms\":25000}}",
        "{\"type\":\"room_joined\",\"data\":{\"room\":\"r\",\"id\":\"E.0\"}}",
        "{\"type\":\"pong\",\"data\":{\"id\":\"E.0\"}}", NULL);
    host_expect_log(&host, "on_connect ann user\nauthorize_join ann r\non_join ann r success\n"
                           "accept_message ann r 1\n");
    end();
}
END_TEST

static void emit_at_join(struct host *of, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "on_join", 7) == 0)
        emit_number(of, "r", 1);
}

START_TEST(the_answer_comes_before_what_on_join_sends)
{
    begin();
    host.hook = emit_at_join;
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    host_run(&host);
    client_expect(&ann, "{\"type\":\"room_joined\",\"data\":{\"room\":\"r\",\"id\":\"E.0\"}}",
                  number_message(1, "r", 1), NULL);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        answers_and_events_are_in_order_of_their_ids,
        a_joiner_misses_nothing_above_the_id_of_its_answer,
        messages_before_the_first_turn_wait_for_the_welcome,
        the_answer_comes_before_what_on_join_sends,
        NULL,
    };

    return suite_run("client_order", tests);
}
