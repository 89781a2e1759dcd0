/* kept_answers_test.c: what a client sends again after it has come back is carried out once and
 * gets the same answer. */
#include "core/kept/kept_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kept/kept_returns.h"
#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client first;
static struct client second;
static struct client third;

static void prepare(void)
{
    host_init(&host);
    first = second = third = (struct client){0};
}

static void start(void)
{
    host_start(&host);
    client_open(&host, &first, "first", "ann");
    host_forget_log(&host);
}

static void begin(void)
{
    prepare();
    start();
}

static void end(void)
{
    host_close(&host);
    client_free(&first);
    client_free(&second);
    client_free(&third);
}

/* Connects a client that was this one before. */
static void come_back(struct client *client, const struct client *former, const char *user_id)
{
    char name[CONNECTION_NAME_SIZE];
    ws_connect_options options;

    *client = (struct client){.host = &host, .name = "again"};
    connection_name_write(host.manager->process, former->id, name);
    client_options(client, &options);
    options.user_id = user_id;
    options.former_connection_id = name;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &client->id), WS_OK);
    host_run(&host);
    client_count(client);
    host_forget_log(&host);
}

static void say(struct client *client, const char *json)
{
    client_say(client, json);
    host_run(&host);
}

static int n_calls;

static int count_up(ws_manager *manager, const ws_connection_info *connection,
                    const ws_client_message *message, void *user_data)
{
    char text[16];

    (void)connection;
    (void)user_data;
    snprintf(text, sizeof text, "%d", ++n_calls);
    return ws_manager_answer(manager, message->answer, text, strlen(text));
}

#define BUY "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":1},\"ref\":\"a\"}"
#define BOUGHT(n) "{\"type\":\"response\",\"ref\":\"a\",\"data\":" #n "}"
#define SAY "{\"type\":\"message\",\"room\":\"r\",\"data\":1,\"ref\":1}"

static void begin_buying(void)
{
    n_calls = 0;
    begin();
    ck_assert_int_eq(ws_manager_register_method(host.manager, "buy", count_up, NULL), WS_OK);
    say(&first, BUY);
    client_expect(&first, BOUGHT(1), NULL);
}

START_TEST(what_is_sent_again_gets_the_same_answer)
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
    "\"message\":\"no answer in time\"}}";

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

/* --- limits ---------------------------------------------------------------------------------- */

static void say_number(struct client *client, int number)
{
    char text[64];

    snprintf(text, sizeof text, "{\"type\":\"message\",\"ref\":%d}", number);
    say(client, text);
}

START_TEST(the_oldest_answers_of_a_client_are_forgotten)
{
    prepare();
    host.options.max_kept_answers = 3;
    start();
    for (int i = 0; i < 5; i++)
        say_number(&first, i);
    client_lose(&first);
    come_back(&second, &first, "ann");
    for (int i = 4; i > 1; i--)
        say_number(&second, i);
    host_expect_log(&host, "");
    say_number(&second, 1);
    host_expect_log(&host, "accept_message again - null\n");
    end();
}
END_TEST

static void request_number(struct client *client, int number)
{
    char text[64];

    snprintf(text, sizeof text, "{\"type\":\"request\",\"method\":\"buy\",\"ref\":%d}", number);
    say(client, text);
}

static void request_numbers(struct client *client, int number, int end)
{
    while (number < end)
        request_number(client, number++);
}

static void start_counting(void)
{
    n_calls = 0;
    start();
    ck_assert_int_eq(ws_manager_register_method(host.manager, "buy", count_up, NULL), WS_OK);
}

/* What is carried out again does not push out what is still to be sent again. */
START_TEST(only_what_was_forgotten_is_carried_out_again)
{
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        int limit;

        prepare();
        if (by_bytes)
            host.options.max_kept_answer_bytes = 2000;
        start_counting();
        limit = (int)host.options.max_kept_answers;
        ck_assert_int_ge(limit, (int)host.options.max_waiting_answers);
        if (by_bytes) {
            uint64_t bytes;

            request_number(&first, 0);
            bytes = host.manager->kept_answers.bytes;
            request_number(&first, 1);
            bytes = host.manager->kept_answers.bytes - bytes;
            limit = (int)(2000 / bytes);
            request_numbers(&first, 2, limit + 1);
        } else {
            request_numbers(&first, 0, limit + 1);
        }
        ck_assert_int_eq(n_calls, limit + 1);
        come_back(&second, &first, "ann");
        request_numbers(&second, 0, limit + 1);
        ck_assert_int_eq(n_calls, limit + 2);
        come_back(&third, &second, "ann");
        request_numbers(&third, 0, limit + 1);
        ck_assert_int_le(n_calls, limit + 3);
        end();
    }
}
END_TEST

START_TEST(a_client_has_twice_the_answers_of_a_connection)
{
    struct client fourth;

    prepare();
    host.options.max_kept_answers = 3;
    start_counting();
    request_numbers(&first, 0, 3);
    come_back(&second, &first, "ann");
    request_numbers(&second, 3, 6);
    come_back(&third, &second, "ann");
    request_number(&third, 6);
    ck_assert_int_eq(n_calls, 7);
    come_back(&fourth, &third, "ann");
    request_numbers(&fourth, 1, 7);
    ck_assert_int_eq(n_calls, 7);
    request_number(&fourth, 0);
    ck_assert_int_eq(n_calls, 8);
    client_free(&fourth);
    end();
}
END_TEST

START_TEST(answers_are_limited_in_bytes)
{
    static char text[600];

    prepare();
    host.options.max_kept_answer_bytes = 700;
    start();
    host.message_result = WS_DEFERRED;
    memset(text, '1', sizeof text);
    for (int i = 0; i < 3; i++) {
        say_number(&first, i);
        ws_manager_answer(host.manager, host.answer, text, i == 0 ? 600 : 300);
        host_run(&host);
        /* The client and its connection take a little more. */
        ck_assert_uint_le(host.manager->kept_answers.bytes, 700 + 128);
    }
    client_lose(&first);
    come_back(&second, &first, "ann");
    say_number(&second, 2);
    host_expect_log(&host, "");
    say_number(&second, 1);
    say_number(&second, 0);
    host_expect_log(&host, "accept_message again - null\naccept_message again - null\n");
    end();
}
END_TEST

START_TEST(all_answers_are_limited_in_bytes)
{
    struct client others[20];

    prepare();
    host.options.max_kept_bytes = 2000;
    start();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        client_open(&host, &others[i], "other", "ann");
        say_number(&others[i], 1);
        ck_assert_uint_le(host.manager->kept_answers.bytes, 2000);
    }
    ck_assert_uint_ge(host.manager->kept_answers.bytes, 1000);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        client_free(&others[i]);
    end();
}
END_TEST

/* Whatever its number of connections. */
START_TEST(one_user_does_not_push_out_the_answers_of_others)
{
    struct client others[60];

    prepare();
    host.options.max_kept_bytes = 16000;
    host.options.max_kept_answer_bytes = 1000;
    start();
    say_number(&first, 1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        client_open(&host, &others[i], "other", "bob");
        say_number(&others[i], 1);
    }
    ck_assert_uint_le(host.manager->kept_answers.bytes, 2000 + 500);
    host_forget_log(&host);
    come_back(&second, &first, "ann");
    say_number(&second, 1);
    host_expect_log(&host, "");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        client_free(&others[i]);
    end();
}
END_TEST

/* One call removes few of them, but none is found any more. */
START_TEST(many_answers_expire)
{
    const struct kept_answers *kept;
    uint64_t before;
    uint64_t each;

    prepare();
    host.options.kept_answers_ms = 1000;
    start();
    kept = &host.manager->kept_answers;
    say_number(&first, 10);
    before = kept->bytes;
    say_number(&first, 11);
    each = kept->bytes - before;
    for (int i = 12; i < 50; i++)
        say_number(&first, i);
    host.now_ms += 1100;
    come_back(&second, &first, "ann");
    before = kept->bytes;
    say_number(&second, 49);
    host_expect_log(&host, "accept_message again - null\n");
    ck_assert_uint_eq(kept->bytes, before - 16 * each + each);
    say_number(&second, 50);
    say_number(&second, 51);
    ck_assert_uint_eq(kept->bytes, before - 40 * each + 3 * each);
    end();
}
END_TEST

/* --- memory ---------------------------------------------------------------------------------- */

enum { SIZE_ROOM = 64 }; /* before each block, for its size */

static uint64_t n_bytes;

static void *sized_malloc(size_t bytes, void *user_data)
{
    char *block = malloc(SIZE_ROOM + bytes);

    (void)user_data;
    ck_assert_ptr_nonnull(block);
    memcpy(block, &bytes, sizeof bytes);
    n_bytes += bytes;
    return block + SIZE_ROOM;
}

static void *sized_realloc(void *block, size_t bytes, void *user_data)
{
    (void)block;
    (void)bytes;
    (void)user_data;
    return NULL;
}

static void sized_free(void *block, void *user_data)
{
    size_t bytes;

    (void)user_data;
    memcpy(&bytes, (char *)block - SIZE_ROOM, sizeof bytes);
    n_bytes -= bytes;
    free((char *)block - SIZE_ROOM);
}

static void keep(struct kept_answers *kept, ws_answer answer, const char *user_id)
{
    const struct kept_question question = {.ref = {"\"ref\"", 5}};
    struct kept_text text;

    ck_assert_int_eq(kept_answers_begin(kept, answer, user_id, &question, 0, &text), KEPT_NEW);
}

static void adopt(struct kept_answers *kept, ws_conn_id former, const char *user_id,
                  ws_conn_id id)
{
    struct kept_member *member;

    ck_assert(kept_answers_prepare(kept, former, user_id, &member));
    ck_assert_ptr_nonnull(member);
    kept_answers_adopt(kept, member, id);
}

START_TEST(all_memory_counts)
{
    static const uint8_t secret[NAME_TABLE_SECRET] = {1};
    const ws_allocator allocator = {.size = sizeof allocator,
                                    .malloc = sized_malloc,
                                    .realloc = sized_realloc,
                                    .free = sized_free};
    struct kept_answers kept = {
        .max_answers = 8, .max_bytes = 1000, .max_total = 10000, .max_age_ms = 1000};
    uint64_t table;

    n_bytes = 0;
    ck_assert(kept_answers_init(&kept, &allocator, secret));
    keep(&kept, (ws_answer){1, 1}, "ann");
    kept_answers_forget(&kept, (ws_answer){1, 1});
    ck_assert_uint_eq(kept.bytes, 0);
    table = n_bytes; /* does not grow */
    keep(&kept, (ws_answer){1, 2}, "ann");
    ck_assert_uint_eq(kept.bytes, n_bytes - table);
    kept_answers_end(&kept, (ws_answer){1, 2}, false, "[1]", 3);
    ck_assert_uint_eq(kept.bytes, n_bytes - table);
    keep(&kept, (ws_answer){2, 3}, "bob");
    for (ws_conn_id id = 3; id < 20; id++) {
        adopt(&kept, 2, "bob", id);
        ck_assert_uint_eq(kept.bytes, n_bytes - table);
    }
    keep(&kept, (ws_answer){20, 4}, "cid");
    kept.max_total = kept.bytes;
    adopt(&kept, 20, "cid", 21); /* in place of ann */
    ck_assert_uint_le(kept.bytes, kept.max_total);
    ck_assert_uint_eq(kept.bytes, n_bytes - table);
    kept_answers_free(&kept);
    ck_assert_uint_eq(n_bytes, 0);
}
END_TEST

/* Only the last connections of a client are remembered. */
/* One that waits for an answer, too, after more connections than are remembered. */
START_TEST(a_late_answer_reaches_a_client_that_has_come_back_many_times)
{
    struct client clients[20];
    ws_answer answer;

    begin();
    host.message_result = WS_DEFERRED;
    say(&first, SAY);
    answer = host.answer;
    client_lose(&first);
    for (int i = 0; i < 20; i++) {
        come_back(&clients[i], i > 0 ? &clients[i - 1] : &first, "ann");
        say(&clients[i], SAY);
        host_expect_log(&host, "");
        if (i < 19)
            client_lose(&clients[i]);
    }
    ck_assert_int_eq(ws_manager_answer(host.manager, answer, "[1]", 3), WS_OK);
    host_run(&host);
    client_expect(&clients[19], "{\"type\":\"ack\",\"ref\":1,\"data\":[1]}", NULL);
    for (int i = 0; i < 20; i++)
        client_free(&clients[i]);
    end();
}
END_TEST

START_TEST(a_client_may_come_back_many_times)
{
    struct client clients[20];

    begin_buying();
    for (int i = 0; i < 20; i++) {
        come_back(&clients[i], i > 0 ? &clients[i - 1] : &first, "ann");
        say(&clients[i], BUY);
        client_expect(&clients[i], BOUGHT(1), NULL);
        client_lose(&clients[i]);
    }
    come_back(&second, &clients[4], "ann");
    say(&second, BUY);
    client_expect(&second, BOUGHT(2), NULL);
    for (int i = 0; i < 20; i++)
        client_free(&clients[i]);
    end();
}
END_TEST

/* It did not learn of any of the connections in between. */
START_TEST(a_client_may_come_back_many_times_from_the_same_connection)
{
    begin_buying();
    client_lose(&first);
    for (int i = 0; i < 20; i++) {
        come_back(&second, &first, "ann");
        client_lose(&second);
        client_free(&second);
    }
    come_back(&second, &first, "ann");
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    end();
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    for (long n = 0;; n++) {
        char name[CONNECTION_NAME_SIZE];
        ws_connect_options options;
        bool failed;
        int result;

        begin_buying();
        connection_name_write(host.manager->process, first.id, name);
        second = (struct client){.host = &host, .name = "again"};
        client_options(&second, &options);
        options.user_id = "ann";
        options.former_connection_id = name;
        test_memory_fail(&host.memory, n, false);
        result = ws_manager_connect(host.manager, host.loop, &options, &second.id);
        host_run(&host);
        if (result == WS_OK) {
            result = ws_manager_receive(host.manager, second.id, BUY, strlen(BUY), 1);
            host_run(&host);
            if (result == WS_OK)
                ws_manager_receive(host.manager, second.id, SAY, strlen(SAY), 1);
            host_run(&host);
        }
        failed = host.memory.failed;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        ck_assert_int_eq(n_calls, 1);
        end();
        if (!failed)
            break;
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_is_sent_again_gets_the_same_answer,
        a_client_may_come_back_from_its_first_connection_twice,
        anything_else_is_carried_out,
        another_user_or_a_new_client_gets_nothing,
        a_client_that_comes_from_another_process,
        nothing_is_kept_for_anonymous_clients,
        what_still_waits_is_not_carried_out_twice,
        one_user_does_not_push_out_the_answers_of_others,
        a_late_answer_reaches_a_client_that_has_come_back_many_times,
        without_a_reconnect_a_ref_may_be_used_again,
        an_answer_that_comes_later_is_given_to_the_new_connection,
        an_answer_after_the_end_is_kept,
        an_answer_that_comes_too_late_is_kept,
        an_answer_that_comes_too_late_from_a_callback_is_kept,
        a_connection_that_its_callback_ends_has_its_answer,
        what_was_refused_may_be_tried_again,
        answers_expire,
        the_oldest_answers_of_a_client_are_forgotten,
        only_what_was_forgotten_is_carried_out_again,
        a_client_has_twice_the_answers_of_a_connection,
        answers_are_limited_in_bytes,
        all_answers_are_limited_in_bytes,
        many_answers_expire,
        all_memory_counts,
        a_client_may_come_back_many_times,
        a_client_may_come_back_many_times_from_the_same_connection,
        any_allocation_may_fail,
        NULL,
    };

    return suite_run("kept-answers", tests);
}
