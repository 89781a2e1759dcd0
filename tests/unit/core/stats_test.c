/* stats_test.c: the statistics as JSON, and as OpenMetrics text by the rules of that format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob, raw;

static cJSON *stats(void)
{
    size_t length;
    char *text;
    cJSON *tree;

    ck_assert_int_eq(ws_manager_get_stats(host.manager, &text, &length), WS_OK);
    ck_assert_uint_eq(strlen(text), length);
    tree = cJSON_ParseWithOpts(text, NULL, true);
    ck_assert_ptr_nonnull(tree);
    ws_manager_free_text(host.manager, text);
    return tree;
}

static void check_value(const char *name, double expected)
{
    cJSON *tree = stats();
    const cJSON *item = cJSON_GetObjectItem(tree, name);

    if (item == NULL)
        item = cJSON_GetObjectItem(cJSON_GetObjectItem(tree, "drops"), name);
    ck_assert_msg(cJSON_IsNumber(item), "not a number: %s", name);
    ck_assert_msg(item->valuedouble == expected, "%s is %g, not %g", name, item->valuedouble,
                  expected);
    cJSON_Delete(tree);
}

static void check_room(const char *room, int expected)
{
    cJSON *tree = stats();
    const cJSON *rooms = cJSON_GetObjectItem(tree, "rooms");
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(rooms, room);

    ck_assert(cJSON_IsObject(rooms));
    if (expected == 0)
        ck_assert_ptr_null(size);
    else
        ck_assert_int_eq(size->valueint, expected);
    cJSON_Delete(tree);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    client_free(&raw);
}

START_TEST(all_members_are_present_from_the_start)
{
    static const char *const names[] = {"total_connections",
                                        "unique_users",
                                        "history_events",
                                        "history_bytes",
                                        "last_values",
                                        "last_values_bytes",
                                        "last_values_dropped",
                                        "events",
                                        "presence_events",
                                        "deliveries",
                                        "bytes",
                                        "received_messages",
                                        "received_bytes",
                                        "client_errors",
                                        "rate_limited",
                                        "rooms_refused",
                                        "connections_opened",
                                        "connections_closed",
                                        "handshakes_refused",
                                        "protocol_errors",
                                        "timeouts",
                                        "recoveries",
                                        "recoveries_incomplete",
                                        "recovered_events",
                                        "orders_sent",
                                        "orders_done",
                                        "process_messages",
                                        "presence_skipped",
                                        "frame_floods",
                                        "slow_client",
                                        "gone",
                                        "presence",
                                        "binary",
                                        "no_memory",
                                        "backpressure"};
    cJSON *tree;

    host_open(&host);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_value(names[i], 0);
    tree = stats();
    ck_assert_int_eq(cJSON_GetArraySize(tree), 31); /* 29 numbers, rooms, drops */
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "drops")), 6);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "rooms")), 0);
    cJSON_Delete(tree);
    host_close(&host);
}
END_TEST

START_TEST(connections_users_and_rooms_are_counted)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "ann");
    ck_assert_int_eq(client_try(&host, &raw, "raw", NULL, WS_PROTOCOL_RAW), WS_OK);
    check_value("total_connections", 3); /* counted from the call on */
    check_value("connections_opened", 2);
    host_run(&host);
    check_value("connections_opened", 3);
    check_value("unique_users", 1);
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "say \"\\\" \xe2\x82\xac"),
                     WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "say \"\\\" \xe2\x82\xac"),
                     WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "b"), WS_OK);
    check_room("b", 0); /* the join is in the inbox, the room has no member yet */
    host_run(&host);
    check_room("say \"\\\" \xe2\x82\xac", 2);
    check_room("b", 1);
    client_lose(&bob);
    check_room("say \"\\\" \xe2\x82\xac", 1);
    check_room("b", 0);
    check_value("unique_users", 1);
    check_value("total_connections", 2);
    check_value("connections_closed", 1);
    client_lose(&ann);
    check_value("unique_users", 0);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 1);
    end();
}
END_TEST

START_TEST(messages_sent_and_received_are_counted)
{
    size_t bytes = 0;

    host_init(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    client_open(&host, &bob, "bob", NULL);
    check_value("presence_events", 2);
    emit_number(&host, NULL, 1);
    emit_number(&host, "nobody", 1);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "hello", 5), WS_OK);
    client_say(&ann, "{\"type\":\"ping\"}");
    client_say(&bob, "{}");
    host_run(&host);
    for (size_t i = 0; i < ann.n_messages; i++)
        bytes += strlen(ann.messages[i]);
    for (size_t i = 0; i < bob.n_messages; i++)
        bytes += strlen(bob.messages[i]);
    check_value("events", 2);
    check_value("deliveries", (double)(ann.n_messages + bob.n_messages));
    /* "E" stands for ten characters: twice in both welcomes, in bob's user_connected, in the ids,
     * in the pong. */
    check_value("bytes", (double)(bytes + 9 * (4 + 1 + 2 + 1)));
    check_value("received_messages", 2);
    check_value("received_bytes", 15 + 2);
    check_value("client_errors", 1);
    end();
}
END_TEST

START_TEST(drops_are_counted_by_reason)
{
    struct client eve;

    host_init(&host);
    host.options.max_pending = 2;
    host_start(&host);
    client_open_in(&host, &ann, "ann", "r");
    client_open(&host, &bob, "bob", NULL);
    client_open(&host, &eve, "eve", NULL);
    bob.send_result = WS_ERR_DROPPED;
    ann.send_result = WS_ERR_NO_MEMORY;
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "x", 1), WS_OK);
    ck_assert_int_eq(ws_manager_emit_stock_low(host.manager, "1", 1), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_emit_stock_low(host.manager, "1", 1), WS_ERR_BACKPRESSURE);
    host_run(&host);
    check_value("slow_client", 1);
    check_value("no_memory", 1);
    check_value("gone", 1); /* the text for ann */
    check_value("backpressure", 2);
    check_value("events", 1);
    check_value("total_connections", 1);
    check_value("connections_closed", 2);
    end();
    client_free(&eve);
}
END_TEST

START_TEST(counts_outlive_their_loop)
{
    ws_loop *other;

    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    emit_number(&host, NULL, 1);
    host_run(&host);
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &other), WS_OK);
    ws_loop_free(host.loop);
    host.loop = other;
    check_value("connections_opened", 1);
    check_value("connections_closed", 1);
    check_value("deliveries", 2);
    check_value("total_connections", 0);
    check_value("unique_users", 0);
    end();
}
END_TEST

START_TEST(without_memory_no_text_is_returned)
{
    host_open(&host);
    client_open_in(&host, &ann, "ann", "r");
    for (int metrics = 0; metrics < 2; metrics++) {
        for (long fail_at = 0;; fail_at++) {
            char *text;
            int result;

            test_memory_fail(&host.memory, fail_at, false);
            result = metrics ? ws_manager_get_metrics(host.manager, &text, NULL)
                             : ws_manager_get_stats(host.manager, &text, NULL);
            if (result == WS_OK) {
                ws_manager_free_text(host.manager, text);
                ck_assert_int_gt(fail_at, 0);
                break;
            }
            ck_assert_int_eq(result, WS_ERR_NO_MEMORY);
        }
    }
    test_memory_fail(&host.memory, NEVER_FAIL, false);
    ck_assert_int_eq(ws_manager_get_stats(NULL, &(char *){NULL}, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_get_stats(host.manager, NULL, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_get_metrics(NULL, &(char *){NULL}, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_get_metrics(host.manager, NULL, NULL), WS_ERR_INVALID);
    ws_manager_free_text(host.manager, NULL);
    end();
}
END_TEST

/* --- many rooms ------------------------------------------------------------------------------ */

enum { MANY_ROOMS = 10000, MOST_UNDER_LOCK = 64 << 10 };

static void *(*plain_realloc)(void *memory, size_t bytes, void *user_data);
static unsigned n_large;

/* The text about many rooms is larger than what is read under the lock at a time. */
static void *realloc_without_lock(void *memory, size_t bytes, void *user_data)
{
    if (bytes > MOST_UNDER_LOCK) {
        ck_assert_int_eq(pthread_mutex_trylock(&host.manager->lock.mutex), 0);
        pthread_mutex_unlock(&host.manager->lock.mutex);
        n_large++;
    }
    return plain_realloc(memory, bytes, user_data);
}

static void open_many_rooms(void)
{
    host_init(&host);
    host.options.max_rooms_per_connection = 0;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    for (int i = 0; i < MANY_ROOMS; i++) {
        char room[32];

        snprintf(room, sizeof room, "room-%d", i);
        ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, room), WS_OK);
    }
    host_run(&host);
}

START_TEST(many_rooms_are_not_listed_under_the_lock)
{
    cJSON *tree;

    open_many_rooms();
    plain_realloc = host.manager->memory.realloc;
    host.manager->memory.realloc = realloc_without_lock;
    n_large = 0;
    tree = stats();
    host.manager->memory.realloc = plain_realloc;
    ck_assert_uint_ge(n_large, 1);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "rooms")), MANY_ROOMS);
    cJSON_Delete(tree);
    check_room("room-0", 1);
    check_room("room-9999", 1);
    end();
}
END_TEST

START_TEST(a_list_of_rooms_that_is_too_long_is_omitted)
{
    static const struct {
        size_t max_bytes;
        const char *rooms;
    } cases[] = {
        {0, "\"rooms\":null"},
        {sizeof "{\"a\":1,\"b\":1}" - 2, "\"rooms\":null"},
        {sizeof "{\"a\":1,\"b\":1}" - 1, "\"rooms\":{"},
    };

    host_open(&host);
    client_open_in(&host, &ann, "ann", "a");
    client_open_in(&host, &bob, "bob", "b");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *tree;
        char *text;
        size_t length;

        ck_assert_int_eq(
            ws_manager_get_stats_within(host.manager, cases[i].max_bytes, &text, &length),
            WS_OK);
        ck_assert_uint_eq(strlen(text), length);
        ck_assert_ptr_nonnull(strstr(text, cases[i].rooms));
        tree = cJSON_ParseWithOpts(text, NULL, true);
        ck_assert_ptr_nonnull(tree);
        cJSON_Delete(tree);
        ws_manager_free_text(host.manager, text);
    }
    end();
}
END_TEST

/* --- OpenMetrics --------------------------------------------------------------------------- */

static char *metrics(void)
{
    char *text;
    size_t length;

    ck_assert_int_eq(ws_manager_get_metrics(host.manager, &text, &length), WS_OK);
    ck_assert_uint_eq(strlen(text), length);
    return text;
}

/* The family's name in a line such as "# TYPE ws_rooms gauge"; cuts the line. */
static char *family_of(char *line, char **rest)
{
    char *name = line + 7;
    char *space = strchr(name, ' ');

    ck_assert_ptr_nonnull(space);
    *space = '\0';
    *rest = space + 1;
    return name;
}

/* A sample consists of the family's name, "_total" for a counter, labels, and one number. */
static void check_sample(const char *line, const char *family, bool is_counter)
{
    size_t length = strlen(family);
    const char *after = line + length;
    char *number_end;

    ck_assert_msg(strncmp(line, family, length) == 0, "%s in family %s", line, family);
    if (is_counter) {
        ck_assert_msg(strncmp(after, "_total", 6) == 0, "%s", line);
        after += 6;
    }
    if (*after == '{') {
        ck_assert_ptr_nonnull(strstr(after, "=\""));
        after = strchr(after, '}');
        ck_assert_ptr_nonnull(after);
        after++;
    }
    ck_assert_int_eq(*after, ' ');
    strtoull(after + 1, &number_end, 10);
    ck_assert_ptr_ne(number_end, after + 1);
    ck_assert_msg(*number_end == '\0', "%s", line);
}

START_TEST(metrics_follow_the_rules_of_openmetrics)
{
    char *text;
    char *seen[64];
    size_t n_seen = 0;
    size_t n_samples = 1;
    bool is_counter = false;
    bool ended = false;
    char *rest = NULL;

    host_open(&host);
    client_open_in(&host, &ann, "ann", "r");
    text = metrics();
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ck_assert(!ended);
        if (strcmp(line, "# EOF") == 0) {
            ended = true;
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            ck_assert_uint_gt(n_samples, 0);
            seen[n_seen] = family_of(line, &rest);
            for (size_t i = 0; i < n_seen; i++)
                ck_assert_str_ne(seen[i], seen[n_seen]);
            n_seen++;
            is_counter = strcmp(rest, "counter") == 0;
            ck_assert(is_counter || strcmp(rest, "gauge") == 0);
            n_samples = 0;
        } else if (strncmp(line, "# HELP ", 7) == 0) {
            ck_assert_str_eq(family_of(line, &rest), seen[n_seen - 1]);
            ck_assert_uint_eq(n_samples, 0);
            ck_assert_uint_gt(strlen(rest), 5);
        } else {
            ck_assert_int_ne(line[0], '#');
            ck_assert_uint_gt(n_seen, 0);
            check_sample(line, seen[n_seen - 1], is_counter);
            n_samples++;
        }
    }
    ck_assert(ended);
    ck_assert_uint_eq(n_seen, 7 + 23 + 1);
    ws_manager_free_text(host.manager, text);
    end();
}
END_TEST

START_TEST(metrics_agree_with_the_statistics)
{
    static const char *const lines[] = {
        "\nws_connections 2\n",
        "\nws_users 1\n",
        "\nws_rooms 1\n",
        "\nws_events_total 1\n",
        "\nws_deliveries_total 4\n",
        "\nws_connections_opened_total 2\n",
        "\nws_drops_total{reason=\"slow_client\"} 0\n",
        "\nws_drops_total{reason=\"gone\"} 0\n",
        "\nws_drops_total{reason=\"presence\"} 0\n",
        "\nws_drops_total{reason=\"binary\"} 0\n",
        "\nws_drops_total{reason=\"no_memory\"} 0\n",
        "\nws_drops_total{reason=\"backpressure\"} 0\n",
        "\n# TYPE ws_drops counter\n",
    };
    char *text;

    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open_in(&host, &bob, "bob", "the \"secret\" room");
    emit_number(&host, NULL, 1);
    host_run(&host);
    text = metrics();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "not in the metrics: %s", lines[i]);
    ck_assert_ptr_null(strstr(text, "secret"));
    ws_manager_free_text(host.manager, text);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        all_members_are_present_from_the_start,
        connections_users_and_rooms_are_counted,
        messages_sent_and_received_are_counted,
        drops_are_counted_by_reason,
        counts_outlive_their_loop,
        without_memory_no_text_is_returned,
        many_rooms_are_not_listed_under_the_lock,
        a_list_of_rooms_that_is_too_long_is_omitted,
        metrics_follow_the_rules_of_openmetrics,
        metrics_agree_with_the_statistics,
        NULL,
    };

    return suite_run("stats", tests);
}
