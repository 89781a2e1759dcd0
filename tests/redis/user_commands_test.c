/* user_commands_test.c: commands for users, and messages between processes through a real
 * Redis: their entries in the stream, their order, a process that was cut off. Not here: what the
 * manager does with them (unit/core/user_commands_cluster_test.c). */
#include <stdio.h>
#include <string.h>

#include "redis/support/node.h"
#include "redis/support/peer.h"
#include "redis/support/server.h"
#include "support/suite.h"

static struct server server;
static struct peer peer;
static struct node ann;
static struct node bob; /* through the peer */
static char heard[256]; /* what bob's application received */
static unsigned n_gaps; /* of bob */

static void on_message(ws_manager *manager, const ws_process_message *message, void *user_data)
{
    (void)user_data;
    ck_assert_ptr_eq(manager, bob.host.manager);
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s %s\n", message->type,
             message->data);
}

static void on_gap(ws_manager *manager, void *user_data)
{
    (void)manager;
    (void)user_data;
    n_gaps++;
}

static void begin(const char *const *options)
{
    heard[0] = '\0';
    n_gaps = 0;
    server_start(&server, options);
    peer_start(&peer, server.port);
    node_start(&ann, "ann", server.uri);
    node_init(&bob, "bob", peer.uri);
    bob.host.options.on_process_message = on_message;
    bob.host.options.on_processes_gap = on_gap;
    node_open(&bob);
    UNTIL(ann.connected && bob.connected);
    ck_assert_uint_eq(n_gaps, 1); /* the first start */
}

static void end(void)
{
    node_close(&ann);
    node_close(&bob);
    peer_end(&peer);
    server_end(&server);
}

/* The newest entry has only the field `order`: a process that does not know it finds no event. */
static void expect_command(void)
{
    redisContext *context = server_connect(&server);
    redisReply *reply = redisCommand(context, "XREVRANGE {wsmanager}:events + - COUNT 1");
    const redisReply *fields;

    ck_assert_ptr_nonnull(reply);
    ck_assert_uint_eq(reply->elements, 1);
    fields = reply->element[0]->element[1];
    ck_assert_uint_eq(fields->elements, 2);
    ck_assert_str_eq(fields->element[0]->str, "order");
    ck_assert_str_eq(fields->element[1]->str,
                     "{\"order\":\"disconnect_user\",\"user_id\":\"guest\",\"code\":4001,"
                     "\"reason\":\"go\"}");
    freeReplyObject(reply);
    redisFree(context);
}

START_TEST(commands_are_entries_of_their_own)
{
    struct client guest;

    begin(NULL);
    client_open(&bob.host, &guest, "guest", "guest");
    ck_assert_int_eq(ws_manager_join_room_of_user(ann.host.manager, "guest", "r"), WS_OK);
    emit_number(&ann.host, "r", 1);
    ck_assert_int_eq(ws_manager_send_to_processes(ann.host.manager, "cache", "[1]", 3), WS_OK);
    ck_assert_int_eq(ws_manager_leave_room_of_user(ann.host.manager, "guest", "r"), WS_OK);
    emit_number(&ann.host, "r", 2);
    ck_assert_int_eq(ws_manager_disconnect_user(ann.host.manager, "guest", 4001, "go"), WS_OK);
    UNTIL(guest.n_closes == 1);
    client_expect(&guest, number_message(2, "r", 1),
                  "{\"type\":\"room_left\",\"data\":{\"room\":\"r\",\"id\":\"E.3\"}}", NULL);
    ck_assert_int_eq(guest.close_code, 4001);
    ck_assert_str_eq(heard, "cache [1]\n");
    ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), "6");
    expect_command();
    end();
    client_free(&guest);
}
END_TEST

START_TEST(a_process_that_is_back_carries_out_what_it_missed)
{
    struct client guest;

    begin(NULL);
    client_open(&bob.host, &guest, "guest", "guest");
    peer_order(&peer, PEER_MOVES, 1, ""); /* where nobody listens */
    UNTIL(!bob.connected);
    ck_assert_int_eq(ws_manager_send_to_processes(ann.host.manager, "cache", "1", 1), WS_OK);
    ck_assert_int_eq(ws_manager_disconnect_user(ann.host.manager, "guest", 4001, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_send_to_processes(ann.host.manager, "cache", "2", 1), WS_OK);
    UNTIL(node_stat(&ann, "delivered") == 3);
    ck_assert_int_eq(guest.n_closes, 0);
    peer_order(&peer, PEER_MOVES, (size_t)server.port, "");
    UNTIL(guest.n_closes == 1);
    UNTIL(strcmp(heard, "cache 1\ncache 2\n") == 0);
    ck_assert_uint_eq(n_gaps, 1);
    end();
    client_free(&guest);
}
END_TEST

START_TEST(a_new_epoch_is_a_gap)
{
    begin(NULL);
    ck_assert_int_eq(ws_manager_send_to_processes(ann.host.manager, "cache", "1", 1), WS_OK);
    UNTIL(strcmp(heard, "cache 1\n") == 0);
    server_do(&server, "FLUSHALL");
    UNTIL(n_gaps == 2);
    ck_assert_int_eq(ws_manager_send_to_processes(ann.host.manager, "cache", "2", 1), WS_OK);
    UNTIL(strcmp(heard, "cache 1\ncache 2\n") == 0);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        commands_are_entries_of_their_own,
        a_process_that_is_back_carries_out_what_it_missed,
        a_new_epoch_is_a_gap,
        NULL,
    };

    return suite_run("redis-user-commands", tests);
}
