/* start_test.c: what a server refuses to start with. Where it listens is in server_test.c. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/suite.h"
#include "support/threads.h"

#include "running_server.h"

static void expect_refused(int expected)
{
    problem[0] = '\0';
    ck_assert_int_eq(ws_server_start(manager, &options, &server), expected);
    ck_assert_ptr_null(server);
    ck_assert_str_ne(problem, "");
}

START_TEST(an_array_that_is_counted_is_there)
{
    static const char *const nothing[] = {NULL};
    ws_server_options given = options;

    options.n_routes = 1;
    expect_refused(WS_ERR_INVALID);
    options = given;
    options.n_trusted_proxies = 1;
    expect_refused(WS_ERR_INVALID);
    ck_assert_int_eq(ws_server_check_options(&options), WS_ERR_INVALID);
    options.trusted_proxies = nothing;
    expect_refused(WS_ERR_INVALID);
    options = given;
    options.n_origins = 1;
    expect_refused(WS_ERR_INVALID);
    options.origins = nothing;
    expect_refused(WS_ERR_INVALID);
    ws_manager_free(manager);
}
END_TEST

START_TEST(an_endpoint_of_another_manager_is_refused)
{
    ws_server_route route = {.path = "/ws", .kind = WS_SERVER_WEBSOCKET};
    ws_manager *other;

    ck_assert_int_eq(ws_manager_new(NULL, &other), WS_OK);
    ck_assert_int_eq(ws_endpoint_new(other, NULL, &route.endpoint), WS_OK);
    ck_assert_ptr_eq(ws_endpoint_manager(route.endpoint), other);
    options.routes = &route;
    options.n_routes = 1;
    expect_refused(WS_ERR_INVALID);
    ws_endpoint_free(route.endpoint);
    ws_manager_free(other);
    ws_manager_free(manager);
}
END_TEST

START_TEST(a_manager_that_was_drained_is_refused)
{
    ck_assert_int_eq(ws_manager_is_draining(manager), 0);
    start();
    ws_server_free(server);
    ck_assert_int_eq(ws_manager_is_draining(manager), 1);
    expect_refused(WS_ERR_DRAINING);
    ws_manager_free(manager);
}
END_TEST

START_TEST(another_file_at_the_path_of_a_socket_is_kept)
{
    char path[] = "/tmp/server-test-XXXXXX";
    int fd = mkstemp(path);
    char text[80];

    ck_assert_int_ge(fd, 0);
    close(fd);
    snprintf(text, sizeof text, "unix:%s", path);
    options.listen = text;
    expect_refused(WS_ERR_SYSTEM);
    ck_assert_int_eq(unlink(path), 0);
    ws_manager_free(manager);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_array_that_is_counted_is_there,
        an_endpoint_of_another_manager_is_refused,
        a_manager_that_was_drained_is_refused,
        another_file_at_the_path_of_a_socket_is_kept,
        NULL,
    };

    Suite *suite = suite_create("server-start");
    TCase *test_case = tcase_create("server-start");

    tcase_add_checked_fixture(test_case, running_server_set_up, NULL);
    for (size_t i = 0; tests[i] != NULL; i++)
        tcase_add_test(test_case, tests[i]);
    suite_add_tcase(suite, test_case);
    return suite_run_all(suite);
}
