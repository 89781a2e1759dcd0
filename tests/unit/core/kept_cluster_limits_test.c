/* kept_cluster_limits_test.c: limits of the notes of what clients sent to another process: their
 * number, size and age. Not here: what they are for (kept_cluster_test.c). */
#include <stdio.h>
#include <string.h>

#include "core/kept_processes.h"
#include "support/suite.h"

static void buy_number(struct client *client, int number)
{
    char text[128];

    snprintf(text, sizeof text,
             "{\"type\":\"request\",\"method\":\"buy\",\"ref\":%d,\"data\":null}", number);
    say(client, text);
}

static bool knows(struct client *client, int number)
{
    int before = n_calls;

    buy_number(client, number);
    return n_calls == before;
}

START_TEST(notes_have_limits)
{
    prepare();
    a.host.options.max_kept_answers = 4;
    start();
    for (int i = 0; i < 20; i++)
        buy_number(&first, i);
    ck_assert_uint_eq(memories_find(memories.values[0].key)->ttl_ms, 300000);
    come_back(&b, &second, &first, "ann");
    for (int i = 0; i < 16; i++)
        ck_assert(!knows(&second, i));
    come_back(&c, &third, &first, "ann");
    for (int i = 16; i < 20; i++)
        ck_assert(knows(&third, i));
    end();
}
END_TEST

START_TEST(what_is_too_old_is_not_known)
{
    begin();
    buy_number(&first, 1);
    pass(&a.host, 200000);
    pass(&b.host, 200000);
    buy_number(&first, 2);
    come_back(&b, &second, &first, "ann");
    pass(&b.host, 101000);
    ck_assert(!knows(&second, 1));
    ck_assert(knows(&second, 2));
    end();
}
END_TEST

/* All that was noted is too old, and is forgotten while something new is noted. */
START_TEST(a_new_note_is_not_forgotten_with_an_old_one)
{
    begin();
    buy_number(&first, 1);
    pass(&a.host, 301000);
    buy_number(&first, 2);
    ck_assert(has_note(&first));
    come_back(&b, &second, &first, "ann");
    ck_assert(knows(&second, 2));
    end();
}
END_TEST

/* What a client sends at once is noted once. */
START_TEST(many_answers_are_one_note)
{
    begin();
    for (int i = 0; i < 60; i++) {
        char text[128];

        snprintf(text, sizeof text, "{\"type\":\"request\",\"method\":\"buy\",\"ref\":%d}", i);
        client_say(&first, text);
    }
    run(&a.host);
    ck_assert_int_eq(n_calls, 60);
    ck_assert_uint_le(memories.n_remembers, 4);
    come_back(&b, &second, &first, "ann");
    say(&second, "{\"type\":\"request\",\"method\":\"buy\",\"ref\":59}");
    ck_assert_int_eq(n_calls, 60);
    end();
}
END_TEST

static int answer_much(ws_manager *manager, const ws_connection_info *connection,
                       const ws_client_message *message, void *user_data)
{
    static char text[6000];

    (void)connection;
    (void)user_data;
    n_calls++;
    memset(text, '1', sizeof text);
    return ws_manager_answer(manager, message->answer, text, sizeof text);
}

/* The newest have room in a note (remember() checks its size). */
START_TEST(large_answers)
{
    begin();
    ck_assert_int_eq(ws_manager_register_method(a.host.manager, "buy", answer_much, NULL),
                     WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_register_method(a.host.manager, "list", answer_much, NULL),
                     WS_OK);
    ck_assert_int_eq(ws_manager_register_method(b.host.manager, "list", answer_much, NULL),
                     WS_OK);
    for (int i = 0; i < 4; i++) {
        char text[128];

        snprintf(text, sizeof text, "{\"type\":\"request\",\"method\":\"list\",\"ref\":%d}", i);
        say(&first, text);
    }
    /* The note counts beside them. */
    ck_assert_uint_ge(a.host.manager->kept_answers.bytes, 4 * 6000 + memories.values[0].length);
    come_back(&b, &second, &first, "ann");
    n_calls = 0;
    say(&second, "{\"type\":\"request\",\"method\":\"list\",\"ref\":3}");
    say(&second, "{\"type\":\"request\",\"method\":\"list\",\"ref\":2}");
    ck_assert_int_eq(n_calls, 0);
    say(&second, "{\"type\":\"request\",\"method\":\"list\",\"ref\":1}");
    ck_assert_int_eq(n_calls, 1);
    end();
}
END_TEST

/* Notes count among the bytes that are kept, and give way to those of others. */
START_TEST(notes_of_all_clients_are_bounded)
{
    struct client clients[40];
    size_t bytes = 0;
    size_t n = 0;

    prepare();
    a.host.options.max_kept_answer_bytes = 2000;
    a.host.options.max_kept_bytes = 10000;
    start();
    for (size_t i = 0; i < 40; i++) {
        char user[16];

        snprintf(user, sizeof user, "u%zu", i);
        clients[i] = (struct client){0};
        client_open(&a.host, &clients[i], "more", user);
        buy_number(&clients[i], 1);
        buy_number(&clients[i], 2);
        ck_assert_uint_le(a.host.manager->kept_answers.bytes, 10000);
    }
    for (size_t i = 0; i < memories.n_values; i++) {
        bytes += memories.values[i].text != NULL ? memories.values[i].length : 0;
        n += memories.values[i].text != NULL;
    }
    ck_assert_uint_le(bytes, 10000);
    ck_assert_uint_ge(n, 10);
    ck_assert(has_note(&clients[39]) && !has_note(&clients[0]));
    for (size_t i = 0; i < 40; i++) {
        client_lose(&clients[i]);
        client_free(&clients[i]);
    }
    end();
}
END_TEST

/* What the carrier has been given, and not been told to forget. */
static size_t count_notes(void)
{
    size_t n = 0;

    for (size_t i = 0; i < memories.n_values; i++)
        n += memories.values[i].text != NULL;
    return n;
}

/* The connection of another process that it names never was. */
static void come_from_nowhere(const char *user_id, bool is_answered)
{
    static int number;
    char name[32];
    ws_connect_options options;

    client_free(&second);
    second = (struct client){.host = &b.host, .name = "again"};
    client_options(&second, &options);
    snprintf(name, sizeof name, "aaaaaaaaaa-%x", ++number);
    options.user_id = user_id;
    options.former_connection_id = name;
    ck_assert_int_eq(ws_manager_connect(b.host.manager, b.host.loop, &options, &second.id),
                     WS_OK);
    host_run(&b.host);
    if (is_answered)
        run(&b.host);
    client_lose(&second);
    host_run(&b.host);
}

START_TEST(a_client_without_a_past_leaves_no_note)
{
    begin();
    for (int i = 0; i < 10; i++)
        come_from_nowhere("eve", true);
    ck_assert_uint_eq(memories.n_recalls, 10);
    ck_assert_uint_eq(count_notes(), 0);
    ck_assert_uint_eq(b.host.manager->kept_answers.bytes, 0);
    end();
}
END_TEST

/* A client that does not wait for its past leaves notes, as far as the limits allow. */
START_TEST(notes_of_an_unknown_past_are_bounded)
{
    prepare();
    b.host.options.max_kept_answer_bytes = 1000;
    b.host.options.max_kept_bytes = 40000;
    start();
    come_back(&b, &third, &first, "ann");
    buy_number(&third, 1);
    for (int i = 0; i < 60; i++)
        come_from_nowhere("eve", false);
    ck_assert_uint_lt(count_notes(), 30);
    ck_assert_uint_lt(b.host.manager->kept_answers.bytes, 10000);
    ck_assert(has_note(&third));
    memories_answer();
    pass(&b.host, 301000);
    come_from_nowhere("eve", true);
    come_from_nowhere("eve", true);
    ck_assert_uint_le(count_notes(), 1);
    end();
}
END_TEST

/* --- what notes cost ------------------------------------------------------------------------- */

static const struct client *last_to_receive;

static void note_receiver(struct client *client, const char *message)
{
    (void)message;
    last_to_receive = client;
}

/* A small request makes the note be written again, with the large answers to others. */
START_TEST(a_client_pays_for_its_note)
{
    enum { REQUESTS = 7 /* without a note they are carried out together */ };

    struct client other = {0};

    begin();
    ck_assert_int_eq(ws_manager_register_method(a.host.manager, "list", answer_much, NULL),
                     WS_OK);
    client_open(&a.host, &other, "other", "bob");
    say(&first, "{\"type\":\"request\",\"method\":\"list\",\"ref\":1}");
    say(&first, "{\"type\":\"request\",\"method\":\"list\",\"ref\":2}");
    first.on_send = other.on_send = note_receiver;
    for (int i = 0; i < REQUESTS; i++) {
        char text[128];

        snprintf(text, sizeof text, "{\"type\":\"request\",\"method\":\"buy\",\"ref\":\"%d\"}",
                 i);
        client_say(&first, text);
    }
    client_say(&other, PING);
    run(&a.host);
    ck_assert_int_eq(n_calls, 2 + REQUESTS);
    ck_assert_ptr_eq(last_to_receive, &first);
    client_free(&other);
    end();
}
END_TEST

/* Clients that come back together have their notes read in several turns. */
START_TEST(reading_notes_is_counted)
{
    enum { RETURNING = 40 };

    struct client clients[RETURNING] = {0};

    begin();
    for (int i = 0; i < 60; i++)
        buy_number(&first, i);
    for (size_t i = 0; i < RETURNING; i++)
        connect_from(&b, &clients[i], &first, "ann");
    host_run(&b.host);
    memories_answer();
    ck_assert_uint_eq(ws_loop_run(b.host.loop, b.host.now_ms), b.host.now_ms);
    host_run(&b.host);
    ck_assert(knows(&clients[RETURNING - 1], 59));
    for (size_t i = 0; i < RETURNING; i++) {
        client_lose(&clients[i]);
        client_free(&clients[i]);
    }
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        notes_have_limits,
        what_is_too_old_is_not_known,
        a_new_note_is_not_forgotten_with_an_old_one,
        many_answers_are_one_note,
        large_answers,
        notes_of_all_clients_are_bounded,
        a_client_without_a_past_leaves_no_note,
        notes_of_an_unknown_past_are_bounded,
        a_client_pays_for_its_note,
        reading_notes_is_counted,
        NULL,
    };

    return suite_run("kept_cluster_limits", tests);
}
