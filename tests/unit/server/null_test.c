/* null_test.c: the rule for NULL (types.h), for each pointer of each function that
 * libwsmanager-server exports: where NULL has no meaning the function has no effect, and its
 * result says so. */
#include <ws_manager/server.h>

#include "support/calls.h"
#include "support/suite.h"

#define REFUSES(function, ...) ck_assert_int_eq(CALLED(function)(__VA_ARGS__), WS_ERR_INVALID)
#define IS_NULL(function, ...) ck_assert_ptr_null(CALLED(function)(__VA_ARGS__))
#define IS_ZERO(function, ...) ck_assert_int_eq(CALLED(function)(__VA_ARGS__), 0)
#define HAS_NO_EFFECT(function, ...) CALLED(function)(__VA_ARGS__)

static void check_server(void)
{
    ws_server_stats stats = {.size = sizeof stats};
    ws_server *server;

    HAS_NO_EFFECT(ws_server_options_init_size, NULL, sizeof(ws_server_options));
    ck_assert_int_eq(CALLED(ws_server_check_options)(NULL), WS_OK);
    REFUSES(ws_server_start, NULL, NULL, &server);
    ck_assert_ptr_null(server);
    REFUSES(ws_server_start, ws_manager_default(), NULL, NULL);
    HAS_NO_EFFECT(ws_server_run, NULL);
    HAS_NO_EFFECT(ws_server_drain, NULL);
    HAS_NO_EFFECT(ws_server_stop, NULL);
    HAS_NO_EFFECT(ws_server_free, NULL);
    IS_ZERO(ws_server_is_stopping, NULL);
    IS_NULL(ws_server_url, NULL);
    IS_NULL(ws_server_admin_url, NULL);
    REFUSES(ws_server_reload_certificate, NULL);
    HAS_NO_EFFECT(ws_server_wake, NULL, 0);
    REFUSES(ws_server_get_stats, NULL, &stats);
}

static void check_client(void)
{
    char text[] = "unchanged";

    IS_NULL(ws_server_client_of, NULL);
    REFUSES(ws_server_check_page, NULL);
    IS_NULL(ws_server_client_request, NULL);
    HAS_NO_EFFECT(ws_server_client_address, NULL, text, sizeof text);
    ck_assert_str_eq(text, "unchanged");
    IS_NULL(ws_server_client_scheme, NULL);
    HAS_NO_EFFECT(ws_server_client_set_data, NULL, text);
    IS_NULL(ws_server_client_data, NULL);
    REFUSES(ws_server_client_close, NULL, 1000, NULL);
}

static void check_request(void)
{
    ws_server_response response;
    ws_server_ticket *ticket;
    ws_header header;
    size_t length = 1;
    char text[] = "unchanged";

    HAS_NO_EFFECT(ws_server_response_init_size, NULL, sizeof response);
    ws_server_response_init(&response);
    REFUSES(ws_server_answer, NULL, &response);
    REFUSES(ws_server_defer, NULL, &ticket);
    REFUSES(ws_server_answer_later, NULL, &response);
    IS_NULL(ws_server_request_method, NULL);
    IS_NULL(ws_server_request_target, NULL);
    IS_NULL(ws_server_request_path, NULL);
    IS_NULL(ws_server_request_query, NULL);
    IS_NULL(ws_server_request_header, NULL, "Host");
    REFUSES(ws_server_request_header_at, NULL, 0, &header);
    IS_ZERO(ws_server_request_awaits_body, NULL);
    IS_NULL(ws_server_request_body, NULL, &length);
    ck_assert_uint_eq(length, 0);
    IS_NULL(ws_server_request_scheme, NULL);
    IS_ZERO(ws_server_request_is_admin, NULL);
    HAS_NO_EFFECT(ws_server_request_address, NULL, text, sizeof text);
    ck_assert_str_eq(text, "unchanged");
}

START_TEST(null_is_refused_where_it_means_nothing)
{
    check_server();
    check_client();
    check_request();
    calls_expect_all(VERSION_SCRIPT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {null_is_refused_where_it_means_nothing, NULL};

    return suite_run("server-null", tests);
}
