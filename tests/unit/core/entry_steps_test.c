/* entry_steps_test.c: a client enters a room that keeps very many values, which are read some at a
 * time, and others emit meanwhile. Not here: which values a room keeps (last_values_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/last_values.h>

#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

enum { MOST_KEYS = 20000, AT_ONCE = 1000, REMOVED = 0 };

static struct host host;
static struct client ann;
static unsigned random_state;
static int n_keys;
static int versions[MOST_KEYS]; /* the model: the position of the last event; REMOVED: none */
static int received[MOST_KEYS]; /* by the client */
static int n_events;

static size_t n_holds;        /* of the manager's lock */
static void (*between)(void); /* what others do before the lock is taken; NULL: nothing */
static bool is_between;

/* The linker's names (--wrap). */
void real_lock(ws_manager *manager) __asm__("__real_manager_lock");
void wrapped_lock(ws_manager *manager) __asm__("__wrap_manager_lock");

/* Other threads have had the lock. */
void wrapped_lock(ws_manager *manager)
{
    if (between != NULL && !is_between) {
        is_between = true;
        between();
        is_between = false;
    }
    n_holds += !is_between;
    real_lock(manager);
}

static int pick(int below)
{
    random_state = random_state * 1103515245 + 12345;
    return (int)(random_state >> 16) % below;
}

static void emit(int key, const char *data)
{
    ws_event *event = NULL;
    char text[16];

    snprintf(text, sizeof text, "%d", key);
    ck_assert_int_eq(ws_event_new(host.manager, "order_updated", data, strlen(data), &event),
                     WS_OK);
    ck_assert_int_eq(ws_event_set_key(event, text), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast_to_room(host.manager, "r", event, NULL, 0), WS_OK);
    ws_event_free(event);
    versions[key] = strcmp(data, "null") == 0 ? REMOVED : n_events + 1;
    n_events++;
}

static void begin(int keys, uint32_t history_events)
{
    ws_last_values_options options;
    ws_room_history_options history;

    n_keys = keys;
    n_events = 0;
    memset(versions, 0, sizeof versions);
    memset(received, 0, sizeof received);
    host_init(&host);
    host_without_callbacks(&host);
    host.options.history_events = history_events;
    host_start(&host);
    ws_last_values_options_init(&options);
    options.room = "r";
    options.max_values = (uint32_t)keys;
    options.max_bytes = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_OK);
    ws_room_history_options_init(&history);
    history.room = "r";
    history.max_events = (uint32_t)keys;
    history.max_bytes = 0;
    ck_assert_int_eq(ws_manager_keep_room_history(host.manager, &history), WS_OK);
    client_open(&host, &ann, "ann", NULL);
    for (int key = 0; key < keys; key++)
        emit(key, "1");
    host_run(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    ann = (struct client){0};
}

/* The holds until the first message, with which the client stops to read: what follows is delivered
 * later. */
static size_t holds_for(const char *request)
{
    size_t holds;

    ann.send_result = WS_ERR_BACKPRESSURE;
    n_holds = 0;
    client_say(&ann, request);
    host_run(&host);
    holds = n_holds;
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    host_run(&host);
    return holds;
}

START_TEST(the_lock_is_given_back_between_values)
{
    size_t least;

    begin(MOST_KEYS, 10000);
    least = MOST_KEYS / AT_ONCE + holds_for("{\"type\":\"join_room\",\"room\":\"r\"}");
    ck_assert_uint_ge(holds_for("{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}"),
                      least);
    ck_assert_uint_eq(client_count(&ann), 1 + 1 + MOST_KEYS);
    ck_assert_uint_ge(holds_for("{\"type\":\"join_room\",\"room\":\"r\",\"last\":100000}"),
                      least);
    ck_assert_uint_eq(client_count(&ann), 1 + MOST_KEYS);
    end();
}
END_TEST

/* Any, or that of the value that is read next. */
static int pick_key(void)
{
    const struct last_values_reader *reader = host.manager->last_values.readers;
    const struct kept_value *next = reader != NULL ? reader->next_values[0] : NULL;

    return next != NULL && pick(2) == 0 ? atoi(next->key) : pick(n_keys);
}

static void change_some(void)
{
    for (int n = pick(10); n > 0; n--)
        emit(pick_key(), pick(2) == 0 ? "null" : "2");
}

/* Kept events come first, then the later ones, each in the order of their positions. */
static void receive_all(void)
{
    const char *text;
    int last_kept = 0;
    int last_live = 0;

    while ((text = client_next(&ann)) != NULL) {
        bool is_kept = strstr(text, "\"state\":true,") != NULL;
        const char *id = strstr(text, "\"id\":\"E.");
        const char *key = strstr(text, "\"key\":\"");
        int *last = is_kept ? &last_kept : &last_live;
        int position;

        if (key == NULL)
            continue;
        position = atoi(id + 8);
        ck_assert_int_gt(position, *last);
        ck_assert(!is_kept || last_live == 0);
        *last = position;
        ck_assert_int_gt(position, received[atoi(key + 7)]);
        received[atoi(key + 7)] = strstr(text, "\"data\":null") != NULL ? REMOVED : position;
    }
    ck_assert_int_gt(last_live, 0);
}

static void enter_while_values_change(unsigned seed, uint32_t history_events)
{
    enum { KEYS = 4000 };

    random_state = seed;
    begin(KEYS, history_events);
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}");
    between = change_some;
    ws_loop_run(host.loop, host.now_ms);
    between = NULL;
    host_run(&host);
    receive_all();
    for (int key = 0; key < KEYS; key++)
        ck_assert_msg(received[key] == versions[key], "seed %u, key %d: %d instead of %d", seed,
                      key, received[key], versions[key]);
    end();
}

START_TEST(values_change_while_they_are_read)
{
    for (unsigned seed = 1; seed <= 4; seed++) {
        enter_while_values_change(seed, 10000);
        enter_while_values_change(seed, 0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_lock_is_given_back_between_values,
        values_change_while_they_are_read,
        NULL,
    };

    return suite_run("entry_steps", tests);
}
