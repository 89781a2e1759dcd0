/* kept_limits_test.c: how many answers are kept, how long, and in how much memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kept/kept_answers.h"
#include "core/kept/kept_returns.h"
#include "core/kept_host.h"
#include "support/suite.h"

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
    const struct json_slice part = {"\"ref\"", 5};
    const struct kept_digest digest = kept_digest_of(&part, 1);
    struct kept_text text;

    ck_assert_int_eq(kept_answers_begin(kept, answer, user_id, &digest, 0, &text), KEPT_NEW);
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
    bool is_news;

    n_bytes = 0;
    ck_assert(kept_answers_init(&kept, &allocator, secret));
    keep(&kept, (ws_answer){1, 1}, "ann");
    kept_answers_forget(&kept, (ws_answer){1, 1}, &is_news);
    ck_assert_uint_eq(kept.bytes, 0);
    table = n_bytes; /* does not grow */
    keep(&kept, (ws_answer){1, 2}, "ann");
    ck_assert_uint_eq(kept.bytes, n_bytes - table);
    kept_answers_end(&kept, (ws_answer){1, 2}, false, "[1]", 3, &is_news);
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

static const struct client *last_to_receive;

static void note_receiver(struct client *client, const char *message)
{
    (void)message;
    last_to_receive = client;
}

/* What is kept for a client is looked through for each of its messages. */
START_TEST(a_client_pays_for_what_is_kept)
{
    enum { KEPT = 9000, REQUESTS = 7 /* of few answers they are carried out together */ };

    prepare();
    host.options.max_kept_answers = KEPT;
    host.options.max_kept_answer_bytes = 64 << 20;
    host.options.max_kept_bytes = 1 << 30;
    start_counting();
    for (int i = 0; i < KEPT; i++)
        request_number(&first, i);
    client_open(&host, &second, "second", "bob");
    first.on_send = second.on_send = note_receiver;
    for (int i = 0; i < REQUESTS; i++) {
        char text[64];

        snprintf(text, sizeof text, "{\"type\":\"request\",\"method\":\"buy\",\"ref\":\"%d\"}",
                 i);
        client_say(&first, text);
    }
    client_say(&second, "{\"type\":\"ping\"}");
    host_run(&host);
    ck_assert_int_eq(n_calls, KEPT + REQUESTS);
    ck_assert_ptr_eq(last_to_receive, &first);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_oldest_answers_of_a_client_are_forgotten,
        only_what_was_forgotten_is_carried_out_again,
        a_client_has_twice_the_answers_of_a_connection,
        answers_are_limited_in_bytes,
        all_answers_are_limited_in_bytes,
        one_user_does_not_push_out_the_answers_of_others,
        many_answers_expire,
        all_memory_counts,
        a_late_answer_reaches_a_client_that_has_come_back_many_times,
        a_client_may_come_back_many_times,
        a_client_may_come_back_many_times_from_the_same_connection,
        a_client_pays_for_what_is_kept,
        any_allocation_may_fail,
        NULL,
    };

    return suite_run("kept-limits", tests);
}
