/* handshake_accessors_test.c: what the application reads from a request within
 * accept_handshake, and the user id that it sets. */
#include <string.h>

#include "websocket/host.h"

static struct host host;

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

/* Sends a request that `judge` examines. */
static struct peer *look(int (*judge)(struct host *, struct peer *, ws_handshake *),
                         const char *target, const char *headers)
{
    struct peer *peer = host_peer(&host);
    struct bytes bytes = {0};

    host.judge = judge;
    client_request(&bytes, target, headers);
    peer_send_chunked(peer, &bytes, RANDOM_CHUNKS);
    bytes_free(&bytes);
    ck_assert_int_eq(peer_head(peer), 101);
    return peer;
}

/* --- the target ---------------------------------------------------------------------------- */

static const char *path_wanted;
static const char *query_wanted;

static int see_target(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    ck_assert_ptr_eq(of, peer->host);
    ck_assert_str_eq(ws_handshake_path(handshake), path_wanted);
    ck_assert_str_eq(ws_handshake_query(handshake), query_wanted);
    return WS_OK;
}

static void expect_target(const char *target, const char *path, const char *query)
{
    path_wanted = path;
    query_wanted = query;
    look(see_target, target, "");
}

START_TEST(path_and_query_are_as_sent)
{
    expect_target("/", "/", "");
    expect_target("/a/b%20c", "/a/b%20c", "");
    expect_target("/ws?", "/ws", "");
    expect_target("/ws?a=b&c=%41", "/ws", "a=b&c=%41");
    expect_target("/ws?a=b?c=d", "/ws", "a=b?c=d");
    expect_target("/?u=http://x/", "/", "u=http://x/");
}
END_TEST

START_TEST(rfc9112_3_2_2_the_absolute_form_s_path)
{
    expect_target("http://server.example.com/ws?a=b", "/ws", "a=b");
    expect_target("http://server.example.com", "/", "");
    expect_target("http://server.example.com?a=b", "/", "a=b");
    expect_target("ws://server.example.com:80/x", "/x", "");
}
END_TEST

/* --- query parameters ---------------------------------------------------------------------- */

static const char *name_wanted;
static const char *value_wanted;
static size_t length_wanted;
static int result_wanted;

static int see_parameter(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    static const char untouched[] = "untouched";
    const char *value = untouched;
    const char *again = untouched;
    size_t length = 99;
    int result = ws_handshake_query_parameter(handshake, name_wanted, &value, &length);

    (void)of;
    (void)peer;
    ck_assert_int_eq(result, result_wanted);
    ck_assert_int_eq(ws_handshake_query_parameter(handshake, name_wanted, &again, NULL),
                     result_wanted);
    if (result != WS_OK) {
        ck_assert_ptr_eq(value, untouched);
        return WS_OK;
    }
    ck_assert_uint_eq(length, length_wanted);
    ck_assert_mem_eq(value, value_wanted, length + 1); /* NUL-terminated */
    ck_assert_mem_eq(again, value_wanted, length + 1); /* and the first value is still valid */
    return WS_OK;
}

static void expect_parameter(const char *target, const char *name, const char *value,
                             size_t length)
{
    name_wanted = name;
    value_wanted = value;
    length_wanted = length;
    result_wanted = WS_OK;
    look(see_parameter, target, "");
}

static void expect_no_parameter(const char *target, const char *name, int result)
{
    name_wanted = name;
    result_wanted = result;
    look(see_parameter, target, "");
}

START_TEST(query_parameters_are_decoded)
{
    expect_parameter("/?a=1&b=2", "b", "2", 1);
    expect_parameter("/?a=1&a=2", "a", "1", 1);
    expect_parameter("/?a=x+y%2Bz", "a", "x y+z", 5);
    expect_parameter("/?a=%c3%A4", "a", "\xc3\xa4", 2);
    expect_parameter("/?a=x%00y", "a", "x\0y", 3);
    expect_parameter("/?a=b=c", "a", "b=c", 3);
    expect_parameter("/?a=", "a", "", 0);
    expect_parameter("/?a", "a", "", 0);
    expect_parameter("/?b&a", "a", "", 0);
    expect_parameter("/?&&a=1&", "a", "1", 1);
    expect_parameter("/?%61b=1", "ab", "1", 1);
    expect_parameter("/?c+d=1", "c d", "1", 1);
}
END_TEST

START_TEST(query_parameters_that_are_absent)
{
    expect_no_parameter("/", "a", WS_ERR_NOT_FOUND);
    expect_no_parameter("/?", "a", WS_ERR_NOT_FOUND);
    expect_no_parameter("/?ab=1&A=2", "a", WS_ERR_NOT_FOUND);
    expect_no_parameter("/?b=a=1", "a", WS_ERR_NOT_FOUND);
    expect_no_parameter("/?a%00b=1", "a", WS_ERR_NOT_FOUND);
}
END_TEST

START_TEST(query_parameters_that_are_wrongly_encoded)
{
    expect_no_parameter("/?a=%", "a", WS_ERR_INVALID);
    expect_no_parameter("/?a=%4", "a", WS_ERR_INVALID);
    expect_no_parameter("/?a=%4&b=1", "a", WS_ERR_INVALID);
    expect_no_parameter("/?a=%g0", "a", WS_ERR_INVALID);
    expect_no_parameter("/?a=%0G", "a", WS_ERR_INVALID);
    expect_parameter("/?%zz=0&a=1", "a", "1", 1);
}
END_TEST

/* --- headers ------------------------------------------------------------------------------- */

static int see_headers(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    const char *joined = ws_handshake_header(handshake, "x-many");

    (void)of;
    ck_assert_str_eq(ws_handshake_header(handshake, "hOsT"), "server.example.com");
    ck_assert_str_eq(ws_handshake_header(handshake, "Origin"), "http://a");
    ck_assert_str_eq(joined, "one, two,three, four");
    ck_assert_str_eq(ws_handshake_header(handshake, "X-MANY"), joined);
    ck_assert_str_eq(ws_handshake_header(handshake, "X-Empty"), "");
    ck_assert_str_eq(ws_handshake_header(handshake, "X-Empties"), ", ");
    ck_assert_ptr_null(ws_handshake_header(handshake, "X-None"));
    ck_assert_ptr_null(ws_handshake_header(handshake, ""));
    ck_assert_ptr_eq(ws_handshake_websocket(handshake), peer->websocket);
    ck_assert_ptr_eq(ws_websocket_user_data(ws_handshake_websocket(handshake)), peer);
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
    return WS_OK;
}

START_TEST(rfc9110_5_3_headers_in_any_case_and_joined)
{
    look(see_headers, "/",
         "X-Many: one\r\nORIGIN: http://a\r\nx-mAny: two,three\r\nX-Empty:\r\n"
         "X-Empties:\r\nX-Many: four\r\nX-Empties: \r\n");
}
END_TEST

/* --- the user id --------------------------------------------------------------------------- */

static const char *user;
static int user_result;

static int name_user(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    user_result = ws_handshake_set_user_id(handshake, user);
    return WS_OK;
}

static void expect_welcome(struct peer *peer, const char *user_id)
{
    struct frame frame;
    struct bytes welcome = {0};

    ck_assert(peer_next(peer, &frame));
    bytes_add(&welcome, frame.payload, frame.length);
    ck_assert_msg(strstr((char *)welcome.data, user_id) != NULL, "no %s in %s", user_id,
                  (char *)welcome.data);
    bytes_free(&welcome);
}

START_TEST(the_user_id_is_in_the_welcome_and_receives_events)
{
    struct peer *peer;
    char longest[WS_NAME_MAX + 1];
    ws_event *event;

    user = "ann \"\xc3\xa4\"";
    peer = look(name_user, "/", "");
    ck_assert_int_eq(user_result, WS_OK);
    expect_welcome(peer, "\"user_id\":\"ann \\\"\xc3\xa4\\\"\"");
    ck_assert_int_eq(
        ws_event_new(host.manager, "notification", "{\"message\":\"hi\"}", 16, &event), WS_OK);
    ck_assert_int_eq(ws_manager_send_to_user(host.manager, user, event, NULL, 0), WS_OK);
    ws_event_free(event);
    host_turn(&host);
    peer_expect_type(peer, "notification");

    memset(longest, 'u', WS_NAME_MAX);
    longest[WS_NAME_MAX] = '\0';
    user = longest;
    expect_welcome(look(name_user, "/", ""), longest);
    ck_assert_int_eq(user_result, WS_OK);
}
END_TEST

START_TEST(an_invalid_user_id_is_refused_and_the_client_stays_anonymous)
{
    static const char *const bad[] = {NULL, "", "a\nb", "\xff", "\x7f"};
    char too_long[WS_NAME_MAX + 2];

    memset(too_long, 'u', WS_NAME_MAX + 1);
    too_long[WS_NAME_MAX + 1] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        user = i < sizeof bad / sizeof *bad ? bad[i] : too_long;
        expect_welcome(look(name_user, "/", ""), "\"user_id\":null");
        ck_assert_int_eq(user_result, WS_ERR_INVALID);
    }
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-handshake-accessors");
    TCase *tests = tcase_create("accessors");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, path_and_query_are_as_sent);
    tcase_add_test(tests, rfc9112_3_2_2_the_absolute_form_s_path);
    tcase_add_test(tests, query_parameters_are_decoded);
    tcase_add_test(tests, query_parameters_that_are_absent);
    tcase_add_test(tests, query_parameters_that_are_wrongly_encoded);
    tcase_add_test(tests, rfc9110_5_3_headers_in_any_case_and_joined);
    tcase_add_test(tests, the_user_id_is_in_the_welcome_and_receives_events);
    tcase_add_test(tests, an_invalid_user_id_is_refused_and_the_client_stays_anonymous);
    suite_add_tcase(suite, tests);
    return suite;
}
