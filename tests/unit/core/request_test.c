/* request_test.c: ws_manager_request(): each request is settled exactly once: by the client's
 * response, in time or not, and by the connection's end. Not here: sockets of Socket.IO
 * (websocket/socketio_messages_test.c). */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"
#include "support/threads.h"

static struct host host;
static struct client ann;

/* What on_response received. */
static struct {
    int n;
    int result;
    char data[64];
    char code[64];
    char message[64];
    ws_conn_id connection;
    bool asks_again;
    bool loses;
} got;

static ws_request request_of(const char *method, const char *data);

static void on_response(ws_manager *manager, ws_conn_id connection, const ws_response *response,
                        void *user_data)
{
    ck_assert_ptr_eq(manager, host.manager);
    ck_assert_ptr_eq(user_data, &got);
    ck_assert_uint_eq(response->size, sizeof *response);
    got.n++;
    got.result = response->result;
    got.connection = connection;
    snprintf(got.data, sizeof got.data, "%s", response->data != NULL ? response->data : "-");
    ck_assert_uint_eq(response->length, response->data != NULL ? strlen(response->data) : 0);
    snprintf(got.code, sizeof got.code, "%s",
             response->error_code != NULL ? response->error_code : "-");
    snprintf(got.message, sizeof got.message, "%s",
             response->error_message != NULL ? response->error_message : "-");
    if (got.asks_again) {
        ws_request request = request_of("again", NULL);

        ck_assert_int_eq(ws_manager_request(manager, connection, &request), WS_ERR_NOT_FOUND);
    }
    if (got.loses) {
        got.loses = false; /* the end settles the other request */
        client_lose(&ann);
    }
}

static ws_request request_of(const char *method, const char *data)
{
    ws_request request;

    ws_request_init(&request);
    request.method = method;
    request.data = data;
    request.length = data != NULL ? strlen(data) : 0;
    request.timeout_ms = 1000;
    request.on_response = on_response;
    request.user_data = &got;
    return request;
}

static void ask(const char *method, const char *data)
{
    ws_request request = request_of(method, data);

    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_OK);
    host_run(&host);
}

static void begin_with(uint32_t max_requests, uint32_t max_waiting)
{
    memset(&got, 0, sizeof got);
    host_init(&host);
    host.options.max_waiting_requests = max_requests;
    host.options.max_waiting = max_waiting;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void begin(void)
{
    begin_with(64, 1000);
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

static void expect(int n, int result, const char *data, const char *code, const char *message)
{
    ck_assert_int_eq(got.n, n);
    ck_assert_int_eq(got.result, result);
    ck_assert_str_eq(got.data, data);
    ck_assert_str_eq(got.code, code);
    ck_assert_str_eq(got.message, message);
}

static void pass(uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 100) {
        host.now_ms += 100;
        host_run(&host);
    }
}

START_TEST(a_client_responds)
{
    begin();
    ask("total", "{\"a\":1}");
    ask("a \"b\"", NULL);
    client_expect(
        &ann, "{\"type\":\"request\",\"ref\":\"1\",\"method\":\"total\",\"data\":{\"a\":1}}",
        "{\"type\":\"request\",\"ref\":\"2\",\"method\":\"a \\\"b\\\"\",\"data\":null}", NULL);
    say("{\"type\":\"response\",\"ref\":\"2\",\"data\":[7]}");
    expect(1, WS_OK, "[7]", "-", "-");
    ck_assert_uint_eq(got.connection, ann.id);
    say("{\"type\":\"response\",\"ref\":\"2\",\"data\":8}"); /* once */
    ck_assert_int_eq(got.n, 1);
    say("{\"type\":\"response\",\"error\":null,\"ref\":\"1\"}");
    expect(2, WS_OK, "null", "-", "-");
    pass(60000);
    ck_assert_int_eq(got.n, 2);
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(a_client_responds_with_an_error)
{
    begin();
    for (int i = 0; i < 3; i++)
        ask("m", NULL);
    client_count(&ann);
    say("{\"type\":\"response\",\"ref\":\"1\",\"data\":1,"
        "\"error\":{\"message\":\"n\\u006f\",\"code\":\"busy\"}}");
    expect(1, WS_ERR_FAILED, "-", "busy", "no");
    say("{\"type\":\"response\",\"ref\":\"2\",\"error\":{\"code\":7}}");
    expect(2, WS_ERR_FAILED, "-", "", "");
    say("{\"type\":\"response\",\"ref\":\"3\",\"error\":true}");
    expect(3, WS_ERR_FAILED, "-", "", "");
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(unexpected_responses_are_ignored)
{
    static const char *const refs[] = {"7",  "\"0\"", "\"\"", "\"1a\"",
                                       "-1", "\"2\"", "1e0",  "\"99999999999999999999\""};
    char text[128];

    begin();
    ask("m", NULL);
    client_count(&ann);
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
        snprintf(text, sizeof text, "{\"type\":\"response\",\"ref\":%s}", refs[i]);
        say(text);
    }
    ck_assert_int_eq(got.n, 0);
    client_expect(&ann, NULL);
    say("{\"type\":\"response\",\"data\":1}");
    client_expect(&ann,
                  "{\"type\":\"error\",\"data\":{\"code\":\"bad_request\",\"message\":\"a "
                  "response must have a \\\"ref\\\"\"}}",
                  NULL);
    end();
    expect(1, WS_ERR_CLOSED, "-", "-", "-");
}
END_TEST

START_TEST(a_response_to_another_client_is_not_taken)
{
    struct client bob;

    begin();
    client_open(&host, &bob, "bob", NULL);
    ask("m", NULL);
    client_say(&bob, "{\"type\":\"response\",\"ref\":\"1\",\"data\":1}");
    host_run(&host);
    ck_assert_int_eq(got.n, 0);
    end();
    client_free(&bob);
}
END_TEST

START_TEST(a_request_has_a_time_limit)
{
    begin();
    ask("m", NULL);
    pass(900);
    ck_assert_int_eq(got.n, 0);
    pass(300);
    expect(1, WS_ERR_TIMEOUT, "-", "-", "-");
    say("{\"type\":\"response\",\"ref\":\"1\"}");
    ck_assert_int_eq(got.n, 1);
    end();
}
END_TEST

START_TEST(a_request_ends_with_its_connection)
{
    begin();
    got.asks_again = true;
    ask("m", NULL);
    ask("m", NULL);
    client_lose(&ann);
    ck_assert_int_eq(got.n, 2);
    ck_assert_int_eq(got.result, WS_ERR_CLOSED);
    end();
    ck_assert_int_eq(got.n, 2);
}
END_TEST

START_TEST(a_request_ends_with_its_loop)
{
    ws_request request = request_of("m", NULL);

    begin();
    ask("m", NULL);
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_OK);
    end(); /* with one in the inbox */
    ck_assert_int_eq(got.n, 2);
    ck_assert_int_eq(got.result, WS_ERR_CLOSED);
}
END_TEST

START_TEST(a_request_to_a_connection_that_ends_first_is_settled)
{
    ws_request request = request_of("m", NULL);

    begin();
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_OK);
    client_lose(&ann);
    host_run(&host);
    expect(1, WS_ERR_CLOSED, "-", "-", "-");
    end();
}
END_TEST

START_TEST(a_connection_may_end_when_its_client_responds)
{
    begin();
    got.loses = true;
    ask("m", NULL);
    ask("m", NULL);
    client_say(&ann, "{\"type\":\"response\",\"ref\":\"1\"}");
    client_say(&ann, "{\"type\":\"response\",\"ref\":\"2\"}");
    host_run(&host);
    ck_assert_int_eq(got.n, 2);
    end();
}
END_TEST

START_TEST(what_waits_is_limited)
{
    struct client bob;
    ws_request request = request_of("m", NULL);

    begin_with(2, 3);
    client_open(&host, &bob, "bob", NULL);
    ask("m", NULL);
    ask("m", NULL);
    ck_assert_int_eq(got.n, 0);
    ask("m", NULL);
    expect(1, WS_ERR_LIMIT, "-", "-", "-");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ws_manager_request(host.manager, bob.id, &request), WS_OK);
    host_run(&host);
    ck_assert_int_eq(got.n, 2);
    client_lose(&bob);
    ck_assert_int_eq(got.n, 3);
    client_free(&bob);
    end();
}
END_TEST

START_TEST(requests_are_checked)
{
    static const char *const bad[] = {"", "{", "1 2"};
    ws_request request = request_of("m", NULL);

    begin();
    request.method = "a\n";
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_ERR_INVALID);
    request = request_of("m", NULL);
    request.timeout_ms = 0;
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_ERR_INVALID);
    request.timeout_ms = 24 * 3600 * 1000 + 1;
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_ERR_INVALID);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        request = request_of("m", bad[i]);
        ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_ERR_BAD_JSON);
    }
    request.length = (1 << 20) + 1;
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_ERR_TOO_BIG);
    request = request_of("m", NULL);
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id + 1, &request), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(got.n, 0);
    end();
}
END_TEST

START_TEST(a_raw_connection_cannot_be_asked)
{
    ws_request request = request_of("m", NULL);
    struct client raw;

    begin();
    ck_assert_int_eq(client_try(&host, &raw, "raw", NULL, WS_PROTOCOL_RAW), WS_OK);
    host_run(&host);
    ck_assert_int_eq(ws_manager_request(host.manager, raw.id, &request), WS_ERR_FORBIDDEN);
    client_free(&raw);
    end();
}
END_TEST

/* --- threads and memory ---------------------------------------------------------------------- */

enum { N_THREADED = 200 };

static int n_settled;

static void count(ws_manager *manager, ws_conn_id connection, const ws_response *response,
                  void *user_data)
{
    (void)manager;
    (void)connection;
    (void)response;
    (void)user_data;
    n_settled++;
}

static void *ask_all(void *data)
{
    int *accepted = data;
    ws_request request = request_of("m", NULL);

    request.on_response = count;
    for (int i = 0; i < N_THREADED; i++) {
        int result = ws_manager_request(host.manager, ann.id, &request);

        ck_assert(result == WS_OK || result == WS_ERR_NOT_FOUND);
        *accepted += result == WS_OK;
    }
    return NULL;
}

START_TEST(another_thread_asks_while_the_connection_ends)
{
    pthread_t thread;
    int accepted = 0;

    n_settled = 0;
    host_init(&host);
    host_with_threads(&host);
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_all, &accepted), 0);
    for (size_t i = 0; i < 3; i++)
        host_run(&host);
    client_lose(&ann);
    pthread_join(thread, NULL);
    host_run(&host);
    ck_assert_int_eq(n_settled, accepted);
    end();
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    static const char failure[] = "{\"type\":\"response\",\"ref\":\"1\",\"error\":"
                                  "{\"code\":\"a\",\"message\":\"b\"}}";

    for (long n = 0;; n++) {
        ws_request request = request_of("m", "[1]");
        bool failed;
        int accepted;

        begin();
        test_memory_fail(&host.memory, n, false);
        accepted = ws_manager_request(host.manager, ann.id, &request) == WS_OK;
        host_run(&host);
        ws_manager_receive(host.manager, ann.id, failure, strlen(failure), 1);
        host_run(&host);
        failed = host.memory.failed;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        if (!failed)
            expect(1, WS_ERR_FAILED, "-", "a", "b");
        end();
        ck_assert_int_eq(got.n, accepted);
        if (!failed)
            break;
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_client_responds,
        a_client_responds_with_an_error,
        unexpected_responses_are_ignored,
        a_response_to_another_client_is_not_taken,
        a_request_has_a_time_limit,
        a_request_ends_with_its_connection,
        a_request_ends_with_its_loop,
        a_request_to_a_connection_that_ends_first_is_settled,
        a_connection_may_end_when_its_client_responds,
        what_waits_is_limited,
        requests_are_checked,
        a_raw_connection_cannot_be_asked,
        another_thread_asks_while_the_connection_ends,
        any_allocation_may_fail,
        NULL,
    };

    return suite_run("request", tests);
}
