/* kept_answers_test.c: what a client sends again after it has come back is carried out once and
 * gets the same answer. Not here: how much is kept (kept_limits_test.c). */
#include <string.h>

#include "core/kept_host.h"
#include "support/suite.h"

START_TEST(a_repeated_message_gets_the_kept_answer)
{
    begin_buying();
    come_back(&second, &first, "ann"); /* while the former connection has not ended yet */
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    client_lose(&first);
    client_lose(&second);
    come_back(&third, &second, "ann");
    say(&third, BUY);
    client_expect(&third, BOUGHT(1), NULL);
    say(&third, BUY); /* sent twice on purpose: it has its answer */
    client_expect(&third, BOUGHT(2), NULL);
    end();
}
END_TEST

/* It did not learn that the second connection was one, so it names the first. */
START_TEST(a_client_may_come_back_from_its_first_connection_twice)
{
    begin_buying();
    client_lose(&first);
    come_back(&second, &first, "ann");
    say(&second, "{\"type\":\"request\",\"method\":\"buy\",\"ref\":\"b\"}");
    client_expect(&second, "{\"type\":\"response\",\"ref\":\"b\",\"data\":2}", NULL);
    client_lose(&second);
    come_back(&third, &first, "ann");
    say(&third, "{\"type\":\"request\",\"method\":\"buy\",\"ref\":\"b\"}");
    say(&third, BUY);
    client_expect(&third, "{\"type\":\"response\",\"ref\":\"b\",\"data\":2}", BOUGHT(1), NULL);
    end();
}
END_TEST

START_TEST(anything_else_is_carried_out)
{
    static const char *const others[] = {
        "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":1},\"ref\":\"b\"}",
        "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":2},\"ref\":\"a\"}",
        "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":1}}",
    };

    begin_buying();
    client_lose(&first);
    come_back(&second, &first, "ann");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        say(&second, others[i]);
        ck_assert_int_eq(n_calls, 2 + (int)i);
    }
    say(&second, BUY);
    ck_assert_int_eq(n_calls, 4);
    end();
}
END_TEST

START_TEST(another_user_or_a_new_client_gets_nothing)
{
    begin_buying();
    come_back(&second, &first, "bob");
    say(&second, BUY);
    client_expect(&second, BOUGHT(2), NULL);
    client_open(&host, &third, "third", "ann");
    say(&third, BUY);
    client_expect(&third, BOUGHT(3), NULL);
    end();
}
END_TEST

/* Others learn the ids of connections, and an id is all that an anonymous client has. */
/* Its number is that of a connection here. What it has sent there is not known here. */
START_TEST(a_client_that_comes_from_another_process)
{
    char name[CONNECTION_NAME_SIZE];
    ws_connect_options options;

    begin_buying();
    second = (struct client){.host = &host, .name = "again"};
    connection_name_write("otherother", first.id, name);
    client_options(&second, &options);
    options.user_id = "ann";
    options.former_connection_id = name;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &second.id), WS_OK);
    host_run(&host);
    client_count(&second);
    say(&second, BUY);
    client_expect(&second, BOUGHT(2), NULL);
    end();
}
END_TEST

START_TEST(nothing_is_kept_for_anonymous_clients)
{
    struct client anonymous;
    ws_answer answer;

    begin();
    ck_assert_int_eq(ws_manager_register_method(host.manager, "buy", count_up, NULL), WS_OK);
    n_calls = 0;
    client_open(&host, &anonymous, "anonymous", NULL);
    say(&anonymous, BUY);
    client_expect(&anonymous, BOUGHT(1), NULL);
    host.message_result = WS_DEFERRED;
    say(&anonymous, SAY);
    answer = host.answer;
    ck_assert_uint_eq(host.manager->kept_answers.bytes, 0);
    come_back(&second, &anonymous, NULL);
    say(&second, BUY);
    client_expect(&second, BOUGHT(2), NULL);
    say(&second, SAY);
    ck_assert_int_eq(ws_manager_answer(host.manager, answer, "[1]", 3), WS_OK);
    host_run(&host);
    client_expect(&anonymous, "{\"type\":\"ack\",\"ref\":1,\"data\":[1]}", NULL);
    client_expect(&second, NULL);
    come_back(&third, &second, "ann");
    say(&third, BUY);
    client_expect(&third, BOUGHT(3), NULL);
    client_free(&anonymous);
    end();
}
END_TEST

/* A client comes back to another loop, sends a message again, and only then does the loop of its
 * former connection process it. Nothing else was kept for the client. */
static void come_back_to_another_loop(const char *user_id, bool is_lost, int n_expected)
{
    struct client *former = is_lost ? &first : &third;
    char name[CONNECTION_NAME_SIZE];
    ws_connect_options options;
    ws_loop *loop;

    begin();
    client_open(&host, &third, "third", "ann");
    n_calls = 0;
    ck_assert_int_eq(ws_manager_register_method(host.manager, "buy", count_up, NULL), WS_OK);
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, host.now_ms, &loop), WS_OK);
    client_say(&first, BUY);
    connection_name_write(host.manager->process, former->id, name);
    second = (struct client){.host = &host, .name = "again"};
    client_options(&second, &options);
    options.user_id = user_id;
    options.former_connection_id = name;
    ck_assert_int_eq(ws_manager_connect(host.manager, loop, &options, &second.id), WS_OK);
    ws_loop_run(loop, host.now_ms);
    client_count(&second);
    client_say(&second, BUY);
    ws_loop_run(loop, host.now_ms);
    client_expect(&second, BOUGHT(1), NULL);
    host_run(&host);
    ck_assert_int_eq(n_calls, n_expected);
    if (n_expected == 1)
        client_expect(&first, BOUGHT(1), NULL);
    client_lose(&first);
    client_lose(&third);
    client_lose(&second);
    ws_loop_free(loop);
    end();
}

START_TEST(what_still_waits_is_not_carried_out_twice)
{
    come_back_to_another_loop("ann", true, 1);
    come_back_to_another_loop("bob", true, 2);
    come_back_to_another_loop("ann", false, 2); /* from another client's connection */
    /* What is known of a client ends with its connections. */
    begin();
    come_back(&second, &first, "ann");
    ck_assert_uint_gt(host.manager->kept_answers.bytes, 0);
    client_lose(&first);
    ck_assert_uint_eq(host.manager->kept_answers.bytes, 0);
    end();
}
END_TEST

START_TEST(without_a_reconnect_a_ref_may_be_used_again)
{
    begin_buying();
    say(&first, BUY);
    client_expect(&first, BOUGHT(2), NULL);
    end();
}
END_TEST

START_TEST(an_answer_that_comes_later_is_given_to_the_new_connection)
{
    ws_answer answer;

    begin();
    host.message_result = WS_DEFERRED;
    say(&first, SAY);
    answer = host.answer;
    client_lose(&first);
    come_back(&second, &first, "ann");
    say(&second, SAY);
    host_expect_log(&host, "");
    ck_assert_int_eq(ws_manager_answer(host.manager, answer, "[1]", 3), WS_OK);
    host_run(&host);
    client_expect(&second, "{\"type\":\"ack\",\"ref\":1,\"data\":[1]}", NULL);
    come_back(&third, &second, "ann");
    say(&third, SAY);
    client_expect(&third, "{\"type\":\"ack\",\"ref\":1,\"data\":[1]}", NULL);
    end();
}
END_TEST

START_TEST(an_answer_after_the_end_is_kept)
{
    ws_answer answer;

    begin();
    host.message_result = WS_DEFERRED;
    say(&first, SAY);
    answer = host.answer;
    ck_assert_int_eq(ws_manager_answer_error(host.manager, answer, "sold_out", NULL), WS_OK);
    client_lose(&first); /* before the answer has arrived */
    come_back(&second, &first, "ann");
    say(&second, SAY);
    client_expect(&second,
                  "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"sold_out\",\"message\":"
                  "\"\"}}",
                  NULL);
    end();
}
END_TEST

static const char timeout_answer[] =
    "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"timeout\","
    "\"message\":\"the application did not answer in time; the message may have been carried "
    "out\"}}";

static void begin_with_short_timeout(void)
{
    prepare();
    host.options.answer_timeout_ms = 1000;
    start();
}

static void pass_answer_timeout(void)
{
    host.now_ms += 1300; /* the granularity of timers included */
    host_run(&host);
}

/* A timeout is not the answer: what the application says later is. */
START_TEST(an_answer_that_comes_too_late_is_kept)
{
    ws_answer answer;

    for (int is_again = 0; is_again < 2; is_again++) {
        begin_with_short_timeout();
        host.message_result = WS_DEFERRED;
        say(&first, SAY);
        answer = host.answer;
        pass_answer_timeout();
        client_expect(&first, timeout_answer, NULL);
        come_back(&second, &first, "ann");
        if (is_again) { /* and waits in vain too */
            say(&second, SAY);
            pass_answer_timeout();
            client_expect(&second, timeout_answer, NULL);
        }
        ws_manager_answer(host.manager, answer, "[1]", 3);
        host_run(&host);
        client_expect(&first, NULL);
        client_expect(&second, NULL);
        come_back(&third, &second, "ann");
        host_forget_log(&host);
        say(is_again ? &third : &second, SAY);
        host_expect_log(&host, "");
        client_expect(is_again ? &third : &second, "{\"type\":\"ack\",\"ref\":1,\"data\":[1]}",
                      NULL);
        end();
    }
}
END_TEST

static ws_answer deferred;

/* The application answers, from within a call on the loop's thread. */
static void answer_deferred(struct host *of, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "accept_message", 14) == 0)
        ws_manager_answer(of->manager, deferred, "[1]", 3);
}

START_TEST(an_answer_that_comes_too_late_from_a_callback_is_kept)
{
    begin_with_short_timeout();
    host.message_result = WS_DEFERRED;
    say(&first, SAY);
    deferred = host.answer;
    pass_answer_timeout();
    client_expect(&first, timeout_answer, NULL);
    host.hook = answer_deferred;
    say(&first, "{\"type\":\"message\",\"ref\":2}");
    host.hook = NULL;
    come_back(&second, &first, "ann");
    say(&second, SAY);
    client_expect(&second, "{\"type\":\"ack\",\"ref\":1,\"data\":[1]}", NULL);
    end();
}
END_TEST

static void lose(struct host *of, struct client *client, const char *line)
{
    (void)of;
    if (client != NULL && strncmp(line, "accept_message", 14) == 0)
        client_lose(client);
}

START_TEST(a_connection_that_its_callback_ends_has_its_answer)
{
    begin();
    host.hook = lose;
    say(&first, SAY);
    host.hook = NULL;
    come_back(&second, &first, "ann");
    say(&second, SAY);
    host_expect_log(&host, "");
    client_expect(&second, "{\"type\":\"ack\",\"ref\":1,\"data\":null}", NULL);
    end();
}
END_TEST

START_TEST(what_was_refused_may_be_tried_again)
{
    begin();
    host.message_result = WS_ERR_BACKPRESSURE;
    say(&first, SAY);
    client_lose(&first);
    come_back(&second, &first, "ann");
    host.message_result = WS_OK;
    say(&second, SAY);
    client_expect(&second, "{\"type\":\"ack\",\"ref\":1,\"data\":null}", NULL);
    end();
}
END_TEST

START_TEST(answers_expire)
{
    prepare();
    host.options.kept_answers_ms = 1000;
    start();
    say(&first, SAY);
    client_lose(&first);
    host.now_ms += 900;
    come_back(&second, &first, "ann");
    host.now_ms += 200;
    say(&second, SAY);
    host_expect_log(&host, "accept_message again r 1\n");
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_repeated_message_gets_the_kept_answer,
        a_client_may_come_back_from_its_first_connection_twice,
        anything_else_is_carried_out,
        another_user_or_a_new_client_gets_nothing,
        a_client_that_comes_from_another_process,
        nothing_is_kept_for_anonymous_clients,
        what_still_waits_is_not_carried_out_twice,
        without_a_reconnect_a_ref_may_be_used_again,
        an_answer_that_comes_later_is_given_to_the_new_connection,
        an_answer_after_the_end_is_kept,
        an_answer_that_comes_too_late_is_kept,
        an_answer_that_comes_too_late_from_a_callback_is_kept,
        a_connection_that_its_callback_ends_has_its_answer,
        what_was_refused_may_be_tried_again,
        answers_expire,
        NULL,
    };

    return suite_run("kept-answers", tests);
}
