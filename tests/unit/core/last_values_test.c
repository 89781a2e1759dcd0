/* last_values_test.c: who enters a room receives what it keeps, then every event that follows, none
 * missing and none twice. Not here: clients that come back (recovery_test.c). */
#include <stdio.h>
#include <string.h>

#include <ws_manager/last_values.h>

#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann; /* enters the room */
static struct client bob; /* his message makes the application emit */

static void keep(const char *room, const char *type, int by_key, uint32_t max_values,
                 uint64_t max_bytes)
{
    ws_last_values_options options;

    ws_last_values_options_init(&options);
    options.room = room;
    options.type = type;
    options.by_key = by_key;
    options.max_values = max_values;
    options.max_bytes = max_bytes;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_OK);
}

static void keep_history(const char *room, uint32_t max_events, uint64_t max_bytes)
{
    ws_room_history_options options;

    ws_room_history_options_init(&options);
    options.room = room;
    options.max_events = max_events;
    options.max_bytes = max_bytes;
    ck_assert_int_eq(ws_manager_keep_room_history(host.manager, &options), WS_OK);
}

static void begin(void)
{
    host_open(&host);
    host_forget_log(&host);
    client_open(&host, &ann, "ann", NULL);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    ann = bob = (struct client){0};
}

static int emit_to(const char *room, const char *type, const char *key, const char *data,
                   const struct client *excluded)
{
    ws_event *event = NULL;
    int result = ws_event_new(host.manager, type, data, strlen(data), &event);

    if (result == WS_OK && key != NULL)
        result = ws_event_set_key(event, key);
    if (result == WS_OK)
        result = ws_manager_broadcast_to_room(host.manager, room, event,
                                              excluded != NULL ? &excluded->id : NULL,
                                              excluded != NULL);
    ws_event_free(event);
    return result;
}

static int try_emit(const char *type, const char *key, const char *data)
{
    return emit_to("r", type, key, data, NULL);
}

static void emit(const char *key, const char *data)
{
    ck_assert_int_eq(try_emit("order_updated", key, data), WS_OK);
}

/* An event of emit(), with its mark and a comma, or ""; static text, overwritten after some
 * calls. */
static const char *event(int position, const char *mark, const char *key, const char *data)
{
    static char texts[8][256];
    static unsigned next;
    char *text = texts[next++ % 8];

    snprintf(
        text, sizeof texts[0],
        "{\"id\":\"E.%d\",%s\"type\":\"order_updated\",\"data\":%s,"
        "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null,\"room\":\"r\"%s%s%s}",
        position, mark, data, key != NULL ? ",\"key\":\"" : "", key != NULL ? key : "",
        key != NULL ? "\"" : "");
    return text;
}

#define STATE "\"state\":true,"
#define REPLAYED "\"replayed\":true,"

static const char *joined(const char *members, int position)
{
    static char text[128];

    snprintf(text, sizeof text,
             "{\"type\":\"room_joined\",\"data\":{\"room\":\"r\"%s,\"id\":\"E.%d\"}}", members,
             position);
    return text;
}

static void join(const char *members)
{
    char text[256];

    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"r\"%s}", members);
    client_say(&ann, text);
}

static void (*to_emit)(void);

static void on_callback(struct host *of, struct client *client, const char *line)
{
    (void)of;
    if (client == &bob && strncmp(line, "accept_message", 14) == 0)
        to_emit();
}

/* The events are sent when the request has its place in the order, but was not carried out. */
static void ask_then_emit(const char *members, void (*emits)(void))
{
    if (bob.id == 0)
        client_open(&host, &bob, "bob", NULL);
    to_emit = emits;
    host.hook = on_callback;
    join(members);
    client_say(&bob, "{\"type\":\"message\",\"data\":1}");
    host_run(&host);
    host.hook = NULL;
}

static void ask(const char *members)
{
    join(members);
    host_run(&host);
}

/* Asks for the events after a position. */
static void join_since(int position)
{
    char members[96];

    snprintf(members, sizeof members, ",\"since\":\"%s.%d\"", host.manager->epoch, position);
    ask(members);
}

static void emit_d(void)
{
    emit("d", "5");
}

START_TEST(the_state_comes_before_the_stream)
{
    begin();
    keep("r", NULL, 1, 10, 0);
    emit("a", "1");
    emit("b", "2");
    emit("a", "3");
    emit(NULL, "4");
    ask_then_emit(",\"state\":true", emit_d);
    client_expect(&ann, joined(",\"state\":2", 4), event(2, STATE, "b", "2"),
                  event(3, STATE, "a", "3"), event(5, "", "d", "5"), NULL);
    emit("c", "6");
    host_run(&host);
    client_expect(&ann, event(6, "", "c", "6"), NULL);
    ask(",\"state\":true");
    client_expect(&ann, joined(",\"state\":4", 6), event(2, STATE, "b", "2"),
                  event(3, STATE, "a", "3"), event(5, STATE, "d", "5"),
                  event(6, STATE, "c", "6"), NULL);
    end();
}
END_TEST

static void change_all(void)
{
    emit("a", "3");
    emit("b", "null");
}

START_TEST(values_that_changed_meanwhile_come_live)
{
    begin();
    keep("r", NULL, 1, 10, 0);
    emit("a", "1");
    emit("b", "2");
    host_run(&host);
    ask_then_emit(",\"state\":true", change_all);
    client_expect(&ann, joined(",\"state\":0", 2), event(3, "", "a", "3"),
                  event(4, "", "b", "null"), NULL);
    end();
}
END_TEST

START_TEST(null_removes_a_value)
{
    begin();
    keep("r", NULL, 1, 10, 0);
    emit("a", "1");
    emit("b", "2");
    emit("a", "null");
    emit("c", "null");
    ask(",\"state\":true");
    client_expect(&ann, joined(",\"state\":1", 4), event(2, STATE, "b", "2"), NULL);
    emit("b", "null");
    host_run(&host);
    client_count(&ann);
    ask(",\"state\":true");
    client_expect(&ann, joined(",\"state\":0", 5), NULL);
    ck_assert_uint_eq(host.manager->last_values.bytes, 0);
    end();
}
END_TEST

START_TEST(the_last_events_without_keys)
{
    begin();
    keep(NULL, "order_updated", 0, 1, 0);
    emit("a", "1");
    emit(NULL, "2");
    ck_assert_int_eq(try_emit("order_created", NULL, "3"), WS_OK);
    ask(",\"state\":true");
    client_expect(&ann, joined(",\"state\":1", 3), event(2, STATE, NULL, "2"), NULL);
    emit(NULL, "null");
    host_run(&host);
    client_count(&ann);
    ask(",\"state\":true");
    client_expect(&ann, joined(",\"state\":0", 4), NULL);
    end();
}
END_TEST

START_TEST(null_without_keys_removes_all)
{
    begin();
    keep("r", NULL, 0, 3, 0);
    emit(NULL, "1");
    emit(NULL, "2");
    emit(NULL, "null");
    ask(",\"state\":true");
    client_expect(&ann, joined(",\"state\":0", 3), NULL);
    ck_assert_uint_eq(host.manager->last_values.bytes, 0);
    end();
}
END_TEST

START_TEST(other_rooms_keep_nothing)
{
    begin();
    keep("other", NULL, 1, 3, 0);
    keep_history("other", 3, 0);
    emit("a", "1");
    ck_assert_uint_eq(host.manager->last_values.count, 0);
    ask(",\"state\":true,\"last\":3");
    client_expect(&ann, joined(",\"state\":0,\"replayed\":0", 1), NULL);
    end();
}
END_TEST

/* Every member has the room's state, but an event that excludes a client is not replayed to it. */
START_TEST(excluded_clients)
{
    begin();
    keep("r", NULL, 1, 3, 0);
    keep_history("r", 3, 0);
    emit("a", "1");
    ck_assert_int_eq(emit_to("r", "order_updated", "b", "2", &ann), WS_OK);
    ask(",\"state\":true,\"last\":3");
    client_expect(&ann, joined(",\"state\":2,\"replayed\":1", 2), event(1, STATE, "a", "1"),
                  event(2, STATE, "b", "2"), event(1, REPLAYED, "a", "1"), NULL);
    end();
}
END_TEST

START_TEST(values_of_several_rules_come_in_order)
{
    begin();
    keep("r", "order_created", 1, 10, 0);
    keep("r", "order_updated", 1, 10, 0);
    ck_assert_int_eq(try_emit("order_created", "a", "1"), WS_OK);
    emit("a", "2");
    ck_assert_int_eq(try_emit("order_created", "b", "3"), WS_OK);
    ask(",\"state\":true");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"state\":3"));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "E.1"));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "E.2"));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "E.3"));
    end();
}
END_TEST

START_TEST(limits_drop_the_oldest)
{
    begin();
    keep("r", NULL, 1, 2, 0);
    emit("a", "1");
    emit("b", "2");
    emit("a", "3");
    emit("c", "4");
    ask(",\"state\":true");
    client_expect(&ann, joined(",\"state\":2", 4), event(3, STATE, "a", "3"),
                  event(4, STATE, "c", "4"), NULL);
    ck_assert_uint_eq(host.manager->last_values.n_dropped, 1);
    end();
}
END_TEST

START_TEST(a_room_has_a_limit_of_bytes)
{
    begin();
    keep("r", NULL, 1, 1000, 2000);
    for (int i = 0; i < 100; i++) {
        char key[16];

        snprintf(key, sizeof key, "%d", i);
        emit(key, "1");
        ck_assert_uint_le(host.manager->last_values.bytes, 2300); /* and its line */
    }
    ck_assert_uint_ge(host.manager->last_values.count, 2);
    ck_assert_uint_eq(host.manager->last_values.n_dropped + host.manager->last_values.count,
                      100);
    end();
}
END_TEST

START_TEST(all_rooms_have_a_limit_of_bytes)
{
    host_init(&host);
    host.options.last_values_bytes = 10000;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    keep(NULL, NULL, 1, 1000, 0);
    keep_history(NULL, 1000, 0);
    for (int i = 0; i < 200; i++) {
        char room[16];

        snprintf(room, sizeof room, "room %d", i % 50);
        emit_number(&host, room, i);
        ck_assert_uint_le(host.manager->last_values.bytes, 10000);
        emit("k", "1");
        ck_assert_uint_le(host.manager->last_values.bytes, 10000);
    }
    ask(",\"state\":true");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"state\":1"));
    end();
}
END_TEST

/* The oldest of any room gives way, and its history says that it is gone. */
START_TEST(the_oldest_of_all_rooms_gives_way)
{
    host_init(&host);
    host.options.last_values_bytes = 2000;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    keep_history(NULL, 1000, 0);
    emit(NULL, "1");
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(emit_to("other", "order_updated", NULL, "2", NULL), WS_OK);
    ck_assert_uint_ge(last_values_count(&host.manager->last_values, KEPT_HISTORY, "other"), 2);
    ck_assert_uint_eq(last_values_count(&host.manager->last_values, KEPT_HISTORY, "r"), 0);
    join_since(0);
    ck_assert_str_eq(client_next(&ann), joined(",\"replayed\":0,\"complete\":false", 21));
    join_since(1);
    ck_assert_str_eq(client_next(&ann), joined(",\"replayed\":0,\"complete\":true", 21));
    end();
}
END_TEST

static void emit_without_key(void)
{
    emit(NULL, "6");
}

START_TEST(a_rewind_repeats_the_newest_events)
{
    begin();
    keep_history("r", 3, 0);
    for (int i = 1; i <= 5; i++)
        emit(NULL, "1");
    ask_then_emit(",\"last\":2", emit_without_key);
    client_expect(&ann, joined(",\"replayed\":2", 5), event(4, REPLAYED, NULL, "1"),
                  event(5, REPLAYED, NULL, "1"), event(6, "", NULL, "6"), NULL);
    end();
}
END_TEST

static void fill_room(int n)
{
    for (int i = 0; i < n; i++) {
        char key[16];

        snprintf(key, sizeof key, "%d", i);
        emit(key, "1");
    }
}

/* A client that wants a few of very many events costs these few: others are not looked at. */
START_TEST(only_what_is_wanted_is_read)
{
    struct kept_value *oldest;
    ws_message *message;

    begin();
    keep_history("r", 100, 0);
    fill_room(50);
    host_run(&host);
    oldest = host.manager->last_values.first;
    message = oldest->message;
    oldest->message = NULL;
    ask(",\"last\":1");
    oldest->message = message;
    ck_assert_uint_eq(client_count(&ann), 2);
    end();
}
END_TEST

START_TEST(a_rewind_is_complete_or_says_so)
{
    static const struct {
        int since;
        const char *answer;
        size_t n_events;
    } cases[] = {
        {1, ",\"replayed\":3,\"complete\":false", 3},
        {2, ",\"replayed\":3,\"complete\":true", 3},
        {4, ",\"replayed\":1,\"complete\":true", 1},
        {5, ",\"replayed\":0,\"complete\":true", 0},
        {9, ",\"replayed\":0,\"complete\":false", 0},
    };

    begin();
    keep_history("r", 3, 0);
    for (int i = 1; i <= 5; i++)
        emit(NULL, "1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        join_since(cases[i].since);
        ck_assert_str_eq(client_next(&ann), joined(cases[i].answer, 5));
        ck_assert_uint_eq(client_count(&ann), cases[i].n_events);
    }
    ask(",\"since\":\"abcdefghij.3\"");
    ck_assert_str_eq(client_next(&ann), joined(",\"replayed\":3,\"complete\":false", 5));
    ck_assert_uint_eq(client_count(&ann), 3);
    end();
}
END_TEST

START_TEST(a_loud_room_does_not_push_out_a_quiet_one)
{
    host_init(&host);
    host.options.history_events = 10;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    keep_history(NULL, 5, 0);
    emit(NULL, "1");
    for (int i = 0; i < 1000; i++)
        emit_number(&host, "loud", i);
    ask(",\"last\":5");
    client_expect(&ann, joined(",\"replayed\":1", 1001), event(1, REPLAYED, NULL, "1"), NULL);
    end();
}
END_TEST

START_TEST(a_room_that_keeps_nothing)
{
    begin();
    emit("a", "1");
    ask(",\"state\":true,\"last\":5");
    client_expect(&ann, joined(",\"state\":0,\"replayed\":0", 1), NULL);
    end();
}
END_TEST

START_TEST(wrong_requests_are_refused)
{
    static const char *const members[] = {",\"state\":1",    ",\"last\":0",   ",\"last\":-1",
                                          ",\"last\":\"5\"", ",\"last\":1.5", ",\"since\":4",
                                          ",\"state\":null"};

    begin();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *answer;

        ask(members[i]);
        answer = client_next(&ann);
        ck_assert_msg(answer != NULL && strstr(answer, "\"bad_request\"") != NULL, "%s: %s",
                      members[i], answer);
    }
    end();
}
END_TEST

/* --- slow clients ----------------------------------------------------------------------------- */

static void change_one(void)
{
    emit("5", "2");
}

START_TEST(a_slow_client_receives_values_as_it_reads)
{
    begin();
    keep("r", NULL, 1, 100, 0);
    fill_room(10);
    host_run(&host);
    ann.send_result = WS_ERR_BACKPRESSURE;
    ask_then_emit(",\"state\":true", change_one);
    ck_assert_uint_lt(ann.n_messages - ann.n_read, 6);
    emit("x", "3");
    host_run(&host);
    ck_assert_uint_lt(ann.n_messages - ann.n_read, 6);
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    host_run(&host);
    /* The value that changed before the request was carried out comes once, live. */
    ck_assert_str_eq(client_next(&ann), joined(",\"state\":9", 10));
    for (int i = 0; i < 10; i++) {
        char key[16];

        snprintf(key, sizeof key, "%d", i);
        if (i != 5)
            ck_assert_str_eq(client_next(&ann), event(i + 1, STATE, key, "1"));
    }
    client_expect(&ann, event(11, "", "5", "2"), event(12, "", "x", "3"), NULL);
    end();
}
END_TEST

START_TEST(a_client_that_ends_while_it_waits_for_values)
{
    begin();
    keep("r", NULL, 1, 100, 0);
    fill_room(10);
    host_run(&host);
    ann.send_result = WS_ERR_BACKPRESSURE;
    ask(",\"state\":true");
    client_lose(&ann);
    host_run(&host);
    end();
}
END_TEST

static void emit_another(void)
{
    emit("x", "1");
}

START_TEST(more_values_than_a_turn_delivers)
{
    enum { N = 3000 };

    begin();
    keep("r", NULL, 1, N + 1, 0);
    fill_room(N);
    ask_then_emit(",\"state\":true", emit_another);
    ck_assert_uint_eq(ann.n_messages - ann.n_read, N + 2);
    client_next(&ann);
    for (int i = 0; i < N; i++)
        ck_assert_ptr_nonnull(strstr(client_next(&ann), STATE));
    client_expect(&ann, event(N + 1, "", "x", "1"), NULL);
    end();
}
END_TEST

/* --- clients that name their rooms ------------------------------------------------------------ */

static void come(const char *after)
{
    static const char *const rooms[] = {"r"};
    ws_connect_options options;

    client_lose(&ann);
    client_free(&ann);
    ann = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.after = after;
    options.rooms = rooms;
    options.n_rooms = 1;
    options.with_state = 1;
    options.last_events = 1;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    emit("c", "3");
    host_run(&host);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"welcome\""));
}

START_TEST(a_client_names_the_room_when_it_connects)
{
    begin();
    keep("r", NULL, 1, 10, 0);
    keep_history("r", 10, 0);
    emit("a", "1");
    emit("b", "2");
    host_run(&host);
    come(NULL);
    client_expect(&ann, event(1, STATE, "a", "1"), event(2, STATE, "b", "2"),
                  event(2, REPLAYED, "b", "2"), event(3, "", "c", "3"), NULL);
    end();
}
END_TEST

START_TEST(a_client_that_recovers_receives_the_state_first)
{
    char after[EVENT_ID_SIZE];

    begin();
    keep("r", NULL, 1, 10, 0);
    emit("a", "1");
    emit("b", "2");
    host_run(&host);
    event_id_write(host.manager->epoch, 1, after);
    come(after);
    client_expect(
        &ann, event(1, STATE, "a", "1"), event(2, "", "b", "2"), event(3, "", "c", "3"),
        "{\"type\":\"recovered\",\"data\":{\"complete\":true,\"count\":2,\"id\":\"E.3\"}}",
        NULL);
    end();
}
END_TEST

static void begin_without_history(void)
{
    host_init(&host);
    host.options.history_events = 0;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    keep("r", NULL, 1, 10, 0);
    emit("a", "1");
    emit("b", "2");
    host_run(&host);
}

/* The event behind the request to connect is on its way to the room's other member. */
START_TEST(a_value_comes_once_where_no_history_is_kept)
{
    begin_without_history();
    client_open_in(&host, &bob, "bob", "r");
    come(NULL);
    client_expect(&ann, event(1, STATE, "a", "1"), event(2, STATE, "b", "2"),
                  event(3, "", "c", "3"), NULL);
    end();
}
END_TEST

/* Nobody was in the room: no loop had the event to deliver. */
START_TEST(a_value_is_not_missing_where_no_history_is_kept)
{
    begin_without_history();
    come(NULL);
    client_expect(&ann, event(1, STATE, "a", "1"), event(2, STATE, "b", "2"),
                  event(3, STATE, "c", "3"), NULL);
    end();
}
END_TEST

/* --- without memory --------------------------------------------------------------------------- */

/* The room's first event: its lists are new, too. */
START_TEST(any_allocation_of_the_first_event_may_fail)
{
    bool failed = true;

    for (long n = 0; failed; n++) {
        int result;

        begin();
        keep("r", NULL, 1, 2, 0);
        keep_history("r", 2, 0);
        test_memory_fail(&host.memory, n, false);
        result = try_emit("order_updated", "a", "1");
        failed = host.memory.failed;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        ck_assert_int_eq(result, failed ? WS_ERR_NO_MEMORY : WS_OK);
        ck_assert_uint_eq(host.manager->last_values.count, failed ? 0 : 2);
        ck_assert(!failed || host.manager->last_values.bytes == 0);
        emit("a", "2");
        ask(",\"state\":true");
        ck_assert_str_eq(client_next(&ann), joined(",\"state\":1", failed ? 1 : 2));
        end();
    }
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    static const char request[] =
        "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true,\"last\":5,\"ref\":7}";
    bool failed = true;

    for (long n = 0; failed; n++) {
        int result;

        begin();
        keep("r", NULL, 1, 2, 0);
        keep_history("r", 2, 0);
        emit("a", "1");
        host_run(&host);
        test_memory_fail(&host.memory, n, false);
        result = try_emit("order_updated", "b", "2");
        ck_assert(result == WS_OK || result == WS_ERR_NO_MEMORY);
        ann.send_result = WS_ERR_BACKPRESSURE;
        if (ws_manager_receive(host.manager, ann.id, request, sizeof request - 1, 1) == WS_OK)
            host_run(&host);
        failed = host.memory.failed;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        ann.send_result = WS_OK;
        ws_manager_transport_writable(host.manager, ann.id);
        host_run(&host);
        if (!failed)
            ck_assert_uint_eq(client_count(&ann), 5);
        end();
    }
}
END_TEST

START_TEST(invalid_declarations_are_refused)
{
    ws_last_values_options options;
    ws_room_history_options history;

    begin();
    ws_last_values_options_init(&options);
    ws_room_history_options_init(&history);
    options.max_values = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_ERR_INVALID);
    options.max_values = 100001;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_ERR_INVALID);
    ws_last_values_options_init(&options);
    options.room = "";
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_ERR_INVALID);
    options.room = NULL;
    options.by_key = 2;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_ERR_INVALID);
    history.max_events = 0;
    ck_assert_int_eq(ws_manager_keep_room_history(host.manager, &history), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_keep_room_history(host.manager, NULL), WS_ERR_INVALID);
    for (int i = 0; i < 64; i++)
        keep("r", NULL, 1, 1, 0);
    ws_last_values_options_init(&options);
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_ERR_LIMIT);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_state_comes_before_the_stream,
        values_that_changed_meanwhile_come_live,
        null_removes_a_value,
        the_last_events_without_keys,
        null_without_keys_removes_all,
        other_rooms_keep_nothing,
        excluded_clients,
        values_of_several_rules_come_in_order,
        limits_drop_the_oldest,
        a_room_has_a_limit_of_bytes,
        all_rooms_have_a_limit_of_bytes,
        the_oldest_of_all_rooms_gives_way,
        a_rewind_repeats_the_newest_events,
        only_what_is_wanted_is_read,
        a_rewind_is_complete_or_says_so,
        a_loud_room_does_not_push_out_a_quiet_one,
        a_room_that_keeps_nothing,
        wrong_requests_are_refused,
        a_slow_client_receives_values_as_it_reads,
        a_client_that_ends_while_it_waits_for_values,
        more_values_than_a_turn_delivers,
        a_client_names_the_room_when_it_connects,
        a_client_that_recovers_receives_the_state_first,
        a_value_comes_once_where_no_history_is_kept,
        a_value_is_not_missing_where_no_history_is_kept,
        any_allocation_of_the_first_event_may_fail,
        any_allocation_may_fail,
        invalid_declarations_are_refused,
        NULL,
    };

    return suite_run("last values", tests);
}
