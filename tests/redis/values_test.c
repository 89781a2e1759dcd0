/* values_test.c: what rooms keep is in Redis, too: a process that starts has what the others
 * have, whatever the stream still has. Not here: what rooms keep
 * (unit/core/last_values_test.c), and what a manager does with the values
 * (unit/core/cluster_values_test.c). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/last_values.h>

#include "core/manager.h"
#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

#define VALUES "{wsmanager}:values"
#define SIZES "{wsmanager}:values:sizes"

static const char *const rooms[] = {"r", "s", "other room"};
enum { N_ROOMS = sizeof rooms / sizeof *rooms };

static struct server server;
static struct node ann;
static struct node bob;
static struct node cat;

static void keep(struct node *node, const char *room, const char *type, int by_key,
                 uint32_t max_values, uint64_t max_bytes)
{
    ws_last_values_options options;

    ws_last_values_options_init(&options);
    options.room = room;
    options.type = type;
    options.by_key = by_key;
    options.max_values = max_values;
    options.max_bytes = max_bytes;
    ck_assert_int_eq(ws_manager_keep_last_values(node->host.manager, &options), WS_OK);
}

/* Opens a node that was set up, with the rules that all processes have. */
static void open_node(struct node *node)
{
    node_open(node);
    keep(node, "r", "order_updated", 1, 5, 0);
    keep(node, "r", NULL, 1, 1000, 2000);
    keep(node, "s", NULL, 0, 4, 0);
    keep(node, NULL, NULL, 1, 100000, 0);
    UNTIL(node->connected);
}

static void start_node(struct node *node, const char *name)
{
    node_init(node, name, server.uri);
    open_node(node);
}

static void begin(void)
{
    server_start(&server, NULL);
    start_node(&ann, "ann");
}

static void end(void)
{
    node_close(&ann);
    server_end(&server);
}

/* data NULL: the value of the key is removed, or all of the room. */
static void emit(struct node *node, const char *room, const char *type, const char *key,
                 const char *data)
{
    ws_event *event;

    if (data == NULL)
        data = "null";
    ck_assert_int_eq(ws_event_new(node->host.manager, type, data, strlen(data), &event), WS_OK);
    if (key != NULL)
        ck_assert_int_eq(ws_event_set_key(event, key), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast_to_room(node->host.manager, room, event, NULL, 0),
                     WS_OK);
    ws_event_free(event);
}

static void set_number(struct node *node, const char *room, const char *key, int number)
{
    char data[32];

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    emit(node, room, "order_updated", key, data);
}

/* Until all that was emitted is stored, and the node has read the stream. */
static void catch_up(struct node *node)
{
    UNTIL(node_stat(&ann, "pending_events") == 0 &&
          node_stat(node, "position") ==
              strtoull(server_do(&server, "HGET {wsmanager}:state position"), NULL, 10));
}

/* What a client receives that enters the room now; the caller frees it. */
static char *state_of(struct node *node, const char *room)
{
    struct client visitor = {.host = &node->host};
    char *text = calloc(1, 1);
    const char *message;
    char join[128];

    ck_assert_ptr_nonnull(text);
    client_open(&node->host, &visitor, "visitor", NULL);
    snprintf(join, sizeof join, "{\"type\":\"join_room\",\"room\":\"%s\",\"state\":true}",
             room);
    client_say(&visitor, join);
    host_run(&node->host);
    while ((message = client_next(&visitor)) != NULL) {
        text = realloc(text, strlen(text) + strlen(message) + 2);
        ck_assert_ptr_nonnull(text);
        strcat(strcat(text, message), "\n");
    }
    client_lose(&visitor);
    host_run(&node->host);
    client_free(&visitor);
    return text;
}

static void expect_same(struct node *one, struct node *other)
{
    for (size_t i = 0; i < N_ROOMS; i++) {
        char *expected = state_of(one, rooms[i]);
        char *text = state_of(other, rooms[i]);

        ck_assert_str_eq(text, expected);
        free(expected);
        free(text);
    }
}

/* The room's state has this many values. */
static void expect_count(struct node *node, const char *room, int count)
{
    char expected[32];
    char *text = state_of(node, room);

    snprintf(expected, sizeof expected, "\"state\":%d,", count);
    ck_assert_msg(strstr(text, expected) != NULL, "not %d: %s", count, text);
    free(text);
}

/* Redis has exactly the values of the node, and counts their bytes. */
static void expect_stored(const struct node *node)
{
    const struct last_values *values = &node->host.manager->last_values;
    uint64_t bytes = 0;

    for (const struct kept_value *value = values->first; value != NULL;
         value = value->newer_of_all)
        bytes += kept_value_cost(value->name_length > 0 ? value->key : NULL, value->message);
    ck_assert_uint_eq(strtoull(server_do(&server, "HLEN " VALUES), NULL, 10), values->count);
    ck_assert_uint_eq(strtoull(server_do(&server, "ZCARD " VALUES ":order"), NULL, 10),
                      values->count);
    ck_assert_uint_eq(strtoull(server_do(&server, "ZCARD " VALUES ":lists"), NULL, 10),
                      values->count);
    ck_assert_uint_eq(
        strtoull(server_do(&server, "EVAL return(redis.call('HGET',KEYS[1],'')) 1 " SIZES),
                 NULL, 10),
        bytes);
}

/* --- what a new process has ------------------------------------------------------------------- */

static void emit_something(struct node *node, unsigned random)
{
    static const char *const types[] = {"order_updated", "order_created", "stock_low"};
    char data[400];
    char key[24];

    snprintf(key, sizeof key, "key %u", random / 7 % 12);
    snprintf(data, sizeof data, "{\"n\":%u,\"text\":\"%0*d\"}", random,
             1 + (int)(random / 3 % 300), 0);
    emit(node, rooms[random % N_ROOMS], types[random / 11 % 3], random % 13 == 0 ? NULL : key,
         random % 17 == 0 ? NULL : data);
}

START_TEST(a_new_process_has_what_the_others_have)
{
    unsigned random = 1;

    begin();
    start_node(&cat, "cat");
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            random = random * 1103515245 + 12345;
            emit_something(i % 2 == 0 ? &ann : &cat, random / 65536);
        }
        catch_up(&ann);
        catch_up(&cat);
        expect_same(&ann, &cat);
        expect_stored(&ann);
        server_do(&server, "XTRIM {wsmanager}:events MAXLEN = %d", 10 * round);
        start_node(&bob, "bob");
        expect_same(&ann, &bob);
        node_close(&bob);
    }
    node_close(&cat);
    end();
}
END_TEST

/* None of the processes of before is there any more. */
START_TEST(all_processes_start_again)
{
    begin();
    set_number(&ann, "r", "a", 1);
    set_number(&ann, "r", "b", 2);
    set_number(&ann, "s", NULL, 3);
    set_number(&ann, "r", "a", 4);
    catch_up(&ann);
    node_close(&ann);
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN = 0");
    start_node(&ann, "ann");
    expect_count(&ann, "r", 2);
    expect_count(&ann, "s", 1);
    /* It goes on where it was. */
    emit(&ann, "r", "order_updated", "b", NULL);
    set_number(&ann, "r", "c", 5);
    catch_up(&ann);
    start_node(&bob, "bob");
    expect_count(&bob, "r", 2);
    expect_same(&ann, &bob);
    node_close(&bob);
    end();
}
END_TEST

/* Every client that enters while the process starts ends with the same state, and has nothing
 * twice. */
START_TEST(nothing_is_missing_or_twice_while_a_process_starts)
{
    enum { N_VISITORS = 40 };
    static struct client visitors[N_VISITORS];
    int n_emitted = 0;

    begin();
    for (int i = 0; i < 200; i++)
        set_number(&ann, "r", i % 2 == 0 ? "even" : "odd", n_emitted++);
    catch_up(&ann);
    node_init(&bob, "bob", server.uri);
    bob.options.preload_events = 1;
    node_open(&bob);
    keep(&bob, "r", "order_updated", 1, 5, 0);
    for (int i = 0; i < N_VISITORS; i++) {
        visitors[i] = (struct client){.host = &bob.host};
        client_open(&bob.host, &visitors[i], "visitor", NULL);
        client_say(&visitors[i], "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}");
        set_number(&ann, "r", "even", n_emitted++);
        set_number(&ann, "r", "odd", n_emitted++);
        nodes_turn();
    }
    catch_up(&ann);
    catch_up(&bob);
    for (int i = 0; i < N_VISITORS; i++) {
        int last = -1;
        const char *message;

        while ((message = client_next(&visitors[i])) != NULL) {
            const char *number = strstr(message, "{\"n\":");

            if (strstr(message, "\"recovered\"") != NULL) /* it is to ask again */
                last = n_emitted - 1;
            if (number == NULL)
                continue;
            ck_assert_msg(atoi(number + 5) > last || last == n_emitted - 1, "visitor %d: %s", i,
                          message);
            last = atoi(number + 5);
        }
        ck_assert_int_eq(last, n_emitted - 1);
        client_lose(&visitors[i]);
        host_run(&bob.host);
        client_free(&visitors[i]);
    }
    expect_count(&bob, "r", 2);
    expect_same(&ann, &bob);
    node_close(&bob);
    end();
}
END_TEST

/* The stream was trimmed while the process was behind. */
START_TEST(a_process_that_has_missed_events)
{
    begin();
    node_init(&bob, "bob", server.uri);
    bob.host.options.max_pending = 16;
    bob.options.preload_events = 1;
    open_node(&bob);
    set_number(&ann, "r", "a", 1);
    set_number(&ann, "r", "b", 2);
    catch_up(&ann);
    catch_up(&bob);
    bob.n_missed = 0;
    bob.is_stuck = true;
    emit(&ann, "r", "order_updated", "b", NULL);
    for (int i = 0; i < 50; i++)
        set_number(&ann, "r", i % 2 == 0 ? "c" : "d", i);
    for (int i = 0; i < 2000; i++)
        ck_assert_int_eq(node_emit(&ann, i), WS_OK);
    catch_up(&ann);
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN = 3");
    bob.is_stuck = false;
    UNTIL(bob.n_missed > 0);
    catch_up(&bob);
    expect_count(&bob, "r", 3);
    expect_same(&ann, &bob);
    node_close(&bob);
    end();
}
END_TEST

/* --- Redis loses data --------------------------------------------------------------------- */

START_TEST(redis_is_flushed)
{
    begin();
    start_node(&bob, "bob");
    set_number(&ann, "r", "a", 1);
    set_number(&ann, "s", NULL, 2);
    catch_up(&ann);
    catch_up(&bob);
    expect_count(&bob, "r", 1);
    bob.n_missed = ann.n_missed = 0;
    server_do(&server, "FLUSHALL");
    UNTIL(ann.n_missed > 0 && bob.n_missed > 0);
    expect_count(&ann, "r", 0);
    expect_same(&ann, &bob);
    set_number(&ann, "r", "b", 3);
    catch_up(&ann);
    catch_up(&bob);
    expect_count(&ann, "r", 1);
    expect_same(&ann, &bob);
    expect_stored(&ann);
    node_close(&bob);
    end();
}
END_TEST

/* The stream is gone, but not what rooms have kept of it. */
START_TEST(a_new_stream_begins_without_values)
{
    begin();
    set_number(&ann, "r", "a", 1);
    catch_up(&ann);
    ann.n_missed = 0;
    server_do(&server, "DEL {wsmanager}:state {wsmanager}:events");
    UNTIL(ann.n_missed > 0);
    expect_count(&ann, "r", 0);
    ck_assert_str_eq(
        server_do(&server, "EXISTS " VALUES " " VALUES ":order " VALUES ":lists " SIZES), "0");
    end();
}
END_TEST

/* Redis comes back with older data: what it has is what all processes have. */
START_TEST(redis_has_older_data)
{
    begin();
    start_node(&bob, "bob");
    set_number(&ann, "r", "a", 1);
    set_number(&ann, "r", "b", 2);
    catch_up(&ann);
    server_do(&server, "SAVE");
    set_number(&ann, "r", "a", 3);
    emit(&ann, "r", "order_updated", "b", NULL);
    catch_up(&ann);
    catch_up(&bob);
    expect_count(&bob, "r", 1);
    bob.n_missed = ann.n_missed = 0;
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected && !bob.connected);
    server_restart(&server);
    UNTIL(ann.n_missed > 0 && bob.n_missed > 0 && ann.connected && bob.connected);
    expect_count(&ann, "r", 2);
    expect_same(&ann, &bob);
    start_node(&cat, "cat");
    expect_same(&ann, &cat);
    node_close(&cat);
    node_close(&bob);
    end();
}
END_TEST

START_TEST(events_wait_while_redis_is_away)
{
    begin();
    set_number(&ann, "r", "a", 1);
    catch_up(&ann);
    server_do(&server, "SAVE");
    server_signal(&server, SIGTERM);
    UNTIL(!ann.connected);
    set_number(&ann, "r", "a", 2);
    set_number(&ann, "r", "b", 3);
    expect_count(&ann, "r", 1); /* as clients have seen it */
    server_restart(&server);
    UNTIL(ann.connected);
    catch_up(&ann);
    expect_count(&ann, "r", 2);
    start_node(&bob, "bob");
    expect_same(&ann, &bob);
    expect_stored(&ann);
    node_close(&bob);
    end();
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(all_rooms_have_a_limit_of_bytes)
{
    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    ann.host.options.last_values_bytes = 20000;
    open_node(&ann);
    for (int i = 0; i < 300; i++) {
        char room[24];

        snprintf(room, sizeof room, "room %d", i % 20);
        set_number(&ann, room, i % 3 == 0 ? "a" : "b", i);
    }
    catch_up(&ann);
    ck_assert_int_le(
        atoi(server_do(&server, "EVAL return(redis.call('HGET',KEYS[1],'')) 1 " SIZES)), 20000);
    ck_assert_int_ge(atoi(server_do(&server, "HLEN " VALUES)), 10);
    end();
}
END_TEST

/* Opens a node that keeps the newest events of the room "all". */
static void open_with_limit(struct node *node, const char *name, uint32_t max_values)
{
    node_init(node, name, server.uri);
    node_open(node);
    keep(node, "all", NULL, 0, max_values, 0);
    UNTIL(node->connected);
}

START_TEST(many_values_are_removed_at_once)
{
    server_start(&server, NULL);
    open_with_limit(&ann, "ann", 5000);
    for (int i = 0; i < 2500; i++)
        set_number(&ann, "all", NULL, i);
    catch_up(&ann);
    expect_stored(&ann);
    ck_assert_str_eq(server_do(&server, "HLEN " VALUES), "2500");
    emit(&ann, "all", "order_updated", NULL, NULL);
    catch_up(&ann);
    expect_stored(&ann);
    ck_assert_str_eq(server_do(&server, "HLEN " VALUES), "0");
    end();
}
END_TEST

/* Redis has what the sender's process declares; a process keeps of it what it declares itself. */
START_TEST(processes_with_other_limits)
{
    server_start(&server, NULL);
    open_with_limit(&ann, "ann", 1000);
    for (int i = 0; i < 500; i++)
        set_number(&ann, "all", NULL, i);
    catch_up(&ann);
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN = 0");
    open_with_limit(&bob, "bob", 10);
    expect_count(&bob, "all", 10);
    ck_assert_str_eq(server_do(&server, "HLEN " VALUES), "500");
    /* An event removes some of those that are too many. */
    set_number(&bob, "all", NULL, 500);
    UNTIL(node_stat(&bob, "stored") == 1);
    ck_assert_str_eq(server_do(&server, "HLEN " VALUES), "401");
    for (int i = 0; i < 5; i++)
        set_number(&bob, "all", NULL, 501 + i);
    UNTIL(node_stat(&bob, "stored") == 6);
    catch_up(&bob);
    expect_stored(&bob);
    node_close(&bob);
    end();
}
END_TEST

/* The oldest of many keys is found also if all of them have changed since they were added. One
 * event looks for it for some time only, and the next ones go on. */
START_TEST(the_oldest_of_many_keys_is_removed)
{
    enum { N = 400, N_MORE = 6 };
    char key[24];

    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    node_open(&ann);
    keep(&ann, "r", NULL, 1, N, 0);
    UNTIL(ann.connected);
    for (int i = 0; i < 2 * N; i++) {
        snprintf(key, sizeof key, "%d", i < N ? i : 2 * N - i - 1);
        set_number(&ann, "r", key, i);
    }
    set_number(&ann, "r", "one more", 0);
    catch_up(&ann);
    ck_assert_int_eq(atoi(server_do(&server, "HLEN " VALUES)), N + 1);
    for (int i = 0; i < N_MORE; i++) {
        snprintf(key, sizeof key, "more %d", i);
        set_number(&ann, "r", key, i);
    }
    catch_up(&ann);
    expect_stored(&ann);
    ck_assert_str_eq(server_do(&server, "HLEN " VALUES), "400");
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN = 0");
    node_init(&bob, "bob", server.uri);
    node_open(&bob);
    keep(&bob, "r", NULL, 1, N, 0);
    UNTIL(bob.connected);
    expect_same(&ann, &bob);
    node_close(&bob);
    end();
}
END_TEST

/* More than one page, of more than a connection carries at once. */
START_TEST(many_large_values)
{
    static char data[8192];
    redisContext *context;

    begin();
    memset(data, '1', sizeof data - 1);
    for (int i = 0; i < 300; i++) {
        char key[24];

        snprintf(key, sizeof key, "%d", i);
        emit(&ann, "other room", "order_updated", key, data);
        if (i % 50 == 0)
            catch_up(&ann);
    }
    catch_up(&ann);
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN = 0");
    start_node(&bob, "bob");
    expect_count(&bob, "other room", 300);
    expect_same(&ann, &bob);
    node_close(&bob);
    context = server_connect(&server);
    freeReplyObject(
        redisCommand(context, "CONFIG SET client-output-buffer-limit %s", "normal 65536 0 0"));
    redisFree(context);
    start_node(&bob, "bob");
    UNTIL(bob.connected);
    expect_same(&ann, &bob);
    node_close(&bob);
    end();
}
END_TEST

/* The carrier that starts has no memory for a moment, whenever that is. */
START_TEST(any_allocation_may_fail)
{
    bool failed = true;

    begin();
    set_number(&ann, "r", "a", 1);
    set_number(&ann, "r", "b", 2);
    set_number(&ann, "s", NULL, 3);
    catch_up(&ann);
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN = 1");
    for (long n = 0; failed; n++) {
        node_init(&bob, "bob", server.uri);
        node_open(&bob);
        test_memory_fail(&bob.memory, n, false);
        keep(&bob, "r", "order_updated", 1, 5, 0);
        keep(&bob, "r", NULL, 1, 1000, 2000);
        keep(&bob, "s", NULL, 0, 4, 0);
        UNTIL(bob.connected);
        failed = bob.memory.failed;
        test_memory_fail(&bob.memory, NEVER_FAIL, false);
        catch_up(&bob);
        expect_same(&ann, &bob);
        node_close(&bob);
    }
    end();
}
END_TEST

/* --- values that Redis cannot keep --------------------------------------------------------- */

START_TEST(events_are_stored_if_the_values_can_not_be)
{
    begin();
    set_number(&ann, "r", "a", 1);
    catch_up(&ann);
    server_do(&server, "SET " SIZES " x");
    set_number(&ann, "r", "b", 2);
    catch_up(&ann);
    ck_assert_str_eq(
        server_do(&server, "EXISTS " VALUES " " VALUES ":order " VALUES ":lists " SIZES), "0");
    expect_count(&ann, "r", 2);
    server_do(&server, "ACL SETUSER default -zadd");
    set_number(&ann, "r", "c", 3);
    catch_up(&ann);
    expect_count(&ann, "r", 3);
    ck_assert_str_eq(server_do(&server, "EXISTS " VALUES), "0");
    start_node(&bob, "bob"); /* it has what the stream has */
    expect_same(&ann, &bob);
    node_close(&bob);
    server_do(&server, "ACL SETUSER default +zadd -zrangebyscore");
    set_number(&ann, "r", "d", 4);
    catch_up(&ann);
    start_node(&bob, "bob");
    expect_same(&ann, &bob);
    node_close(&bob);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_new_process_has_what_the_others_have,
        all_processes_start_again,
        nothing_is_missing_or_twice_while_a_process_starts,
        a_process_that_has_missed_events,
        redis_is_flushed,
        a_new_stream_begins_without_values,
        redis_has_older_data,
        events_wait_while_redis_is_away,
        all_rooms_have_a_limit_of_bytes,
        many_values_are_removed_at_once,
        processes_with_other_limits,
        the_oldest_of_many_keys_is_removed,
        many_large_values,
        any_allocation_may_fail,
        events_are_stored_if_the_values_can_not_be,
        NULL,
    };

    return suite_run("redis-values", tests);
}
