/* encode_test.c: the layout of an event's message, its timestamp in RFC 3339, and names that need
 * escapes. */
#include "core/sending/encode.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;

/* The message of an event, with the epoch as "E"; the caller frees it. */
static char *encoded(const struct event_fields *event, uint64_t position)
{
    ws_message *message = encode_event(&host.memory.allocator, event, NULL, 0);
    const char *payload;
    size_t length;
    char *text;

    ck_assert_ptr_nonnull(message);
    encode_finish(host.manager, message, host.manager->epoch, position);
    payload = ws_message_payload(message, &length);
    ck_assert(ws_message_is_text(message));
    text = without_epoch(host.manager, payload, length);
    ws_message_unref(message);
    return text;
}

static void check_encoded(struct event_fields event, uint64_t position, const char *expected)
{
    char *text;

    event.data_length = strlen(event.data);
    text = encoded(&event, position);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(the_layout_is_that_of_the_message_format)
{
    host_open(&host);
    check_encoded((struct event_fields){.type = "order_created",
                                        .data = "{\"id\": 7}",
                                        .timestamp_ms = 1795557600123},
                  1042,
                  "{\"id\":\"E.1042\",\"type\":\"order_created\",\"data\":{\"id\": 7},"
                  "\"timestamp\":\"2026-11-24T22:00:00.123Z\",\"user_id\":null}");
    check_encoded(
        (struct event_fields){
            .type = "stock_low", .data = "null", .user_id = "ann", .room = "inventory"},
        UINT64_MAX,
        "{\"id\":\"E.18446744073709551615\",\"type\":\"stock_low\",\"data\":null,"
        "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":\"ann\",\"room\":"
        "\"inventory\"}");
    /* An event without a position has no id. */
    check_encoded((struct event_fields){.type = "t", .data = "[1]"}, 0,
                  "{\"type\":\"t\",\"data\":[1],\"timestamp\":\"1970-01-01T00:00:00.000Z\","
                  "\"user_id\":null}");
    host_close(&host);
}
END_TEST

static void check_timestamp(int64_t ms, const char *expected)
{
    char *text = encoded(
        &(struct event_fields){.type = "t", .data = "0", .data_length = 1, .timestamp_ms = ms},
        0);
    cJSON *tree = cJSON_Parse(text);

    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(tree, "timestamp")), expected);
    cJSON_Delete(tree);
    free(text);
}

START_TEST(timestamps_of_important_days)
{
    host_open(&host);
    check_timestamp(0, "1970-01-01T00:00:00.000Z");
    check_timestamp(1, "1970-01-01T00:00:00.001Z");
    check_timestamp(999, "1970-01-01T00:00:00.999Z");
    check_timestamp(1000, "1970-01-01T00:00:01.000Z");
    check_timestamp(86399999, "1970-01-01T23:59:59.999Z");
    check_timestamp(68169600000, "1972-02-29T00:00:00.000Z");
    check_timestamp(951782399999, "2000-02-28T23:59:59.999Z");
    check_timestamp(951782400000, "2000-02-29T00:00:00.000Z");
    check_timestamp(951868800000, "2000-03-01T00:00:00.000Z");
    check_timestamp(978307199999, "2000-12-31T23:59:59.999Z");
    check_timestamp(978307200000, "2001-01-01T00:00:00.000Z");
    check_timestamp(1709164800000, "2024-02-29T00:00:00.000Z");
    check_timestamp(1709251199999, "2024-02-29T23:59:59.999Z");
    check_timestamp(1709251200000, "2024-03-01T00:00:00.000Z");
    check_timestamp(1735689599999, "2024-12-31T23:59:59.999Z");
    check_timestamp(1795557600123, "2026-11-24T22:00:00.123Z");
    check_timestamp(2147483648000, "2038-01-19T03:14:08.000Z");
    check_timestamp(4107542399000, "2100-02-28T23:59:59.000Z");
    check_timestamp(4107542400000, "2100-03-01T00:00:00.000Z");
    check_timestamp(253402300799999, "9999-12-31T23:59:59.999Z");
    check_timestamp(-1, "1970-01-01T00:00:00.000Z");
    host_close(&host);
}
END_TEST

/* The first and the last second of every day for 450 years, and some random times. */
START_TEST(timestamps_agree_with_gmtime)
{
    host_open(&host);
    srandom(5);
    for (int64_t i = 0; i < 450 * 365 * 2 / 7; i++) {
        int64_t day = i / 2 * 7 + random() % 7;
        time_t seconds = (time_t)(day * 86400 + (i % 2 == 0 ? 0 : 86399));
        char expected[64];
        struct tm tm;

        if (sizeof seconds < sizeof day && day * 86400 >= INT32_MAX)
            break; /* no later second is one of this system's time_t */
        ck_assert_ptr_nonnull(gmtime_r(&seconds, &tm));
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.042Z", &tm);
        check_timestamp((int64_t)seconds * 1000 + 42, expected);
    }
    host_close(&host);
}
END_TEST

static void check_names(const char *type, const char *user, const char *room)
{
    char *text = encoded(
        &(struct event_fields){
            .type = type, .data = "0", .data_length = 1, .user_id = user, .room = room},
        1);
    cJSON *tree = cJSON_ParseWithOpts(text, NULL, true);

    ck_assert_ptr_nonnull(tree);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(tree, "type")), type);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(tree, "user_id")), user);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(tree, "room")), room);
    cJSON_Delete(tree);
    free(text);
}

START_TEST(escaped_names_survive_a_round_trip)
{
    char quotes[WS_NAME_MAX + 1];
    char backslashes[WS_NAME_MAX + 1];

    memset(quotes, '"', WS_NAME_MAX);
    memset(backslashes, '\\', WS_NAME_MAX);
    quotes[WS_NAME_MAX] = backslashes[WS_NAME_MAX] = '\0';
    host_open(&host);
    check_names("a", "b", "c");
    check_names("say \"hi\"", "back\\slash", "\\\"\\");
    check_names("\xe2\x82\xac", "\xf0\x9f\x9a\x9a \xc3\xa9", "/\xe2\x80\xa8/");
    check_names(quotes, backslashes, quotes);
    check_names(backslashes, quotes, backslashes);
    host_close(&host);
}
END_TEST

START_TEST(excluded_ids_are_found_in_any_order)
{
    ws_conn_id ids[] = {7, UINT64_MAX, 3, UINT64_C(1) << 56, 3, 100, 99};
    const struct event_fields event = {.type = "t", .data = "0", .data_length = 1};
    ws_message *message;

    host_open(&host);
    message = encode_event(&host.memory.allocator, &event, ids, sizeof ids / sizeof *ids);
    encode_finish(host.manager, message, host.manager->epoch, 5);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        ck_assert(message_excludes(message, ids[i]));
    ck_assert(!message_excludes(message, 0));
    ck_assert(!message_excludes(message, 4));
    ck_assert(!message_excludes(message, 101));
    ck_assert(!message_excludes(message, UINT64_MAX - 1));
    ws_message_unref(message);
    host_close(&host);
}
END_TEST

START_TEST(encoding_reports_failed_allocations)
{
    const struct event_fields event = {.type = "t", .data = "0", .data_length = 1};

    host_open(&host);
    test_memory_fail(&host.memory, 0, true);
    ck_assert_ptr_null(encode_event(&host.memory.allocator, &event, NULL, 0));
    host_close(&host);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_layout_is_that_of_the_message_format,
        timestamps_of_important_days,
        timestamps_agree_with_gmtime,
        escaped_names_survive_a_round_trip,
        excluded_ids_are_found_in_any_order,
        encoding_reports_failed_allocations,
        NULL,
    };

    return suite_run("encode", tests);
}
