/* kept_processes.h: three processes with a carrier whose memory is an array, for the tests of what
 * a client sends again to another process. */
#ifndef TEST_CORE_KEPT_PROCESSES_H
#define TEST_CORE_KEPT_PROCESSES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kept/kept_notes.h"
#include "core/manager.h"
#include "support/memories.h"

static bool is_away; /* the carrier: questions wait */

static struct process a, b, c;
static struct client first, second, third;

/* --- processes ------------------------------------------------------------------------------- */

static int n_calls;

/* Answers with the number of calls. */
static inline int count_up(ws_manager *manager, const ws_connection_info *connection,
                           const ws_client_message *message, void *user_data)
{
    char text[16];

    (void)connection;
    (void)user_data;
    snprintf(text, sizeof text, "%d", ++n_calls);
    return ws_manager_answer(manager, message->answer, text, strlen(text));
}

static ws_answer deferred;
static bool was_noted; /* when count_later() was called */

static inline bool has_note(const struct client *client)
{
    char name[CONNECTION_NAME_SIZE];
    char key[KEPT_KEY_SIZE];
    const struct memory *value;

    connection_name_write(client->host->manager->process, client->id, name);
    kept_note_key(name, key);
    value = memories_find(key);
    return value != NULL && value->text != NULL;
}

static inline int count_later(ws_manager *manager, const ws_connection_info *connection,
                              const ws_client_message *message, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    n_calls++;
    deferred = message->answer;
    was_noted = has_note(&first);
    return WS_DEFERRED;
}

static inline int refuse(ws_manager *manager, const ws_connection_info *connection,
                         const ws_client_message *message, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)message;
    (void)user_data;
    n_calls++;
    return WS_ERR_FORBIDDEN;
}

static inline void open_process(struct process *process)
{
    ws_cluster carrier = stream_carrier;
    ws_manager *manager;

    memories_add(&carrier);
    process->host.options.history_events = 10;
    ck_assert_int_eq(ws_manager_new(&process->host.options, &process->host.manager), WS_OK);
    manager = process->host.manager;
    ck_assert_int_eq(ws_manager_set_cluster(manager, &carrier, process), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &process->host.loop), WS_OK);
    ck_assert_int_eq(ws_manager_register_method(manager, "buy", count_up, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_register_method(manager, "later", count_later, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_register_method(manager, "never", refuse, NULL), WS_OK);
    process_start(process, 0);
    host_run(&process->host);
}

static inline void prepare(void)
{
    stream_reset();
    host_init(&a.host);
    host_init(&b.host);
    host_init(&c.host);
    first = second = third = (struct client){0};
    n_calls = 0;
    memories_reset();
    memories.max_bytes = KEPT_NOTE_MAX;
    is_away = false;
}

static inline void start(void)
{
    open_process(&a);
    open_process(&b);
    open_process(&c);
    client_open(&a.host, &first, "first", "ann");
}

static inline void begin(void)
{
    prepare();
    start();
}

static inline void end(void)
{
    client_free(&first);
    client_free(&second);
    client_free(&third);
    process_close(&a);
    process_close(&b);
    process_close(&c);
    for (size_t i = 0; i < memories.n_values; i++)
        free(memories.values[i].text);
    memories.n_values = 0;
}

static inline void run(struct host *host)
{
    do {
        host_run(host);
        if (is_away)
            return;
        memories_answer();
        host_run(host);
    } while (memories.n_questions > 0);
}

static inline void pass(struct host *host, uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 100) {
        host->now_ms += 100;
        run(host);
    }
}

static inline void say(struct client *client, const char *json)
{
    client_say(client, json);
    run(client->host);
}

static inline void connect_from(struct process *process, struct client *client,
                                const struct client *former, const char *user_id)
{
    char name[CONNECTION_NAME_SIZE];
    ws_connect_options options;

    client_free(client);
    *client = (struct client){.host = &process->host, .name = "again"};
    connection_name_write(former->host->manager->process, former->id, name);
    client_options(client, &options);
    options.user_id = user_id;
    options.former_connection_id = name;
    ck_assert_int_eq(
        ws_manager_connect(process->host.manager, process->host.loop, &options, &client->id),
        WS_OK);
}

/* A client comes to a process, after it was this one. */
static inline void come_back(struct process *process, struct client *client,
                             const struct client *former, const char *user_id)
{
    connect_from(process, client, former, user_id);
    run(&process->host);
    client_count(client);
}

#define BUY "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":1},\"ref\":\"a\"}"
#define BOUGHT(n) "{\"type\":\"response\",\"ref\":\"a\",\"data\":" #n "}"
#define BUY_MORE "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":2},\"ref\":\"b\"}"
#define BOUGHT_MORE(n) "{\"type\":\"response\",\"ref\":\"b\",\"data\":" #n "}"
#define LATER "{\"type\":\"request\",\"method\":\"later\",\"ref\":1}"
#define LATE "{\"type\":\"response\",\"ref\":1,\"data\":[1]}"
#define LATER_TOO "{\"type\":\"request\",\"method\":\"later\",\"ref\":2}"
#define LATE_TOO "{\"type\":\"response\",\"ref\":2,\"data\":[1]}"
#define NEVER "{\"type\":\"request\",\"method\":\"never\",\"ref\":1}"
#define PING "{\"type\":\"ping\"}"
#define TIMEOUT(ref)                                                                           \
    "{\"type\":\"error\",\"ref\":" ref                                                         \
    ",\"data\":{\"code\":\"timeout\",\"message\":\"the server "                                \
    "cannot tell in time whether this was carried out before\"}}"
#define TOO_LATE                                                                               \
    "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"timeout\",\"message\":\"the "          \
    "application did not answer in time; the message may have been carried out\"}}"

#endif
