/* kept_host.h: clients that come back and send something again, for the tests of kept answers. */
#ifndef TEST_CORE_KEPT_HOST_H
#define TEST_CORE_KEPT_HOST_H

#include <stdio.h>
#include <string.h>

#include "core/manager.h"
#include "support/host.h"

static struct host host;
static struct client first;
static struct client second;
static struct client third;

static inline void prepare(void)
{
    host_init(&host);
    first = second = third = (struct client){0};
}

static inline void start(void)
{
    host_start(&host);
    client_open(&host, &first, "first", "ann");
    host_forget_log(&host);
}

static inline void begin(void)
{
    prepare();
    start();
}

static inline void end(void)
{
    host_close(&host);
    client_free(&first);
    client_free(&second);
    client_free(&third);
}

/* Connects a client that was this one before. */
static inline void come_back(struct client *client, const struct client *former,
                             const char *user_id)
{
    char name[CONNECTION_NAME_SIZE];
    ws_connect_options options;

    *client = (struct client){.host = &host, .name = "again"};
    connection_name_write(host.manager->process, former->id, name);
    client_options(client, &options);
    options.user_id = user_id;
    options.former_connection_id = name;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &client->id), WS_OK);
    host_run(&host);
    client_count(client);
    host_forget_log(&host);
}

static inline void say(struct client *client, const char *json)
{
    client_say(client, json);
    host_run(&host);
}

static int n_calls;

static inline int count_up(ws_manager *manager, const ws_connection_info *connection,
                           const ws_client_message *message, void *user_data)
{
    char text[16];

    (void)connection;
    (void)user_data;
    snprintf(text, sizeof text, "%d", ++n_calls);
    return ws_manager_answer(manager, message->answer, text, strlen(text));
}

#define BUY "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":1},\"ref\":\"a\"}"
#define BOUGHT(n) "{\"type\":\"response\",\"ref\":\"a\",\"data\":" #n "}"
#define SAY "{\"type\":\"message\",\"room\":\"r\",\"data\":1,\"ref\":1}"

static inline void begin_buying(void)
{
    n_calls = 0;
    begin();
    ck_assert_int_eq(ws_manager_register_method(host.manager, "buy", count_up, NULL), WS_OK);
    say(&first, BUY);
    client_expect(&first, BOUGHT(1), NULL);
}

#endif
