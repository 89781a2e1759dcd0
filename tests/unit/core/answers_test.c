/* answers_test.c: answers to clients' messages and requests: at once, later, from another
 * thread, too late, and after the connection's end. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/connections/connection.h"
#include "support/host.h"
#include "support/suite.h"
#include "support/threads.h"

#define FAILED_BUSY                                                                            \
    "\"data\":{\"code\":\"failed\",\"message\":\"too many messages wait for their answers; "   \
    "send it again later\"}}"

static struct host host;
static struct client ann;
static ws_answer kept;

static void begin(void)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void begin_with(uint32_t max_answers, uint32_t max_waiting)
{
    host_init(&host);
    host.options.max_waiting_answers = max_answers;
    host.options.max_waiting = max_waiting;
    host.options.answer_timeout_ms = 1000;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static void say(const char *json)
{
    client_say(&ann, json);
    host_run(&host);
}

static void answer(const char *json)
{
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, json, strlen(json)), WS_OK);
    host_run(&host);
}

static void pass(uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 100) {
        host.now_ms += 100;
        host_run(&host);
    }
}

/* --- messages -------------------------------------------------------------------------------- */

START_TEST(a_message_with_a_ref_is_acknowledged)
{
    begin();
    say("{\"type\":\"message\",\"room\":\"r\",\"data\":1,\"ref\":\"a\"}");
    client_expect(&ann, "{\"type\":\"ack\",\"ref\":\"a\",\"data\":null}", NULL);
    say("{\"type\":\"message\",\"data\":1}");
    client_expect(&ann, NULL);
    ck_assert_uint_eq(host.answer.connection, 0);
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "1", 1), WS_OK);
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"data\":1}");
    pass(60000);
    client_expect(&ann, NULL);
    end();
}
END_TEST

static void answer_twice(struct host *of, struct client *client, const char *line)
{
    (void)line;
    if (client == NULL || of->answer.connection == 0)
        return;
    ck_assert_int_eq(ws_manager_answer(of->manager, of->answer, "{\"n\":1}", 7), WS_OK);
    ck_assert_int_eq(ws_manager_answer(of->manager, of->answer, "2", 1), WS_ERR_NOT_FOUND);
}

/* The result of the callback does not matter then. */
START_TEST(the_first_answer_during_the_callback_counts)
{
    static const int results[] = {WS_OK, WS_DEFERRED, WS_ERR_FORBIDDEN};

    begin();
    host.hook = answer_twice;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        host.message_result = results[i];
        say("{\"type\":\"message\",\"ref\":7}");
        client_expect(&ann, "{\"type\":\"ack\",\"ref\":7,\"data\":{\"n\":1}}", NULL);
    }
    host.hook = NULL;
    end();
}
END_TEST

START_TEST(an_answer_comes_later)
{
    begin();
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    kept = host.answer;
    say("{\"type\":\"message\",\"ref\":2}");
    client_expect(&ann, NULL);
    answer("[2]");
    client_expect(&ann, "{\"type\":\"ack\",\"ref\":2,\"data\":[2]}", NULL);
    ck_assert_int_eq(ws_manager_answer_error(host.manager, kept, "sold_out", "no \"more\""),
                     WS_OK);
    ck_assert_int_eq(ws_manager_answer(host.manager, kept, "1", 1), WS_OK);
    host_run(&host);
    client_expect(&ann,
                  "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"sold_out\",\"message\":"
                  "\"no \\\"more\\\"\"}}",
                  NULL);
    pass(60000);
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(an_answer_that_comes_later_keeps_its_place)
{
    begin();
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "1", 1), WS_OK);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "\"behind\"", 8), WS_OK);
    host_run(&host);
    client_expect(&ann, "{\"type\":\"ack\",\"ref\":1,\"data\":1}", "\"behind\"", NULL);

    say("{\"type\":\"message\",\"ref\":2}");
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "2", 1), WS_OK);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, NULL), WS_OK);
    host_run(&host);
    client_expect(&ann, "{\"type\":\"ack\",\"ref\":2,\"data\":2}", NULL);
    end();
}
END_TEST

static void emit_at_the_end(struct host *of, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "on_disconnect", 13) == 0)
        emit_number(of, NULL, 7);
}

/* A timer ends a client: there is no memory for its answer. What the end causes does not wait for
 * another turn. */
START_TEST(an_end_by_a_timer_is_reported_in_that_turn)
{
    struct client bob;
    uint64_t deadline_ms;

    begin_with(64, 100);
    client_open(&host, &bob, "bob", "bob");
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    pass(900);
    host.hook = emit_at_the_end;
    while (ann.n_closes == 0) {
        host.now_ms += 100;
        test_memory_fail(&host.memory, 0, false);
        deadline_ms = ws_loop_run(host.loop, host.now_ms);
        ck_assert_uint_gt(deadline_ms, host.now_ms);
    }
    client_expect(&bob, number_message(1, NULL, 7), NULL);
    end();
    client_free(&bob);
}
END_TEST

START_TEST(an_answer_that_does_not_come_is_a_timeout)
{
    begin_with(64, 100);
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    pass(900);
    client_expect(&ann, NULL);
    pass(300);
    client_expect(&ann,
                  "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"timeout\",\"message\":"
                  "\"the application did not answer in time; the message may have been "
                  "carried out\"}}",
                  NULL);
    answer("1");
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(answers_are_checked)
{
    static char long_text[(1 << 20) + 2];

    begin();
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "{", 1), WS_ERR_BAD_JSON);
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "1 2", 3), WS_ERR_BAD_JSON);
    memset(long_text, ' ', sizeof long_text - 1);
    ck_assert_int_eq(
        ws_manager_answer(host.manager, host.answer, long_text, sizeof long_text - 1),
        WS_ERR_TOO_BIG);
    ck_assert_int_eq(ws_manager_answer_error(host.manager, host.answer, "a", long_text),
                     WS_ERR_TOO_BIG);
    ck_assert_int_eq(ws_manager_answer_error(host.manager, host.answer, "", ""),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_answer_error(host.manager, host.answer, "a", "\xff"),
                     WS_ERR_INVALID);
    client_expect(&ann, NULL);
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, NULL, 0), WS_OK);
    host_run(&host);
    client_expect(&ann, "{\"type\":\"ack\",\"ref\":1,\"data\":null}", NULL);
    end();
}
END_TEST

START_TEST(what_waits_is_limited)
{
    struct client bob;

    begin_with(2, 3);
    client_open(&host, &bob, "bob", NULL);
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    say("{\"type\":\"message\",\"ref\":2}");
    client_expect(&ann, NULL);
    host_forget_log(&host);
    say("{\"type\":\"message\",\"ref\":3}");
    client_expect(&ann, "{\"type\":\"error\",\"ref\":3," FAILED_BUSY, NULL);
    host_expect_log(&host, "");
    client_say(&bob, "{\"type\":\"message\",\"ref\":1}");
    client_say(&bob, "{\"type\":\"message\",\"ref\":2}");
    host_run(&host);
    client_expect(&bob, "{\"type\":\"error\",\"ref\":2," FAILED_BUSY, NULL);
    answer("1"); /* one of bob's */
    say("{\"type\":\"message\"}");
    client_expect(&ann, NULL);
    client_lose(&ann);
    host_run(&host);
    client_say(&bob, "{\"type\":\"message\",\"ref\":3}");
    client_say(&bob, "{\"type\":\"message\",\"ref\":4}");
    host_run(&host);
    client_expect(&bob, "{\"type\":\"ack\",\"ref\":1,\"data\":1}", NULL);
    client_free(&bob);
    end();
}
END_TEST

START_TEST(an_answer_after_the_end_finds_nothing)
{
    begin();
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    client_lose(&ann);
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "1", 1), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_answer_error(host.manager, host.answer, "a", NULL),
                     WS_ERR_NOT_FOUND);
    pass(60000);
    end();
}
END_TEST

static void end_it(struct host *of, struct client *client, const char *line)
{
    (void)of;
    if (client != NULL && strncmp(line, "accept_message", 14) == 0)
        client_lose(client);
}

START_TEST(a_connection_may_end_within_the_callback)
{
    static const int results[] = {WS_OK, WS_DEFERRED, WS_ERR_FORBIDDEN};

    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        begin();
        host.hook = end_it;
        host.message_result = results[i];
        say("{\"type\":\"message\",\"ref\":7}");
        client_expect(&ann, NULL);
        ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "1", 1),
                         WS_ERR_NOT_FOUND);
        host.hook = NULL;
        end();
    }
}
END_TEST

START_TEST(a_loop_ends_while_answers_wait)
{
    begin();
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}");
    ck_assert_int_eq(ws_manager_answer(host.manager, host.answer, "1", 1), WS_OK);
    end(); /* with the answer in its inbox */
}
END_TEST

START_TEST(an_idle_connection_holds_nothing_for_answers)
{
    long blocks;

    host_init(&host);
    host.options.max_kept_answers = 0;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    host.message_result = WS_DEFERRED;
    say("{\"type\":\"message\",\"ref\":1}"); /* the loop's table is made */
    answer("1");
    client_free(&ann);
    blocks = host.memory.n_blocks;
    for (int i = 0; i < 100; i++) {
        say("{\"type\":\"message\",\"ref\":1}");
        ck_assert_int_gt(host.memory.n_blocks, blocks);
        answer("1");
    }
    client_free(&ann);
    ck_assert_int_eq(host.memory.n_blocks, blocks);
    if (sizeof(void *) == 8)
        ck_assert_uint_eq(sizeof(struct connection), 88);
    end();
}
END_TEST

/* --- requests -------------------------------------------------------------------------------- */

static int method_result;

static int on_method(ws_manager *manager, const ws_connection_info *connection,
                     const ws_client_message *message, void *user_data)
{
    ck_assert_str_eq(message->type, "request");
    ck_assert_ptr_null(message->room);
    ck_assert_uint_eq(message->answer.connection, connection->id);
    ck_assert_ptr_eq(user_data, &method_result);
    kept = message->answer;
    if (strcmp(message->method, "echo") == 0)
        return ws_manager_answer(manager, message->answer, message->data, message->length);
    return method_result;
}

static void check_method(int result, const char *answered)
{
    method_result = result;
    say("{\"type\":\"request\",\"method\":\"later\",\"ref\":\"x\"}");
    client_expect(&ann, answered, NULL);
}

#define REQUEST_ERROR(code, text)                                                              \
    "{\"type\":\"error\",\"ref\":\"x\",\"data\":{\"code\":\"" code "\",\"message\":\"" text    \
    "\"}}"

START_TEST(requests_are_answered_by_their_method)
{
    begin();
    ck_assert_int_eq(
        ws_manager_register_method(host.manager, "echo", on_method, &method_result), WS_OK);
    ck_assert_int_eq(
        ws_manager_register_method(host.manager, "later", on_method, &method_result), WS_OK);
    ck_assert_int_eq(
        ws_manager_register_method(host.manager, "later", on_method, &method_result),
        WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_register_method(host.manager, "", on_method, NULL),
                     WS_ERR_INVALID);
    say("{\"type\":\"request\",\"method\":\"echo\",\"data\":{\"a\":[1]},\"ref\":1}");
    say("{\"type\":\"request\",\"method\":\"ech\\u006f\"}");
    say("{\"type\":\"request\",\"method\":\"Echo\",\"ref\":2}");
    say("{\"type\":\"request\",\"ref\":3}");
    client_expect(&ann, "{\"type\":\"response\",\"ref\":1,\"data\":{\"a\":[1]}}",
                  "{\"type\":\"response\",\"data\":null}",
                  "{\"type\":\"error\",\"ref\":2,\"data\":{\"code\":\"unknown_method\","
                  "\"message\":\"the method is not registered\"}}",
                  "{\"type\":\"error\",\"ref\":3,\"data\":{\"code\":\"bad_request\","
                  "\"message\":\"\\\"method\\\" must be a string\"}}",
                  NULL);
    check_method(WS_OK, "{\"type\":\"response\",\"ref\":\"x\",\"data\":null}");
    check_method(WS_ERR_FORBIDDEN,
                 REQUEST_ERROR("forbidden", "the application does not allow this request"));
    check_method(WS_ERR_NOT_MEMBER,
                 REQUEST_ERROR("not_member", "the connection is not in that room"));
    check_method(
        WS_ERR_INVALID,
        REQUEST_ERROR("bad_request", "the application rejected the request as invalid"));
    check_method(WS_ERR_LIMIT,
                 REQUEST_ERROR("failed", "the application could not carry out the request"));
    check_method(WS_DEFERRED, NULL);
    ck_assert_int_eq(ws_manager_answer_error(host.manager, kept, "sold_out", NULL), WS_OK);
    host_run(&host);
    client_expect(&ann, REQUEST_ERROR("sold_out", ""), NULL);
    end();
}
END_TEST

START_TEST(the_number_of_methods_is_limited)
{
    char name[32];

    begin();
    for (int i = 0; i < WS_METHODS_MAX; i++) {
        snprintf(name, sizeof name, "m%d", i);
        ck_assert_int_eq(ws_manager_register_method(host.manager, name, on_method, NULL),
                         WS_OK);
    }
    ck_assert_int_eq(ws_manager_register_method(host.manager, "m", on_method, NULL),
                     WS_ERR_LIMIT);
    end();
}
END_TEST

/* --- the application's types ----------------------------------------------------------------- */

static int check_order(ws_manager *manager, const ws_connection_info *connection,
                       const ws_client_message *message, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    ck_assert_uint_eq(message->answer.connection, 0);
    ck_assert_str_eq(message->type, "order");
    if (strcmp(message->data, "3") == 0)
        return WS_DEFERRED;
    return strcmp(message->data, "2") == 0 ? WS_OK : WS_ERR_NOT_MEMBER;
}

START_TEST(the_application_has_types_of_its_own)
{
    begin();
    ck_assert_int_eq(ws_manager_register_message_type(host.manager, "order", check_order, NULL),
                     WS_OK);
    ck_assert_int_eq(ws_manager_register_message_type(host.manager, "note", NULL, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_register_message_type(host.manager, "note", NULL, NULL),
                     WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_register_message_type(host.manager, "ping", NULL, NULL),
                     WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_register_message_type(host.manager, "a\n", NULL, NULL),
                     WS_ERR_INVALID);
    say("{\"type\":\"order\",\"room\":\"r\",\"data\":1,\"ref\":1}");
    say("{\"type\":\"order\",\"room\":\"r\",\"data\":2,\"ref\":2}");
    say("{\"type\":\"order\",\"data\":3}");
    say("{\"type\":\"note\",\"data\":1}");
    client_expect(
        &ann,
        "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"not_member\",\"message\":\"the "
        "connection is not in that room\"}}",
        "{\"type\":\"ack\",\"ref\":2,\"data\":null}",
        "{\"type\":\"error\",\"data\":{\"code\":\"bad_request\",\"message\":\"the application "
        "rejected the message\"}}",
        NULL);
    host_expect_log(&host, "accept_message ann r 2\naccept_message ann - 1\n");
    end();
}
END_TEST

/* --- threads and memory ---------------------------------------------------------------------- */

enum { N_THREADED = 300 };

static _Atomic uint64_t to_answer[N_THREADED];
static ws_conn_id threaded_id;

/* Not that of the host, which is for one thread. */
static int keep_number(ws_manager *manager, const ws_connection_info *connection,
                       const ws_client_message *message, void *user_data)
{
    static int n_kept;

    (void)manager;
    (void)connection;
    (void)user_data;
    atomic_store(&to_answer[n_kept++], message->answer.number);
    return WS_DEFERRED;
}

struct answered {
    unsigned n_accepted;
    int wrong; /* an unexpected result; an assertion that fails is for the test's own thread */
};

static void *answer_all(void *data)
{
    struct answered *answered = data;

    for (int i = 0; i < N_THREADED; i++) {
        uint64_t number;
        int result;

        while ((number = atomic_load(&to_answer[i])) == 0)
            sched_yield();
        result = ws_manager_answer(host.manager, (ws_answer){threaded_id, number}, "1", 1);
        answered->n_accepted += result == WS_OK;
        if (result != WS_OK && result != WS_ERR_NOT_FOUND)
            answered->wrong = result;
    }
    return NULL;
}

/* The connection ends while half of the answers are on their way. */
START_TEST(another_thread_answers_while_the_connection_ends)
{
    pthread_t thread;
    struct answered answered = {0, WS_OK};

    host_init(&host);
    host_with_threads(&host);
    host.options.accept_message = keep_number;
    host.options.max_waiting_answers = N_THREADED;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    threaded_id = ann.id;
    ck_assert_int_eq(pthread_create(&thread, NULL, answer_all, &answered), 0);
    for (int i = 0; i < N_THREADED; i++)
        say("{\"type\":\"message\",\"ref\":1}");
    client_lose(&ann);
    pthread_join(thread, NULL);
    host_run(&host);
    ck_assert_int_eq(answered.wrong, WS_OK);
    ck_assert_uint_le(client_count(&ann), answered.n_accepted);
    end();
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    for (long n = 0;; n++) {
        bool failed;
        int result;

        begin();
        ws_manager_register_method(host.manager, "echo", on_method, &method_result);
        host.message_result = WS_DEFERRED;
        test_memory_fail(&host.memory, n, false);
        result =
            ws_manager_receive(host.manager, ann.id, "{\"type\":\"message\",\"ref\":1}", 26, 1);
        if (result == WS_OK) {
            host_run(&host);
            ws_manager_answer_error(host.manager, host.answer, "a", "b");
            host_run(&host);
            ws_manager_receive(host.manager, ann.id,
                               "{\"type\":\"request\",\"method\":\"echo\"}", 34, 1);
            host_run(&host);
        }
        failed = host.memory.failed;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        if (!failed)
            ck_assert_uint_eq(client_count(&ann), 2);
        end();
        if (!failed)
            break;
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_message_with_a_ref_is_acknowledged,
        the_first_answer_during_the_callback_counts,
        an_answer_comes_later,
        an_answer_that_comes_later_keeps_its_place,
        an_end_by_a_timer_is_reported_in_that_turn,
        an_answer_that_does_not_come_is_a_timeout,
        answers_are_checked,
        what_waits_is_limited,
        an_answer_after_the_end_finds_nothing,
        a_connection_may_end_within_the_callback,
        a_loop_ends_while_answers_wait,
        an_idle_connection_holds_nothing_for_answers,
        requests_are_answered_by_their_method,
        the_number_of_methods_is_limited,
        the_application_has_types_of_its_own,
        another_thread_answers_while_the_connection_ends,
        any_allocation_may_fail,
        NULL,
    };

    return suite_run("answers", tests);
}
