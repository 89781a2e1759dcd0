/* answers_test.c: answers that the application may give, and those that are refused. That they
 * arrive is tested in server_test.c. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/suite.h"
#include "support/threads.h"

#include "running_server.h"

static atomic_int n_freed;

static void count_freed(void *body)
{
    (void)body;
    atomic_fetch_add(&n_freed, 1);
}

static int a_file(void)
{
    int file = memfd_create("answer", MFD_CLOEXEC);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, 4), 0);
    return file;
}

static bool is_open(int fd)
{
    return lseek(fd, 0, SEEK_CUR) >= 0;
}

/* --- without content ----------------------------------------------------------------- */

/* With the status that the path names. */
static void answer_with_status(ws_server_request *request, void *user_data)
{
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    response.status = atoi(ws_server_request_path(request) + 1);
    if (ws_server_request_query(request)[0] == '\0') {
        response.body = "content";
        response.length = 7;
        response.free_body = count_freed;
    } else {
        response.file = a_file();
        response.file_length = 4;
    }
    ck_assert_int_eq(ws_server_answer(request, &response), WS_OK);
}

START_TEST(an_answer_without_content_ends_with_its_head)
{
    static const char *const targets[] = {"GET /204", "GET /204?file", "GET /304",
                                          "GET /304?file"};

    atomic_store(&n_freed, 0);
    options.on_request = answer_with_status;
    start();
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        ask(targets[i], "");
        ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
        ck_assert_ptr_null(strstr(answer, "Content-Length"));
    }
    ck_assert_int_eq(atomic_load(&n_freed), 2);
    end();
}
END_TEST

/* --- refused ------------------------------------------------------------------------- */

static void answer_both(ws_server_request *request, void *user_data)
{
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    response.body = "content";
    response.length = 7;
    response.free_body = count_freed;
    response.file = a_file();
    response.file_length = 4;
    ck_assert_int_eq(ws_server_answer(request, &response), WS_ERR_INVALID);
    ck_assert(!is_open(response.file));
}

static void answer_with_framing(ws_server_request *request, void *user_data)
{
    static const ws_header headers[] = {
        {"content-length", "3"}, {"Transfer-Encoding", "chunked"}, {"CONNECTION", "close"}};
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    response.headers = &headers[atoi(ws_server_request_path(request) + 1)];
    response.n_headers = 1;
    ck_assert_int_eq(ws_server_answer(request, &response), WS_ERR_INVALID);
}

static void answer_too_much(ws_server_request *request, void *user_data)
{
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    response.length = WS_SERVER_ANSWER_MAX + 1;
    response.body = calloc(1, response.length);
    ck_assert_int_eq(ws_server_answer(request, &response), WS_ERR_TOO_BIG);
    free((void *)(uintptr_t)response.body);
}

/* The struct of a newer version, with something that this one does not know. */
static void answer_newer(ws_server_request *request, void *user_data)
{
    struct {
        ws_server_response known;
        uint64_t unknown;
    } response = {.unknown = 1};

    (void)user_data;
    ws_server_response_init(&response.known);
    response.known.size = sizeof response;
    response.known.free_body = count_freed;
    response.known.file = a_file();
    ck_assert_int_eq(ws_server_answer(request, &response.known), WS_ERR_INVALID);
    ck_assert(!is_open(response.known.file));
}

START_TEST(an_answer_that_is_refused_is_freed)
{
    static const struct {
        ws_server_request_callback *on_request;
        const char *target;
        int n_freed;
    } refused[] = {
        {answer_both, "GET /", 1},          {answer_with_framing, "GET /0", 0},
        {answer_with_framing, "GET /1", 0}, {answer_with_framing, "GET /2", 0},
        {answer_too_much, "GET /", 0},      {answer_newer, "GET /", 1},
    };

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (i > 0)
            running_server_set_up();
        atomic_store(&n_freed, 0);
        options.on_request = refused[i].on_request;
        start();
        ck_assert(begins(ask(refused[i].target, ""), "HTTP/1.1 500 "));
        ck_assert_int_eq(atomic_load(&n_freed), refused[i].n_freed);
        end();
    }
}
END_TEST

/* --- accept_request ------------------------------------------------------------------ */

static int answer_and_accept(ws_server_request *request, void *user_data)
{
    static const ws_header header = {"X-First", "1"};
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    response.headers = &header;
    response.n_headers = 1;
    response.body = "first";
    response.length = 5;
    response.free_body = count_freed;
    ck_assert_int_eq(ws_server_answer(request, &response), WS_OK);
    return WS_OK;
}

static void answer_second(ws_server_request *request, void *user_data)
{
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    response.body = "second";
    response.length = 6;
    ck_assert_int_eq(ws_server_answer(request, &response), WS_OK);
}

START_TEST(an_accepted_request_has_one_answer)
{
    atomic_store(&n_freed, 0);
    options.accept_request = answer_and_accept;
    options.on_request = answer_second;
    start();
    ck_assert(begins(ask("GET /", ""), "HTTP/1.1 200 "));
    ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\nsecond");
    ck_assert_ptr_null(strstr(answer, "X-First"));
    ck_assert_int_eq(atomic_load(&n_freed), 1);
    end();
}
END_TEST

static int refuse(ws_server_request *request, void *user_data)
{
    (void)request;
    (void)user_data;
    return WS_ERR_FORBIDDEN;
}

START_TEST(the_application_decides_who_reads_metrics)
{
    options.accept_request = refuse;
    options.health_path = "/healthz";
    options.metrics_path = "/metrics";
    start();
    ck_assert(begins(ask("GET /healthz", ""), "HTTP/1.1 200 "));
    ck_assert(begins(ask("GET /metrics", ""), "HTTP/1.1 403 "));
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_answer_without_content_ends_with_its_head,
        an_answer_that_is_refused_is_freed,
        an_accepted_request_has_one_answer,
        the_application_decides_who_reads_metrics,
        NULL,
    };

    Suite *suite = suite_create("server-answers");
    TCase *test_case = tcase_create("server-answers");

    tcase_add_checked_fixture(test_case, running_server_set_up, NULL);
    for (size_t i = 0; tests[i] != NULL; i++)
        tcase_add_test(test_case, tests[i]);
    suite_add_tcase(suite, test_case);
    return suite_run_all(suite);
}
