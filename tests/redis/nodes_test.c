/* nodes_test.c: what processes know of each other, and a carrier's statistics. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

static struct server server;
static struct node ann;
static struct node bob;

static void begin(void)
{
    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    node_init(&bob, "bob \"b\"", server.uri);
    ann.options.heartbeat_interval_ms = 50;
    bob.options.heartbeat_interval_ms = 50;
    node_open(&ann);
    node_open(&bob);
}

static bool nodes_are(struct node *node, const char *expected)
{
    size_t length;
    char *text;
    bool same;

    ck_assert_int_eq(ws_redis_get_nodes(node->redis, &text, &length), WS_OK);
    ck_assert_uint_eq(length, strlen(text));
    same = strcmp(text, expected) == 0;
    ws_redis_free_text(node->redis, text);
    return same;
}

#define ANN_AND_BOB                                                                            \
    "{\"nodes\":{\"ann\":{\"total_connections\":1,\"unique_users\":0,\"rooms\":{}},"           \
    "\"bob \\\"b\\\"\":{\"total_connections\":1,\"unique_users\":0,\"rooms\":{}}},"            \
    "\"total_connections\":2,\"rooms\":{}}"
#define ANN_AND_BOB_IN_A                                                                       \
    "{\"nodes\":{\"ann\":{\"total_connections\":1,\"unique_users\":0,\"rooms\":{}},"           \
    "\"bob \\\"b\\\"\":{\"total_connections\":1,\"unique_users\":0,\"rooms\":{\"a\":1}}},"     \
    "\"total_connections\":2,\"rooms\":{\"a\":1}}"

START_TEST(nodes_are_summed_and_expire)
{
    struct client more;

    begin();
    ck_assert(nodes_are(&ann, "{\"nodes\":{},\"total_connections\":0,\"rooms\":{}}"));
    client_open(&bob.host, &more, "more", "user");
    ck_assert_int_eq(ws_manager_join_room(ann.host.manager, ann.client.id, "a"), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(bob.host.manager, bob.client.id, "a"), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(bob.host.manager, more.id, "a"), WS_OK);
    UNTIL(nodes_are(&ann, "{\"nodes\":{\"ann\":{\"total_connections\":1,\"unique_users\":0,"
                          "\"rooms\":{\"a\":1}},\"bob \\\"b\\\"\":{\"total_connections\":2,"
                          "\"unique_users\":1,\"rooms\":{\"a\":2}}},"
                          "\"total_connections\":3,\"rooms\":{\"a\":3}}"));
    ck_assert_int_gt(atoi(server_do(&server, "PTTL {wsmanager}:nodes")), 0);
    ck_assert_int_gt(atoi(server_do(&server, "PTTL {wsmanager}:expiries")), 0);
    node_close(&bob);
    client_free(&more);
    UNTIL(nodes_are(&ann,
                    "{\"nodes\":{\"ann\":{\"total_connections\":1,\"unique_users\":0,"
                    "\"rooms\":{\"a\":1}}},\"total_connections\":1,\"rooms\":{\"a\":1}}"));
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* A process that restarts has the name of its predecessor: no warning is reported. */
START_TEST(two_processes_with_one_name_are_told)
{
    struct node other;

    begin();
    node_init(&other, "bob \"b\"", server.uri);
    other.options.heartbeat_interval_ms = 50;
    UNTIL(nodes_are(&bob, ANN_AND_BOB));
    node_close(&bob);
    node_open(&other);
    ck_assert_int_eq(ws_manager_join_room(other.host.manager, other.client.id, "a"), WS_OK);
    for (int i = 0; i < 3; i++) {
        UNTIL(nodes_are(&ann, ANN_AND_BOB_IN_A));
        ck_assert_ptr_null(strstr(other.state, "another name"));
    }
    node_init(&bob, "bob \"b\"", server.uri);
    bob.options.heartbeat_interval_ms = 50;
    node_open(&bob);
    UNTIL(strstr(other.state, "another process also uses \"bob \"b\"\"") != NULL);
    ck_assert_int_eq(other.connected, 1);
    node_close(&bob);
    node_close(&other);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* Invalid values are omitted. */
START_TEST(invalid_nodes_are_skipped)
{
    begin();
    node_close(&bob);
    UNTIL(ann.connected);
    server_do(&server,
              "HSET {wsmanager}:nodes x1 {bad x2 [] x3 {\"rooms\":[1,2]} x4 "
              "{\"total_connections\":\"x\",\"rooms\":{\"r\":-1,\"s\":\"t\",\"u\":1e300}}");
    UNTIL(nodes_are(
        &ann, "{\"nodes\":{\"ann\":{\"total_connections\":1,\"unique_users\":0,"
              "\"rooms\":{}},\"x3\":{\"rooms\":[1,2]},\"x4\":{\"total_connections\":"
              "\"x\",\"rooms\":{\"r\":-1,\"s\":\"t\",\"u\":1e300}}},\"total_connections\":1,"
              "\"rooms\":{}}"));
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* A process with very many rooms publishes none of them. */
START_TEST(very_many_rooms_are_not_published)
{
    enum { CLIENTS = 3, EACH = 900 };
    struct client clients[CLIENTS];
    char name[128];

    begin();
    node_close(&bob);
    for (int i = 0; i < CLIENTS; i++) {
        client_open(&ann.host, &clients[i], "guest", NULL);
        for (int j = 0; j < EACH; j++) {
            snprintf(name, sizeof name, "%0120d", i * EACH + j);
            ck_assert_int_eq(ws_manager_join_room(ann.host.manager, clients[i].id, name),
                             WS_OK);
        }
        host_run(&ann.host);
    }
    UNTIL(nodes_are(&ann, "{\"nodes\":{\"ann\":{\"total_connections\":4,\"unique_users\":0,"
                          "\"rooms\":{}}},\"total_connections\":4,\"rooms\":{}}"));
    node_close(&ann);
    for (int i = 0; i < CLIENTS; i++)
        client_free(&clients[i]);
    server_end(&server);
}
END_TEST

START_TEST(statistics_as_json_and_metrics)
{
    char line[64];
    char *text;
    size_t length;

    begin();
    ck_assert_int_eq(ws_redis_get_stats(ann.redis, &text, &length), WS_OK);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_str_eq(text,
                     "{\"epoch\":\"\",\"server\":\"\",\"connected\":0,\"position\":0,\"lag\":0,"
                     "\"pending_events\":0,\"pending_bytes\":0,\"pending_fetches\":0,"
                     "\"stored\":0,\"duplicates\":0,\"refused\":0,\"delivered\":0,"
                     "\"fetched\":0,\"sessions\":0,\"failures\":0,\"redirections\":0}");
    ws_redis_free_text(ann.redis, text);
    UNTIL(ann.connected);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    UNTIL(node_stat(&ann, "stored") == 1);
    ck_assert_int_eq(ws_redis_get_metrics(ann.redis, &text, &length), WS_OK);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_ptr_nonnull(strstr(text,
                                 "# TYPE ws_redis_connected gauge\n# HELP ws_redis_connected "
                                 "1 while events are exchanged with Redis\n"
                                 "ws_redis_connected 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "# TYPE ws_redis_stored counter\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nws_redis_stored_total 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "# TYPE ws_redis_server info\n"));
    snprintf(line, sizeof line, "\nws_redis_server_info{server=\"127.0.0.1:%d\"} 1\n",
             server.port);
    ck_assert_ptr_nonnull(strstr(text, line));
    ck_assert_ptr_null(strstr(text, "# EOF"));
    ws_redis_free_text(ann.redis, text);
    node_close(&ann);
    node_close(&bob);
    server_end(&server);
}
END_TEST

/* A process that shuts down cleanly does not wait for its expiry. */
START_TEST(a_clean_shutdown_removes_the_node)
{
    server_start(&server, NULL);
    node_start(&ann, "ann", server.uri);
    node_start(&bob, "bob", server.uri);
    UNTIL(strcmp(server_do(&server, "HLEN {wsmanager}:nodes"), "2") == 0);
    node_close(&bob);
    UNTIL(strcmp(server_do(&server, "HLEN {wsmanager}:nodes"), "1") == 0);
    ck_assert_str_eq(server_do(&server, "ZCARD {wsmanager}:expiries"), "1");
    ck_assert_str_eq(server_do(&server, "HEXISTS {wsmanager}:nodes ann"), "1");
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* Unanswered heartbeats do not accumulate. */
START_TEST(heartbeats_do_not_accumulate)
{
    uint64_t n_turns = 0;

    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    ann.options.heartbeat_interval_ms = 1;
    node_open(&ann);
    UNTIL(ann.connected);
    server_signal(&server, SIGSTOP);
    UNTIL(n_turns++ == 200);
    server_signal(&server, SIGCONT);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    node_expect(&ann, 1, 1);
    ck_assert_uint_eq(node_stat(&ann, "failures"), 0);
    node_close(&ann);
    server_end(&server);
}
END_TEST

int main(void)
{
    return suite_run("redis-nodes",
                     (const TTest *const[]){
                         nodes_are_summed_and_expire, two_processes_with_one_name_are_told,
                         invalid_nodes_are_skipped, very_many_rooms_are_not_published,
                         statistics_as_json_and_metrics, a_clean_shutdown_removes_the_node,
                         heartbeats_do_not_accumulate, NULL});
}
