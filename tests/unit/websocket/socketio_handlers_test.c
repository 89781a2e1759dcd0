/* socketio_handlers_test.c: events of clients of Socket.IO that the handlers of all protocols take:
 * messages, requests, and those of registered types and methods. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "websocket/socketio_host.h"

static struct host_options options;
static ws_answer waiting; /* of the last request for "later" */

static struct {
    char type[32];
    char room[32];
    char data[64];
    unsigned count;
} taken; /* by accept_message */

static int take_message(ws_manager *manager, const ws_connection_info *connection,
                        const ws_client_message *message, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    ck_assert_uint_eq(strlen(message->data), message->length);
    snprintf(taken.type, sizeof taken.type, "%s", message->type);
    snprintf(taken.room, sizeof taken.room, "%s", message->room != NULL ? message->room : "-");
    snprintf(taken.data, sizeof taken.data, "%s", message->data);
    taken.count++;
    return strcmp(message->data, "\"bad\"") == 0 ? WS_ERR_FORBIDDEN : WS_OK;
}

static int echo(ws_manager *manager, const ws_connection_info *connection,
                const ws_client_message *request, void *user_data)
{
    (void)connection;
    (void)user_data;
    return ws_manager_answer(manager, request->answer, request->data, request->length);
}

static int answer_later(ws_manager *manager, const ws_connection_info *connection,
                        const ws_client_message *request, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    waiting = request->answer;
    return WS_DEFERRED;
}

static void open_host(bool has_on_event)
{
    static ws_socketio_options socketio;

    socketio_options_init(&options);
    socketio = *options.endpoint.socketio;
    if (!has_on_event)
        socketio.on_event = NULL;
    options.endpoint.socketio = &socketio;
    options.manager.accept_message = take_message;
    options.manager.answer_timeout_ms = 5000;
    options.manager.max_waiting_answers = 2;
    socketio_open(&options);
    ck_assert_int_eq(ws_manager_register_method(host.manager, "echo", echo, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_register_method(host.manager, "later", answer_later, NULL),
                     WS_OK);
    ck_assert_int_eq(ws_manager_register_message_type(host.manager, "typing", NULL, NULL),
                     WS_OK);
    memset(&taken, 0, sizeof taken);
}

static void setup(void)
{
    open_host(false);
}

static void teardown(void)
{
    socketio_close();
}

#define EXPECT_TAKEN(name, in, what)                                                           \
    do {                                                                                       \
        ck_assert_str_eq(taken.type, name);                                                    \
        ck_assert_str_eq(taken.room, in);                                                      \
        ck_assert_str_eq(taken.data, what);                                                    \
    } while (0)

START_TEST(messages_reach_accept_message)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "421[\"message\",{\"room\":\"a\\u00e9\",\"data\":[1,{\"b\":2}]}]");
    EXPECT_TAKEN("message", "a\xc3\xa9", "[1,{\"b\":2}]");
    socketio_expect(peer, "431[{\"type\":\"ack\",\"data\":null}]");
    socketio_send(peer, "42[\"message\",{\"data\":7}]");
    EXPECT_TAKEN("message", "-", "7");
    peer_expect_nothing(peer);
    socketio_send(peer, "422[\"message\",{}]");
    EXPECT_TAKEN("message", "-", "null");
    socketio_expect(peer, "432[{\"type\":\"ack\",\"data\":null}]");
    socketio_send(peer, "423[\"message\",{\"data\":\"bad\"}]");
    socketio_expect_prefix(peer, "433[{\"type\":\"error\",\"data\":{\"code\":\"forbidden\"");
    socketio_send(peer, "42[\"message\",{\"data\":\"bad\"}]");
    socketio_expect_prefix(peer, "42[\"error\",{\"type\":\"error\",\"data\":{\"code\":");
    socketio_send(peer, "424[\"typing\",{\"room\":\"b\",\"data\":true}]");
    EXPECT_TAKEN("typing", "b", "true");
    socketio_expect(peer, "434[{\"type\":\"ack\",\"data\":null}]");
    ck_assert_uint_eq(taken.count, 6);
}
END_TEST

static const char *const bad[] = {
    "421[\"message\"]",
    "421[\"message\",\"room\"]",
    "421[\"message\",{\"room\":7,\"data\":1}]",
    "421[\"message\",{\"room\":\"\"}]",
    "421[\"message\",{\"room\":null}]",
    "421[\"typing\",null]",
    "421[\"request\"]",
    "421[\"request\",7]",
    "421[\"request\",\"\\u0000\"]",
};

START_TEST(arguments_that_are_not_understood)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, bad[_i]);
    socketio_expect_prefix(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"bad_request\"");
    ck_assert_uint_eq(taken.count, 0);
}
END_TEST

START_TEST(binary_arguments_are_refused)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "451-1[\"message\",{\"data\":{\"_placeholder\":true,\"num\":0}}]");
    peer_send_frame(peer, FIN | BINARY, "b", 1);
    socketio_expect_prefix(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"bad_request\"");
    ck_assert_uint_eq(taken.count, 0);
}
END_TEST

START_TEST(requests_reach_their_methods)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "421[\"request\",\"echo\",{\"n\":[1]}]");
    socketio_expect(peer, "431[{\"type\":\"response\",\"data\":{\"n\":[1]}}]");
    socketio_send(peer, "422[\"echo\",{\"n\":2},3]");
    socketio_expect(peer, "432[{\"type\":\"response\",\"data\":{\"n\":2}}]");
    socketio_send(peer, "423[\"echo\"]");
    socketio_expect(peer, "433[{\"type\":\"response\",\"data\":null}]");
    socketio_send(peer, "42[\"echo\",4]");
    socketio_expect(peer, "42[\"response\",{\"type\":\"response\",\"data\":4}]");
    socketio_send(peer, "424[\"request\",\"unknown\",{}]");
    socketio_expect_prefix(peer,
                           "434[{\"type\":\"error\",\"data\":{\"code\":\"unknown_method\"");
    socketio_send(peer, "425[\"unknown\",{}]");
    socketio_expect_prefix(peer, "435[{\"type\":\"error\",\"data\":{\"code\":\"unknown_type\"");
}
END_TEST

static void *answer_from_thread(void *unused)
{
    ck_assert_int_eq(ws_manager_answer(host.manager, waiting, "{\"late\":1}", 10), WS_OK);
    return unused;
}

START_TEST(an_answer_comes_later_from_another_thread)
{
    struct peer *peer = socketio_client();
    pthread_t thread;

    socketio_send(peer, "427[\"later\",{}]");
    peer_expect_nothing(peer);
    ck_assert_int_eq(pthread_create(&thread, NULL, answer_from_thread, NULL), 0);
    pthread_join(thread, NULL);
    host_turn(&host);
    socketio_expect(peer, "437[{\"type\":\"response\",\"data\":{\"late\":1}}]");
    socketio_send(peer, "428[\"later\",{}]");
    ws_manager_answer_error(host.manager, waiting, "sold_out", "none is left");
    host_turn(&host);
    socketio_expect(peer, "438[{\"type\":\"error\",\"data\":{\"code\":\"sold_out\","
                          "\"message\":\"none is left\"}}]");
}
END_TEST

START_TEST(answers_have_a_time_limit_and_a_number)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "421[\"later\",1]");
    socketio_send(peer, "422[\"later\",2]");
    socketio_send(peer, "423[\"later\",3]");
    socketio_expect_prefix(peer, "433[{\"type\":\"error\",\"data\":{\"code\":\"failed\"");
    host_pass(&host, 5100);
    socketio_expect_prefix(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"timeout\"");
    socketio_expect_prefix(peer, "432[{\"type\":\"error\",\"data\":{\"code\":\"timeout\"");
    socketio_send(peer, "424[\"later\",4]");
    peer_expect_nothing(peer);
    peer_free(peer);
    host_turn(&host);
    ws_manager_answer(host.manager, waiting, "5", 1);
    host_turn(&host);
}
END_TEST

/* The application's own on_event gets what is not registered. */
START_TEST(with_on_event_registered_names_alone_are_taken)
{
    struct peer *peer;

    socketio_close();
    open_host(true);
    peer = socketio_client();
    socketio_send(peer, "421[\"message\",{\"data\":1}]");
    socketio_send(peer, "422[\"request\",\"echo\",1]");
    ck_assert_uint_eq(seen.n_events, 2);
    ck_assert_uint_eq(taken.count, 0);
    peer_expect_nothing(peer);
    socketio_send(peer, "423[\"echo\",3]");
    socketio_expect(peer, "433[{\"type\":\"response\",\"data\":3}]");
    socketio_send(peer, "424[\"typing\",{\"data\":4}]");
    socketio_expect(peer, "434[{\"type\":\"ack\",\"data\":null}]");
    ck_assert_uint_eq(seen.n_events, 2);
}
END_TEST

START_TEST(other_namespaces_have_no_handlers)
{
    struct peer *peer = socketio_session("");

    socketio_send(peer, "40/custom,");
    socketio_expect_prefix(peer, "40/custom,{\"sid\":\"");
    socketio_send(peer, "42/custom,1[\"echo\",3]");
    socketio_expect_prefix(
        peer, "43/custom,1[{\"type\":\"error\",\"data\":{\"code\":\"unknown_type\"");
}
END_TEST

START_TEST(without_accept_message_there_is_no_message)
{
    struct peer *peer;

    socketio_close();
    options.manager.accept_message = NULL;
    socketio_open(&options);
    peer = socketio_client();
    socketio_send(peer, "421[\"message\",{\"data\":1}]");
    socketio_expect_prefix(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"unknown_type\"");
}
END_TEST

/* Each allocation fails in turn: the client gets its answer, or its connection ends. */
START_TEST(no_memory)
{
    static const char *const packets[] = {"421[\"message\",{\"room\":\"a\",\"data\":1}]",
                                          "421[\"echo\",2]", "421[\"request\",\"echo\",3]",
                                          "421[\"typing\",{\"room\":\"a\"}]"};
    bool failed = true;

    for (size_t n = 0; failed; n++) {
        struct peer *peer = socketio_client();

        host.memory.failed = false;
        host.memory.fail_at = host.memory.calls + n;
        socketio_send(peer, packets[_i]);
        failed = host.memory.failed;
        host.memory.fail_at = SIZE_MAX;
        if (!failed)
            socketio_expect_prefix(peer, "431[{\"type\":\"");
        peer_free(peer);
        host_turn(&host);
    }
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-handlers");
    TCase *tests = tcase_create("socketio-handlers");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, messages_reach_accept_message);
    tcase_add_loop_test(tests, arguments_that_are_not_understood, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tests, binary_arguments_are_refused);
    tcase_add_test(tests, requests_reach_their_methods);
    tcase_add_test(tests, an_answer_comes_later_from_another_thread);
    tcase_add_test(tests, answers_have_a_time_limit_and_a_number);
    tcase_add_test(tests, with_on_event_registered_names_alone_are_taken);
    tcase_add_test(tests, other_namespaces_have_no_handlers);
    tcase_add_test(tests, without_accept_message_there_is_no_message);
    tcase_add_loop_test(tests, no_memory, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}
