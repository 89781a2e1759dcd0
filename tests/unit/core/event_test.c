/* event_test.c: creating events, their types and routes, invalid events, their members before and
 * after they are sent; notifications. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann;

static void begin(void)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static int new_event(const char *type, const char *data, ws_event **event)
{
    return ws_event_new(host.manager, type, data, strlen(data), event);
}

static void check_refused(const char *type, const char *data, int expected)
{
    ws_event *untouched = (ws_event *)(void *)&untouched;
    ws_event *event = untouched;

    ck_assert_int_eq(new_event(type, data, &event), expected);
    ck_assert_ptr_eq(event, untouched);
    ck_assert_int_eq(ws_manager_emit(host.manager, type, data, strlen(data)), expected);
}

START_TEST(invalid_events_are_refused)
{
    ws_event *event;

    begin();
    check_refused("no_such_type", "{}", WS_ERR_UNKNOWN_TYPE);
    check_refused("", "{}", WS_ERR_UNKNOWN_TYPE);
    check_refused("order_created", "", WS_ERR_BAD_JSON);
    check_refused("order_created", "{\"a\":01}", WS_ERR_BAD_JSON);
    check_refused("order_created", "{} {}", WS_ERR_BAD_JSON);
    ck_assert_int_eq(ws_event_new(NULL, "stock_low", "{}", 2, &event), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_new(host.manager, NULL, "{}", 2, &event), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", NULL, 0, &event), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "{}", 2, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit(NULL, "stock_low", "{}", 2), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit(host.manager, NULL, "{}", 2), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit(host.manager, "stock_low", NULL, 2), WS_ERR_INVALID);
    ws_event_free(NULL);
    host_run(&host);
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(the_ten_types_are_registered)
{
    static const char *const types[] = {
        "order_created",    "order_updated",  "order_status_changed",
        "client_created",   "client_updated", "inventory_updated",
        "stock_low",        "notification",   "user_connected",
        "user_disconnected"};

    begin();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char expected[256];
        ws_event *event;

        ck_assert_int_eq(ws_manager_register_event_type(host.manager, types[i]),
                         WS_ERR_ALREADY);
        ck_assert_int_eq(new_event(types[i], "{\"a\":[1, 2]}", &event), WS_OK);
        ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
        ws_event_free(event);
        host_run(&host);
        snprintf(expected, sizeof expected,
                 "{\"id\":\"E.%zu\",\"type\":\"%s\",\"data\":{\"a\":[1, 2]},"
                 "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
                 i + 1, types[i]);
        client_expect(&ann, expected, NULL);
    }
    end();
}
END_TEST

START_TEST(the_application_adds_types)
{
    begin();
    check_refused("invoice \"paid\"", "{}", WS_ERR_UNKNOWN_TYPE);
    ck_assert_int_eq(ws_manager_register_event_type(host.manager, "invoice \"paid\""), WS_OK);
    ck_assert_int_eq(ws_manager_register_event_type(host.manager, "invoice \"paid\""),
                     WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_register_event_type(host.manager, ""), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_register_event_type(host.manager, "a\tb"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_register_event_type(host.manager, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_register_event_type(NULL, "x"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit(host.manager, "invoice \"paid\"", "1", 1), WS_OK);
    host_run(&host);
    client_expect(&ann,
                  "{\"id\":\"E.1\",\"type\":\"invoice \\\"paid\\\"\",\"data\":1,"
                  "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
                  NULL);
    end();
}
END_TEST

START_TEST(there_are_1024_types_at_most)
{
    char name[32];

    begin();
    for (int i = 10; i < 1024; i++) {
        snprintf(name, sizeof name, "type-%d", i);
        ck_assert_int_eq(ws_manager_register_event_type(host.manager, name), WS_OK);
    }
    ck_assert_int_eq(ws_manager_register_event_type(host.manager, "one_more"), WS_ERR_LIMIT);
    ck_assert_int_eq(ws_manager_emit(host.manager, "type-1023", "1", 1), WS_OK);
    ck_assert_int_eq(ws_manager_emit(host.manager, "stock_low", "1", 1), WS_OK);
    end();
}
END_TEST

START_TEST(data_may_be_as_large_as_the_limit)
{
    ws_event *event;

    host_init(&host);
    host.options.max_event_bytes = 10;
    host_start(&host);
    check_refused("stock_low", "\"123456789\"", WS_ERR_TOO_BIG);
    check_refused("stock_low", "\"12345678 ", WS_ERR_BAD_JSON);
    ck_assert_int_eq(new_event("stock_low", "\"12345678\"", &event), WS_OK);
    ws_event_free(event);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "12345678901", NULL, "info"),
                     WS_ERR_TOO_BIG);
    host_close(&host);
}
END_TEST

/* A notification's data is built from the message: here 32 bytes around it. */
START_TEST(a_notification_may_be_as_large_as_the_limit)
{
    host_init(&host);
    host.options.max_event_bytes = 40;
    host_start(&host);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "12345678", NULL, "info"),
                     WS_OK);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "123456789", NULL, "info"),
                     WS_ERR_TOO_BIG);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "1234567\"", NULL, "info"),
                     WS_ERR_TOO_BIG);
    host_close(&host);
}
END_TEST

START_TEST(data_need_not_end_with_a_nul)
{
    ws_event *event;
    const char *data;
    size_t length;

    begin();
    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "[1,2]garbage", 5, &event), WS_OK);
    data = ws_event_data(event, &length);
    ck_assert_uint_eq(length, 5);
    ck_assert_str_eq(data, "[1,2]");
    ck_assert_str_eq(ws_event_data(event, NULL), "[1,2]");
    ws_event_free(event);
    end();
}
END_TEST

START_TEST(an_event_gets_its_id_and_time_when_it_is_sent)
{
    ws_event *event;

    begin();
    host.clock_ms = 951782400000;
    ck_assert_int_eq(new_event("order_updated", "{}", &event), WS_OK);
    ck_assert_str_eq(ws_event_type(event), "order_updated");
    ck_assert_ptr_null(ws_event_user_id(event));
    ck_assert_int_eq(ws_event_set_user_id(event, "bob"), WS_OK);
    ck_assert_int_eq(ws_event_set_user_id(event, "ann \"x\""), WS_OK);
    ck_assert_int_eq(ws_event_set_user_id(event, ""), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_set_user_id(event, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_set_user_id(NULL, "ann"), WS_ERR_INVALID);
    ck_assert_str_eq(ws_event_user_id(event), "ann \"x\"");
    ck_assert_str_eq(ws_event_id(event), "");
    ck_assert_int_eq(ws_event_timestamp_ms(event), 0);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ck_assert_int_eq(ws_event_timestamp_ms(event), 951782400000);
    ck_assert_str_eq(strchr(ws_event_id(event), '.'), ".1");
    ck_assert_int_eq(ws_event_set_user_id(event, "late"), WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_send_to_user(host.manager, "ann", event, NULL, 0),
                     WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_broadcast_to_room(host.manager, "r", event, NULL, 0),
                     WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_send_personal_message(host.manager, ann.id, event, NULL, 0),
                     WS_ERR_ALREADY);
    ws_event_free(event);
    host_run(&host);
    client_expect(&ann,
                  "{\"id\":\"E.1\",\"type\":\"order_updated\",\"data\":{},"
                  "\"timestamp\":\"2000-02-29T00:00:00.000Z\",\"user_id\":\"ann \\\"x\\\"\"}",
                  NULL);
    end();
}
END_TEST

START_TEST(a_type_is_routed_to_a_room_and_back)
{
    struct client bob;
    ws_manager *manager = host.manager;

    begin();
    manager = host.manager;
    client_open_in(&host, &bob, "bob", "stock");
    ck_assert_int_eq(ws_manager_route_event_type(manager, "stock_low", "stock"), WS_OK);
    ck_assert_int_eq(ws_manager_route_event_type(manager, "none", "stock"),
                     WS_ERR_UNKNOWN_TYPE);
    ck_assert_int_eq(ws_manager_route_event_type(manager, "stock_low", ""), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_route_event_type(manager, NULL, "stock"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_route_event_type(NULL, "stock_low", "stock"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit_stock_low(manager, "1", 1), WS_OK);
    ck_assert_int_eq(ws_manager_emit_order_created(manager, "2", 1), WS_OK);
    host_run(&host);
    client_expect(&bob,
                  "{\"id\":\"E.1\",\"type\":\"stock_low\",\"data\":1,"
                  "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null,"
                  "\"room\":\"stock\"}",
                  "{\"id\":\"E.2\",\"type\":\"order_created\",\"data\":2,"
                  "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
                  NULL);
    ck_assert_uint_eq(client_count(&ann), 1);
    ck_assert_int_eq(ws_manager_route_event_type(manager, "stock_low", NULL), WS_OK);
    ck_assert_int_eq(ws_manager_emit_stock_low(manager, "3", 1), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 1);
    ck_assert_uint_eq(client_count(&bob), 1);
    end();
    client_free(&bob);
}
END_TEST

START_TEST(notifications_name_their_user)
{
    struct client bob;

    begin();
    client_open(&host, &bob, "bob", "bob");
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "say \"hi\"\n\xe2\x82\xac",
                                                  "ann", "warning"),
                     WS_OK);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "", NULL, "error"), WS_OK);
    host_run(&host);
    client_expect(
        &ann,
        "{\"id\":\"E.1\",\"type\":\"notification\",\"data\":{\"message\":\"say \\\"hi\\\"\\n"
        "\xe2\x82\xac\",\"severity\":\"warning\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\","
        "\"user_id\":\"ann\"}",
        "{\"id\":\"E.2\",\"type\":\"notification\",\"data\":{\"message\":\"\","
        "\"severity\":\"error\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
        NULL);
    ck_assert_uint_eq(client_count(&bob), 1);
    /* A route applies to events for everyone, not to those for one user. */
    ck_assert_int_eq(ws_manager_route_event_type(host.manager, "notification", "empty"), WS_OK);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", NULL, "info"), WS_OK);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", "bob", "success"), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 0);
    ck_assert_uint_eq(client_count(&bob), 1);
    end();
    client_free(&bob);
}
END_TEST

START_TEST(invalid_notifications_are_refused)
{
    begin();
    ck_assert_int_eq(ws_manager_emit_notification(NULL, "x", NULL, "info"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, NULL, NULL, "info"),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", NULL, NULL),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", NULL, "Info"),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", "", "info"),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "\xff", NULL, "info"),
                     WS_ERR_INVALID);
    host_run(&host);
    client_expect(&ann, NULL);
    end();
}
END_TEST

static unsigned n_stored;

/* The event's own callback frees it: it has been sent, and is not used afterwards. */
static void free_stored(int result, const char *id, void *user_data)
{
    ws_event *event = user_data;

    ck_assert_int_eq(result, WS_OK);
    ck_assert_str_eq(ws_event_id(event), id);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_ERR_ALREADY);
    ws_event_free(event);
    ck_assert_uint_eq(strlen(strchr(id, '.')), 2); /* still valid */
    n_stored++;
}

START_TEST(a_callback_frees_its_event)
{
    ws_event *event;

    begin();
    n_stored = 0;
    ck_assert_int_eq(new_event("order_created", "1", &event), WS_OK);
    ck_assert_int_eq(ws_event_set_stored_callback(event, free_stored, event), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ck_assert_uint_eq(n_stored, 1);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        invalid_events_are_refused,
        the_ten_types_are_registered,
        the_application_adds_types,
        there_are_1024_types_at_most,
        data_may_be_as_large_as_the_limit,
        a_notification_may_be_as_large_as_the_limit,
        data_need_not_end_with_a_nul,
        an_event_gets_its_id_and_time_when_it_is_sent,
        a_type_is_routed_to_a_room_and_back,
        notifications_name_their_user,
        invalid_notifications_are_refused,
        a_callback_frees_its_event,
        NULL,
    };

    return suite_run("event", tests);
}
