/* socketio_test.c: clients of Socket.IO that poll: how they connect, what they send and receive,
 * and what they cost. */
#include <stdio.h>
#include <string.h>

#include "polling/client.h"
#include "support/unfinished_crowd.h"

static struct host_options options;
static ws_socketio_options socketio;
static char judged[256];

static int judge(ws_handshake *handshake, void *user_data)
{
    const char *token = ws_handshake_header(handshake, "Authorization");

    (void)user_data;
    ck_assert_ptr_null(ws_handshake_websocket(handshake));
    ck_assert_ptr_null(ws_handshake_host_data(handshake));
    snprintf(judged, sizeof judged, "%s %s %s", ws_handshake_path(handshake),
             ws_handshake_auth(handshake), token != NULL ? token : "-");
    return strstr(ws_handshake_auth(handshake), "bad") == NULL ? WS_OK : WS_ERR_FORBIDDEN;
}

static void answer_event(ws_manager *manager, const ws_connection_info *connection,
                         const ws_socketio_event *event, void *user_data)
{
    ws_socketio_message message;

    (void)user_data;
    ws_socketio_message_init(&message);
    message.name = event->name;
    message.args = event->args;
    message.args_length = event->args_length;
    message.attachments = event->attachments;
    message.n_attachments = event->n_attachments;
    ws_socketio_emit(manager, connection->id, &message);
}

static void setup(void)
{
    polling_options_init(&options, WS_PROTOCOL_SOCKETIO);
    ws_socketio_options_init(&socketio);
    socketio.on_event = answer_event;
    options.endpoint.socketio = &socketio;
    options.endpoint.accept_handshake = judge;
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

/* A session whose client has a socket in "/". */
static void connect_client(int loop)
{
    const struct answer *answer;

    polling_session();
    ck_assert_str_eq(polling_post(loop, "40{\"token\":\"1\"}")->body, "ok");
    answer = polling_poll(loop);
    ck_assert_int_eq(strncmp(answer->body, "40{\"sid\":\"", 10), 0);
}

START_TEST(a_client_connects_a_socket)
{
    struct page *page = host_request(&host, 0, "GET", "/socket.io/?EIO=4&transport=polling",
                                     "Authorization: me\n", NULL);
    char target[256];
    char sid[100];

    page_read(page);
    ck_assert_int_eq(sscanf(page->body, "0{\"sid\":\"%99[^\"]\"", sid), 1);
    page_free(page);
    ck_assert_str_eq(judged, "");
    snprintf(target, sizeof target, "/socket.io/?EIO=4&transport=polling&sid=%s", sid);
    page_free(host_request(&host, _i, "POST", target, NULL, "40{\"token\":\"1\"}"));
    ck_assert_str_eq(judged, "/socket.io/ {\"token\":\"1\"} me");
    ck_assert_uint_eq(host.n_connects, 1);
    judged[0] = '\0';
}
END_TEST

START_TEST(a_refusal_is_a_connect_error)
{
    polling_session();
    ck_assert_str_eq(polling_post(_i, "40{\"token\":\"bad\"}")->body, "ok");
    expect_packets(
        polling_poll(_i),
        "44{\"message\":\"the application refused the client\",\"data\":{\"status\":403}}");
    ck_assert_str_eq(polling_post(_i, "40")->body, "ok");
    ck_assert_uint_eq(host.n_connects, 1);
}
END_TEST

START_TEST(events_go_both_ways)
{
    connect_client(_i);
    ck_assert_str_eq(polling_post(_i, "42[\"a\",1]\x1e"
                                      "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\x1e"
                                      "bAQIDBA==")
                         ->body,
                     "ok");
    expect_packets(polling_poll(0), "42[\"a\",1]\x1e"
                                    "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\x1e"
                                    "bAQIDBA==");
}
END_TEST

static ws_answer waiting;

static int answer_later(ws_manager *manager, const ws_connection_info *connection,
                        const ws_client_message *request, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    waiting = request->answer;
    return WS_DEFERRED;
}

START_TEST(requests_reach_their_methods)
{
    ck_assert_int_eq(ws_manager_register_method(host.manager, "later", answer_later, NULL),
                     WS_OK);
    connect_client(_i);
    ck_assert_str_eq(polling_post(_i, "421[\"later\",7]\x1e"
                                      "42[\"b\",1]")
                         ->body,
                     "ok");
    expect_packets(polling_poll(_i), "42[\"b\",1]");
    ck_assert_int_eq(ws_manager_answer(host.manager, waiting, "[8]", 3), WS_OK);
    host_turn(&host);
    expect_packets(polling_poll(_i), "431[{\"type\":\"response\",\"data\":[8]}]");
}
END_TEST

START_TEST(clients_get_the_events_of_their_rooms)
{
    const struct answer *answer;
    const char *first;

    connect_client(_i);
    ck_assert_str_eq(polling_post(_i, "421[\"join_room\",\"a\"]")->body, "ok");
    answer = polling_poll(_i);
    ck_assert_int_eq(strncmp(answer->body, "431[{\"type\":\"room_joined\"", 24), 0);
    host_emit(&host, "a", 1);
    host_emit(&host, "a", 2);
    host_turn(&host);
    answer = polling_poll(_i);
    first = strstr(answer->body, "\"data\":{\"n\":1}");
    ck_assert_ptr_nonnull(first);
    first = strstr(first, "]\x1e"
                          "42[\"notification\",");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first, "\"data\":{\"n\":2}"));
}
END_TEST

START_TEST(a_client_without_a_socket_is_disconnected)
{
    polling_session();
    host_pass(&host, socketio.connect_timeout_ms + 100);
    expect_packets(polling_poll(0), "2\x1e"
                                    "1");
    expect_error(polling_poll(0), 400, 1);
}
END_TEST

START_TEST(of_sessions_without_a_socket_the_oldest_gives_way)
{
    enum { MOST = 4096 };
    char first[128];
    char second[128];

    strcpy(first, polling_session());
    strcpy(second, polling_session());
    ck_assert_str_eq(polling_exchange(0, "POST", second, "40")->body, "ok");
    for (int i = 1; i < MOST; i++)
        polling_session();
    ck_assert_str_eq(polling_exchange(0, "POST", first, "6")->body, "ok");
    polling_session();
    expect_error(polling_exchange(0, "POST", first, "6"), 400, 1);
    ck_assert_str_eq(polling_exchange(0, "POST", second, "6")->body, "ok");
    ck_assert_str_eq(polling_post(0, "40")->body, "ok");
}
END_TEST

static void open_large(const char *head, char sid[128])
{
    const char *target = "/socket.io/?EIO=4&transport=polling";
    const struct answer *answer =
        polling_answer(host_request(&host, 0, "GET", target, head, NULL));

    ck_assert_int_eq(answer->status, 200);
    strcpy(sid, "&sid=");
    ck_assert_int_eq(sscanf(answer->body, "0{\"sid\":\"%99[^\"]\"", sid + 5), 1);
}

/* Clients that have a session each. A few may be in the same class as another client, by chance. */
static struct {
    char names[4][24];
    char sids[4][128];
} others;

static void open_others(const char *head)
{
    for (int i = 0; i < 4; i++) {
        snprintf(others.names[i], sizeof others.names[i], "192.0.2.%d", i);
        host.client = others.names[i];
        open_large(head, others.sids[i]);
    }
}

static int count_others(void)
{
    int count = 0;

    for (int i = 0; i < 4; i++)
        count += polling_exchange(0, "POST", others.sids[i], "40")->status == 200;
    return count;
}

/* One client does not end the sessions of others, however many it opens. */
START_TEST(the_client_with_most_sessions_without_a_socket_loses_one)
{
    enum { MOST = 4096 };
    char first[128];

    open_others(NULL);
    host.client = "198.51.100.7";
    strcpy(first, polling_session());
    for (int i = 0; i < 2 * MOST; i++)
        polling_session();
    expect_error(polling_exchange(0, "POST", first, "6"), 400, 1);
    ck_assert_str_eq(polling_post(0, "40")->body, "ok");
    ck_assert_int_gt(count_others(), 0);
}
END_TEST

/* Small heads stay, however many large ones there are, and so do those of other clients. */
START_TEST(the_oldest_session_with_a_large_head_loses_it)
{
    enum { MOST = 32 * 1024 * 1024 / 15000 };
    static char head[15001] = "Cookie: ";
    char small[128];
    char first[128];
    char last[128];

    memset(head + strlen(head), 'c', sizeof head - strlen(head) - 2);
    head[sizeof head - 2] = '\n';
    open_others(head);
    host.client = "198.51.100.7";
    strcpy(small, polling_session());
    open_large(head, first);
    for (int i = 0; i < MOST; i++)
        open_large(head, last);
    expect_error(polling_exchange(0, "POST", first, "6"), 400, 1);
    ck_assert_str_eq(polling_exchange(0, "POST", last, "40")->body, "ok");
    ck_assert_str_eq(polling_exchange(0, "POST", small, "40")->body, "ok");
    ck_assert_int_gt(count_others(), 0);
}
END_TEST

START_TEST(many_packets_of_one_payload_are_processed_in_turns)
{
    static char body[200001];
    struct page *page;

    host_close(&host);
    options.endpoint.max_message_bytes = sizeof body;
    host_open(&host, &options);
    connect_client(0);
    for (size_t i = 0; i + 2 < sizeof body; i += 2)
        memcpy(body + i, "6\x1e", 2);
    body[sizeof body - 2] = '\0';
    page = polling_begin_post(0, body);
    ck_assert_uint_le(ws_loop_run(host.loops[0], host.now), host.now); /* more to do */
    ck_assert_int_eq(polling_answer(page)->status, 0);
    host_turn(&host);
    ck_assert_str_eq(polling_answer(page)->body, "ok");
}
END_TEST

/* All clients' have a limit together: the oldest large one ends. */
START_TEST(attachments_that_never_come_are_limited)
{
    static const char end[] = "\",{\"_placeholder\":true,\"num\":0}]";
    char large[951];
    struct page *poll;

    memset(large, 'x', sizeof large - 1);
    memcpy(large, "451-[\"", 6);
    memcpy(large + sizeof large - sizeof end, end, sizeof end);
    connect_client(0);
    ck_assert_str_eq(polling_post(0, large)->body, "ok");
    poll = polling_wait(0);
    unfinished_crowd_begin(host.loops[0]);
    polling_session();
    ck_assert_str_eq(polling_post(0, "40")->body, "ok");
    ck_assert_int_eq(polling_poll(0)->status, 200);
    ck_assert_int_eq(polling_answer(poll)->status, 0);
    ck_assert_str_eq(polling_post(0, large)->body, "ok");
    expect_packets(polling_answer(poll), "1");
    ck_assert_str_eq(polling_post(0, "bYQ==")->body, "ok");
    unfinished_crowd_end(host.loops[0]);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("polling-socketio");
    TCase *tests = tcase_create("socketio");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_client_connects_a_socket, 0, 2);
    tcase_add_loop_test(tests, a_refusal_is_a_connect_error, 0, 2);
    tcase_add_loop_test(tests, events_go_both_ways, 0, 2);
    tcase_add_loop_test(tests, requests_reach_their_methods, 0, 2);
    tcase_add_loop_test(tests, clients_get_the_events_of_their_rooms, 0, 2);
    tcase_add_test(tests, a_client_without_a_socket_is_disconnected);
    tcase_add_test(tests, of_sessions_without_a_socket_the_oldest_gives_way);
    tcase_add_test(tests, the_client_with_most_sessions_without_a_socket_loses_one);
    tcase_add_test(tests, the_oldest_session_with_a_large_head_loses_it);
    tcase_add_test(tests, attachments_that_never_come_are_limited);
    tcase_add_test(tests, many_packets_of_one_payload_are_processed_in_turns);
    suite_add_tcase(suite, tests);
    return suite;
}
