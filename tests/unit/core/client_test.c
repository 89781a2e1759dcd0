/* client_test.c: the JSON protocol: each request of a client, every answer and every error. Not
 * here: the order of answers and events (client_order_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann;

#define BAD_JSON                                                                               \
    "\"data\":{\"code\":\"bad_json\",\"message\":\"the message is not valid JSON or is "       \
    "nested too deeply\"}}"
#define ROOM_REFUSED                                                                           \
    "\"data\":{\"code\":\"bad_request\",\"message\":\"\\\"room\\\" must be a string of 1 to "  \
    "128 "                                                                                     \
    "bytes without control characters, line separators or characters that reorder text\"}}"
#define TYPE_REFUSED                                                                           \
    "\"data\":{\"code\":\"bad_request\",\"message\":\"\\\"type\\\" must be a string\"}}"
#define TYPE_UNKNOWN                                                                           \
    "\"data\":{\"code\":\"unknown_type\",\"message\":\"\\\"type\\\" must be join_room, "       \
    "leave_room, "                                                                             \
    "ping, message, request, response, presence, set_state, watch_presence, "                  \
    "unwatch_presence or "                                                                     \
    "authenticate\"}}"
#define REF_REFUSED                                                                            \
    "\"data\":{\"code\":\"bad_request\",\"message\":\"\\\"ref\\\" must be a string or a "      \
    "number of "                                                                               \
    "at most 256 bytes\"}}"
#define FORBIDDEN                                                                              \
    "\"data\":{\"code\":\"forbidden\",\"message\":\"the application does not allow this "      \
    "request\"}}"
#define NOT_MEMBER                                                                             \
    "\"data\":{\"code\":\"not_member\",\"message\":\"the connection is not in that room\"}}"
#define REJECTED                                                                               \
    "\"data\":{\"code\":\"bad_request\",\"message\":\"the application rejected the "           \
    "message\"}}"

static void begin(void)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static void check_answer(const char *json, const char *answer)
{
    client_say(&ann, json);
    host_run(&host);
    client_expect(&ann, answer, NULL);
}

/* Also checks that the connection stays open. */
static void check_error(const char *json, const char *ref, const char *rest)
{
    char answer[1024];

    snprintf(answer, sizeof answer, "{\"type\":\"error\",%s%s%s%s",
             ref != NULL ? "\"ref\":" : "", ref != NULL ? ref : "", ref != NULL ? "," : "",
             rest);
    check_answer(json, answer);
    ck_assert_int_eq(ann.n_closes, 0);
}

START_TEST(the_welcome_has_ids_and_the_ping_interval)
{
    ws_connect_options options;
    struct client bob;

    host_open(&host);
    emit_number(&host, NULL, 1);
    ann = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.user_id = "ann \"\\\" \xe2\x82\xac";
    options.ping_interval_ms = 12345;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    host_run(&host);
    client_expect(&ann,
                  "{\"type\":\"welcome\",\"data\":{\"connection_id\":\"E-1\","
                  "\"user_id\":\"ann \\\"\\\\\\\" \xe2\x82\xac\",\"id\":\"E.1\","
                  "\"ping_interval_ms\":12345}}",
                  NULL);
    ck_assert_int_eq(client_try(&host, &bob, "bob", NULL, WS_PROTOCOL_JSON), WS_OK);
    host_run(&host);
    client_expect(&bob,
                  "{\"type\":\"welcome\",\"data\":{\"connection_id\":\"E-100000002\","
                  "\"user_id\":null,\"id\":\"E.1\",\"ping_interval_ms\":25000}}",
                  NULL);
    end();
    client_free(&bob);
}
END_TEST

START_TEST(joins_and_leaves_are_answered)
{
    begin();
    check_answer("{\"type\":\"join_room\",\"room\":\"orders\"}",
                 "{\"type\":\"room_joined\",\"data\":{\"room\":\"orders\",\"id\":\"E.0\"}}");
    host_expect_log(&host, "authorize_join ann orders\non_join ann orders success\n");
    ck_assert(ws_manager_is_member(host.manager, ann.id, "orders"));
    check_answer(" {\"room\" : \"orders\", \"ref\" : \"a\", \"type\" : \"join_room\" } ",
                 "{\"type\":\"room_joined\",\"ref\":\"a\",\"data\":{\"room\":\"orders\","
                 "\"id\":\"E.0\"}}");
    host_expect_log(&host, "authorize_join ann orders\non_join ann orders done already\n");
    check_answer(
        "{\"type\":\"leave_room\",\"room\":\"orders\",\"ref\":1}",
        "{\"type\":\"room_left\",\"ref\":1,\"data\":{\"room\":\"orders\",\"id\":\"E.0\"}}");
    host_expect_log(&host, "on_leave ann orders success\n");
    ck_assert(!ws_manager_is_member(host.manager, ann.id, "orders"));
    check_error("{\"type\":\"leave_room\",\"room\":\"orders\",\"ref\":2}", "2", NOT_MEMBER);
    host_expect_log(&host, "on_leave ann orders not a member of the room\n");
    end();
}
END_TEST

START_TEST(escaped_room_names_are_decoded_and_encoded)
{
    begin();
    check_answer(
        "{\"type\":\"join_room\",\"room\":\"a \\\"\\\\\\/ \\u20ac\\ud83d\\ude9a\"}",
        "{\"type\":\"room_joined\",\"data\":{\"room\":\"a \\\"\\\\/ \xe2\x82\xac\xf0\x9f"
        "\x9a\x9a\",\"id\":\"E.0\"}}");
    ck_assert(
        ws_manager_is_member(host.manager, ann.id, "a \"\\/ \xe2\x82\xac\xf0\x9f\x9a\x9a"));
    end();
}
END_TEST

START_TEST(a_ping_is_answered_with_the_newest_id)
{
    begin();
    check_answer("{\"type\":\"ping\"}", "{\"type\":\"pong\",\"data\":{\"id\":\"E.0\"}}");
    emit_number(&host, "nobody is here", 1);
    check_answer("{\"type\":\"ping\",\"ref\":\"x\",\"room\":7,\"data\":[]}",
                 "{\"type\":\"pong\",\"ref\":\"x\",\"data\":{\"id\":\"E.1\"}}");
    end();
}
END_TEST

START_TEST(a_ref_is_repeated_as_it_was_written)
{
    static const char *const refs[] = {"0",
                                       "-0",
                                       "1.50e+3",
                                       "123456789012345678901",
                                       "\"\"",
                                       "\"\\u00e9\\n\"",
                                       "\"\xe2\x82\xac\""};
    char json[1024];
    char answer[1024];
    char ref[300];

    begin();
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
        snprintf(json, sizeof json, "{\"type\":\"ping\",\"ref\": %s }", refs[i]);
        snprintf(answer, sizeof answer,
                 "{\"type\":\"pong\",\"ref\":%s,\"data\":{\"id\":\"E.0\"}}", refs[i]);
        check_answer(json, answer);
    }
    memset(ref, 'x', sizeof ref);
    ref[0] = ref[255] = '"';
    ref[256] = '\0';
    snprintf(json, sizeof json, "{\"type\":\"ping\",\"ref\":%s}", ref);
    snprintf(answer, sizeof answer, "{\"type\":\"pong\",\"ref\":%s,\"data\":{\"id\":\"E.0\"}}",
             ref);
    check_answer(json, answer);
    ref[255] = 'x';
    ref[256] = '"';
    ref[257] = '\0';
    snprintf(json, sizeof json, "{\"type\":\"ping\",\"ref\":%s}", ref);
    check_error(json, NULL, REF_REFUSED);
    check_error("{\"type\":\"ping\",\"ref\":null}", NULL, REF_REFUSED);
    check_error("{\"type\":\"ping\",\"ref\":true}", NULL, REF_REFUSED);
    check_error("{\"type\":\"ping\",\"ref\":false}", NULL, REF_REFUSED);
    check_error("{\"type\":\"ping\",\"ref\":{}}", NULL, REF_REFUSED);
    check_error("{\"type\":\"ping\",\"ref\":[1]}", NULL, REF_REFUSED);
    end();
}
END_TEST

START_TEST(invalid_messages_are_answered_with_errors)
{
    begin();
    check_error("", NULL, BAD_JSON);
    check_error("{", NULL, BAD_JSON);
    check_error("{\"type\":\"ping\",\"ref\":01}", NULL, BAD_JSON);
    check_error("{\"type\":\"ping\"} x", NULL, BAD_JSON);
    check_error("[]", NULL,
                "\"data\":{\"code\":\"bad_request\",\"message\":\"the message must be a JSON "
                "object\"}}");
    check_error("{}", NULL, TYPE_REFUSED);
    check_error("{\"type\":7,\"ref\":5}", "5", TYPE_REFUSED);
    check_error("{\"type\":null}", NULL, TYPE_REFUSED);
    check_error("{\"type\":\"\\u0000\"}", NULL, TYPE_REFUSED);
    check_error("{\"type\":\"dance\",\"ref\":\"r\"}", "\"r\"", TYPE_UNKNOWN);
    check_error("{\"type\":\"\"}", NULL, TYPE_UNKNOWN);
    check_error("{\"type\":\"Ping\"}", NULL, TYPE_UNKNOWN);
    check_error("{\"type\":\"welcome\"}", NULL, TYPE_UNKNOWN);
    check_error("{\"type\":\"join_room\",\"ref\":1}", "1", ROOM_REFUSED);
    check_error("{\"type\":\"join_room\",\"room\":7}", NULL, ROOM_REFUSED);
    check_error("{\"type\":\"join_room\",\"room\":\"\"}", NULL, ROOM_REFUSED);
    check_error("{\"type\":\"join_room\",\"room\":\"a\\nb\"}", NULL, ROOM_REFUSED);
    check_error("{\"type\":\"join_room\",\"room\":\"a\\u0000b\"}", NULL, ROOM_REFUSED);
    check_error("{\"type\":\"leave_room\"}", NULL, ROOM_REFUSED);
    check_error("{\"type\":\"message\",\"room\":null}", NULL, ROOM_REFUSED);
    host_expect_log(&host, "");
    end();
}
END_TEST

START_TEST(nesting_is_limited_by_the_option)
{
    host_init(&host);
    host.options.max_client_json_depth = 3;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    check_answer("{\"type\":\"ping\",\"data\":[[]]}",
                 "{\"type\":\"pong\",\"data\":{\"id\":\"E.0\"}}");
    check_error("{\"type\":\"ping\",\"data\":[[[]]]}", NULL, BAD_JSON);
    end();
}
END_TEST

START_TEST(binary_messages_are_refused)
{
    begin();
    ck_assert_int_eq(
        ws_manager_receive(host.manager, ann.id, "{\"type\":\"ping\",\"ref\":1}", 23, 0),
        WS_OK);
    host_run(&host);
    client_expect(&ann,
                  "{\"type\":\"error\",\"data\":{\"code\":\"bad_request\",\"message\":\"binary "
                  "messages are not supported\"}}",
                  NULL);
    ck_assert_int_eq(ws_manager_receive(host.manager, ann.id, NULL, 1, 0), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_receive(NULL, ann.id, "x", 1, 0), WS_ERR_INVALID);
    end();
}
END_TEST

START_TEST(a_refused_join_is_forbidden)
{
    begin();
    host.authorize_result = WS_ERR_FORBIDDEN;
    check_error("{\"type\":\"join_room\",\"room\":\"secret\",\"ref\":3}", "3", FORBIDDEN);
    host_expect_log(&host, "authorize_join ann secret\n");
    host.authorize_result = 17; /* anything except WS_OK */
    check_error("{\"type\":\"join_room\",\"room\":\"secret\"}", NULL, FORBIDDEN);
    ck_assert(!ws_manager_is_member(host.manager, ann.id, "secret"));
    end();
}
END_TEST

START_TEST(without_callbacks_rooms_are_open_and_messages_forbidden)
{
    host_init(&host);
    host.options.authorize_join = NULL;
    host.options.on_join = NULL;
    host.options.on_leave = NULL;
    host.options.accept_message = NULL;
    host.options.on_connect = NULL;
    host.options.on_disconnect = NULL;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    check_answer("{\"type\":\"join_room\",\"room\":\"r\"}",
                 "{\"type\":\"room_joined\",\"data\":{\"room\":\"r\",\"id\":\"E.0\"}}");
    check_answer("{\"type\":\"leave_room\",\"room\":\"r\"}",
                 "{\"type\":\"room_left\",\"data\":{\"room\":\"r\",\"id\":\"E.0\"}}");
    check_error("{\"type\":\"message\",\"data\":1}", NULL, FORBIDDEN);
    end();
}
END_TEST

START_TEST(joins_beyond_the_limit_of_rooms_are_refused)
{
    host_init(&host);
    host.options.max_rooms_per_connection = 1;
    host_start(&host);
    client_open_in(&host, &ann, "ann", "first");
    host_forget_log(&host);
    check_error(
        "{\"type\":\"join_room\",\"room\":\"second\",\"ref\":9}", "9",
        "\"data\":{\"code\":\"too_many_rooms\",\"message\":\"a limit of rooms is reached; "
        "leave a room or try again later\"}}");
    host_expect_log(
        &host, "authorize_join ann second\non_join ann second a limit of rooms is reached\n");
    end();
}
END_TEST

START_TEST(messages_are_passed_to_the_application)
{
    begin();
    client_say(&ann,
               "{\"type\":\"message\",\"room\":\"r\",\"data\":{\"a\": [1, \"\\u00e9\"]}}");
    client_say(&ann, "{\"type\":\"message\",\"data\":null}");
    client_say(&ann, "{\"type\":\"message\",\"ref\":1}");
    host_run(&host);
    host_expect_log(&host, "accept_message ann r {\"a\": [1, \"\\u00e9\"]}\n"
                           "accept_message ann - null\n"
                           "accept_message ann - null\n");
    client_expect(&ann, "{\"type\":\"ack\",\"ref\":1,\"data\":null}", NULL);
    host.message_result = WS_ERR_NOT_MEMBER;
    check_error("{\"type\":\"message\",\"ref\":1}", "1", NOT_MEMBER);
    host.message_result = WS_ERR_FORBIDDEN;
    check_error("{\"type\":\"message\",\"ref\":2}", "2", FORBIDDEN);
    host.message_result = WS_ERR_INVALID;
    check_error("{\"type\":\"message\",\"ref\":3}", "3", REJECTED);
    host.message_result = WS_ERR_BAD_JSON;
    check_error("{\"type\":\"message\",\"ref\":4}", "4", REJECTED);
    host.message_result = 99;
    check_error("{\"type\":\"message\",\"ref\":5}", "5", REJECTED);
    host.message_result = WS_ERR_TOO_MANY_ROOMS;
    client_say(&ann, "{\"type\":\"message\",\"ref\":6}");
    host_run(&host);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "too_many_rooms"));
    host.message_result = WS_ERR_NO_MEMORY;
    client_say(&ann, "{\"type\":\"message\",\"ref\":7}");
    host_run(&host);
    ck_assert_uint_eq(ann.close_code, WS_CLOSE_TRY_AGAIN_LATER);
    end();
}
END_TEST

/* The data is ended where it stands: what stands behind it is still read. */
START_TEST(what_stands_around_the_data_of_a_message_is_kept)
{
    begin();
    host.message_result = WS_ERR_FORBIDDEN;
    check_error("{\"type\":\"message\",\"data\":[1],\"ref\":\"a\"}", "\"a\"", FORBIDDEN);
    check_error("{\"data\":7,\"ref\":12,\"type\":\"message\"}", "12", FORBIDDEN);
    check_error("{\"ref\":1,\"data\":\"x\" ,\"data\":{\"b\":2}\n,\"type\":\"\\u006dessage\"}",
                "1", FORBIDDEN);
    host_expect_log(&host, "accept_message ann - [1]\n"
                           "accept_message ann - 7\n"
                           "accept_message ann - {\"b\":2}\n");
    end();
}
END_TEST

static long allocations_for(const char *json)
{
    test_memory_fail(&host.memory, NEVER_FAIL, false);
    client_say(&ann, json);
    host_run(&host);
    return host.memory.n_requests;
}

/* What waits for its turn is a copy, and an answer a message: there is no other memory. */
START_TEST(a_request_allocates_what_waits_and_its_answer)
{
    begin();
    allocations_for("{\"type\":\"ping\"}"); /* the inbox grows */
    ck_assert_int_eq(allocations_for("{\"type\":\"ping\",\"ref\":1}"), 2);
    ck_assert_int_eq(allocations_for("{\"type\":\"message\",\"data\":[1]}"), 1);
    ck_assert_int_eq(allocations_for("{"), 2);
    end();
}
END_TEST

static char token_shown[64];

static int take_token(ws_manager *manager, const ws_connection_info *connection,
                      const char *token, void *user_data)
{
    (void)user_data;
    ck_assert_ptr_eq(manager, host.manager);
    ck_assert_str_eq(connection->user_id, "ann");
    snprintf(token_shown, sizeof token_shown, "%s", token);
    if (strcmp(token, "leave") == 0)
        ck_assert_int_eq(ws_manager_disconnect(manager, connection->id, 4401, NULL), WS_OK);
    if (strcmp(token, "many rooms") == 0)
        return WS_ERR_TOO_MANY_ROOMS;
    if (strcmp(token, "no memory") == 0)
        return WS_ERR_NO_MEMORY;
    return strcmp(token, "good \xc3\xa9") == 0 ? WS_OK : WS_ERR_FORBIDDEN;
}

START_TEST(tokens_are_passed_to_the_application)
{
    host_init(&host);
    host.options.authenticate = take_token;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    check_answer("{\"type\":\"authenticate\",\"token\":\"good \\u00e9\",\"ref\":1}",
                 "{\"type\":\"authenticated\",\"ref\":1,\"data\":{\"id\":\"E.0\"}}");
    ck_assert_str_eq(token_shown, "good \xc3\xa9");
    check_error("{\"type\":\"authenticate\",\"token\":\"bad\",\"ref\":2}", "2", FORBIDDEN);
    check_error("{\"type\":\"authenticate\",\"ref\":3}", "3",
                "\"data\":{\"code\":\"bad_request\",\"message\":\"\\\"token\\\" must be a "
                "string\"}}");
    check_error("{\"type\":\"authenticate\",\"token\":7}", NULL,
                "\"data\":{\"code\":\"bad_request\",\"message\":\"\\\"token\\\" must be a "
                "string\"}}");
    client_say(&ann, "{\"type\":\"authenticate\",\"token\":\"leave\"}");
    host_run(&host);
    ck_assert_uint_eq(ann.close_code, 4401);
    end();
}
END_TEST

START_TEST(authenticate_fails_in_other_ways)
{
    host_init(&host);
    host.options.authenticate = take_token;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_say(&ann, "{\"type\":\"authenticate\",\"token\":\"many rooms\"}");
    host_run(&host);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "too_many_rooms"));
    client_say(&ann, "{\"type\":\"authenticate\",\"token\":\"no memory\"}");
    host_run(&host);
    ck_assert_uint_eq(ann.close_code, WS_CLOSE_TRY_AGAIN_LATER);
    end();
}
END_TEST

START_TEST(authenticate_is_unknown_without_a_callback)
{
    begin();
    check_error("{\"type\":\"authenticate\",\"token\":\"good\",\"ref\":1}", "1",
                "\"data\":{\"code\":\"unknown_type\",\"message\":\"this server does not use "
                "tokens\"}}");
    end();
}
END_TEST

START_TEST(answers_are_in_the_order_of_the_requests)
{
    begin();
    client_say(&ann, "{\"type\":\"ping\",\"ref\":1}");
    client_say(&ann, "bad");
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"ref\":2}");
    client_say(&ann, "{\"type\":\"dance\",\"ref\":3}");
    client_say(&ann, "{\"type\":\"leave_room\",\"room\":\"r\",\"ref\":4}");
    client_say(&ann, "{\"type\":\"leave_room\",\"room\":\"r\",\"ref\":5}");
    host_run(&host);
    client_expect(
        &ann, "{\"type\":\"pong\",\"ref\":1,\"data\":{\"id\":\"E.0\"}}",
        "{\"type\":\"error\"," BAD_JSON,
        "{\"type\":\"room_joined\",\"ref\":2,\"data\":{\"room\":\"r\",\"id\":\"E.0\"}}",
        "{\"type\":\"error\",\"ref\":3," TYPE_UNKNOWN,
        "{\"type\":\"room_left\",\"ref\":4,\"data\":{\"room\":\"r\",\"id\":\"E.0\"}}",
        "{\"type\":\"error\",\"ref\":5," NOT_MEMBER, NULL);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_welcome_has_ids_and_the_ping_interval,
        joins_and_leaves_are_answered,
        escaped_room_names_are_decoded_and_encoded,
        a_ping_is_answered_with_the_newest_id,
        a_ref_is_repeated_as_it_was_written,
        invalid_messages_are_answered_with_errors,
        nesting_is_limited_by_the_option,
        binary_messages_are_refused,
        a_refused_join_is_forbidden,
        without_callbacks_rooms_are_open_and_messages_forbidden,
        joins_beyond_the_limit_of_rooms_are_refused,
        messages_are_passed_to_the_application,
        what_stands_around_the_data_of_a_message_is_kept,
        a_request_allocates_what_waits_and_its_answer,
        tokens_are_passed_to_the_application,
        authenticate_fails_in_other_ways,
        authenticate_is_unknown_without_a_callback,
        answers_are_in_the_order_of_the_requests,
        NULL,
    };

    return suite_run("client", tests);
}
