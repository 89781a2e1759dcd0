/* fork_test.c: the parent and the child of a fork() are two processes to their clients: their
 * connections have different names, their events different ids, and an event of one is never
 * mistaken for one of the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/manager.h"
#include "support/stream.h"
#include "support/suite.h"

enum { TEXT_SIZE = 4096 };

static struct host host;
static struct client ann;
static struct client bob;

/* What a process reports, as lines. */
struct told {
    char text[TEXT_SIZE];
};

static void begin(void)
{
    host_open(&host);
    client_open_in(&host, &bob, "bob", "r");
    emit_number(&host, NULL, 1);
    emit_number(&host, "r", 2);
    host_run(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    ann = bob = (struct client){0};
}

static void tell(struct told *told, const char *what, const char *text)
{
    size_t length = strlen(told->text);

    snprintf(told->text + length, sizeof told->text - length, "%s: %s\n", what, text);
}

/* The id of the newest event of this process. */
static void newest_id(char id[EVENT_ID_SIZE])
{
    manager_lock(host.manager);
    event_id_write(host.manager->epoch, host.manager->position, id);
    manager_unlock(host.manager);
}

/* Reports what a client receives that reconnects with `after`. */
static void come_back(const char *after, struct told *told)
{
    ws_connect_options options;
    const char *message;

    ann = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.after = after;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    host_run(&host);
    while ((message = client_next(&ann)) != NULL)
        tell(told, "ann", message);
    client_lose(&ann);
    client_free(&ann);
}

/* Runs a function in a child, and returns the child's report. */
static struct told in_child(void (*act)(struct told *told))
{
    struct told told = {""};
    size_t length = 0;
    ssize_t got;
    int status;
    int ends[2];
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        act(&told);
        _exit(write(ends[1], told.text, strlen(told.text)) < 0);
    }
    close(ends[1]);
    while ((got = read(ends[0], told.text + length, sizeof told.text - 1 - length)) > 0)
        length += (size_t)got;
    told.text[length] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    return told;
}

static void tell_names(struct told *told)
{
    char id[EVENT_ID_SIZE];

    tell(told, "process", ws_manager_process_id(host.manager));
    newest_id(id);
    tell(told, "id", id);
}

START_TEST(each_process_has_names_of_its_own)
{
    struct told parent = {""};
    struct told again = {""};
    struct told one;
    struct told two;

    begin();
    tell_names(&parent);
    one = in_child(tell_names);
    two = in_child(tell_names);
    ck_assert_ptr_nonnull(strstr(one.text, ".2\n"));
    ck_assert_str_ne(one.text, parent.text);
    ck_assert_str_ne(two.text, parent.text);
    ck_assert_str_ne(one.text, two.text);
    ck_assert_int_ne(strncmp(one.text, parent.text, strlen("process: 1234567890")), 0);
    ck_assert_int_ne(strncmp(one.text, two.text, strlen("process: 1234567890")), 0);
    tell_names(&again);
    ck_assert_str_eq(again.text, parent.text);
    end();
}
END_TEST

static char seen[EVENT_ID_SIZE];

/* The child's positions are beyond those of the parent. */
static void go_on_without_parent(struct told *told)
{
    char id[EVENT_ID_SIZE];

    emit_number(&host, NULL, 7);
    emit_number(&host, NULL, 8);
    emit_number(&host, NULL, 9);
    come_back(seen, told);
    newest_id(id);
    come_back(id, told);
}

START_TEST(a_client_of_the_parent_cannot_recover_on_the_child)
{
    struct told child;
    struct told parent = {""};

    begin();
    newest_id(seen);
    child = in_child(go_on_without_parent);
    ck_assert_str_eq(child.text,
                     "ann: {\"type\":\"welcome\",\"data\":{\"connection_id\":\"E-100000002\","
                     "\"user_id\":null,\"id\":\"E.5\",\"ping_interval_ms\":25000}}\n"
                     "ann: {\"type\":\"recovered\",\"data\":{\"complete\":false,\"count\":0,"
                     "\"id\":\"E.5\"}}\n"
                     "ann: {\"type\":\"welcome\",\"data\":{\"connection_id\":\"E-100000003\","
                     "\"user_id\":null,\"id\":\"E.5\",\"ping_interval_ms\":25000}}\n"
                     "ann: {\"type\":\"recovered\",\"data\":{\"complete\":true,\"count\":0,"
                     "\"id\":\"E.5\"}}\n");
    /* The parent continues as if there were no child. */
    emit_number(&host, NULL, 3);
    come_back(seen, &parent);
    ck_assert_ptr_nonnull(strstr(parent.text, "{\"n\":3}"));
    ck_assert_ptr_nonnull(strstr(parent.text, "\"complete\":true,\"count\":1,\"id\":\"E.3\""));
    end();
}
END_TEST

/* Also an id of the parent that is not in the child's history yet, or never was. */
static void come_back_with_all_ids(struct told *told)
{
    char epoch[EPOCH_SIZE];

    memcpy(epoch, seen, EPOCH_LENGTH);
    epoch[EPOCH_LENGTH] = '\0';
    emit_number(&host, NULL, 7);
    for (uint64_t position = 0; position < 6; position++) {
        struct told one = {""};
        char id[EVENT_ID_SIZE];

        event_id_write(epoch, position, id);
        come_back(id, &one);
        tell(told, "complete", strstr(one.text, "\"complete\":false") != NULL ? "no" : "yes");
    }
}

START_TEST(the_child_knows_no_id_of_the_parent)
{
    struct told child;

    begin();
    newest_id(seen);
    child = in_child(come_back_with_all_ids);
    ck_assert_ptr_null(strstr(child.text, "yes"));
    end();
}
END_TEST

/* The rooms of a client that the child continues to serve. */
static void look_for_names(struct told *told)
{
    char numbers[2 * TEXT_SIZE];

    for (int i = 0; i < 500; i++) {
        snprintf(numbers, sizeof numbers, "room %d", i);
        if (!ws_manager_is_member(host.manager, bob.id, numbers))
            tell(told, "lost", numbers);
    }
    ck_assert_int_eq(ws_manager_leave_room(host.manager, bob.id, "room 7"), WS_OK);
    host_run(&host);
    client_count(&bob);
    emit_number(&host, "room 7", 1);
    emit_number(&host, "room 8", 2);
    host_run(&host);
    snprintf(numbers, sizeof numbers, "%zu", client_count(&bob));
    tell(told, "got", numbers);
    host_close(&host);
}

START_TEST(the_child_finds_all_names_by_its_own_hashes)
{
    uint8_t secret[NAME_TABLE_SECRET];
    struct told child;
    char room[32];

    begin();
    for (int i = 0; i < 500; i++) {
        snprintf(room, sizeof room, "room %d", i);
        ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, room), WS_OK);
    }
    host_run(&host);
    memcpy(secret, host.manager->registry.secret, sizeof secret);
    child = in_child(look_for_names);
    ck_assert_str_eq(child.text, "got: 1\n");
    ck_assert_int_eq(memcmp(secret, host.manager->registry.secret, sizeof secret), 0);
    end();
}
END_TEST

static void tell_secret(struct told *told)
{
    char text[2 * NAME_TABLE_SECRET + 1];

    manager_lock(host.manager);
    for (size_t i = 0; i < NAME_TABLE_SECRET; i++)
        snprintf(text + 2 * i, 3, "%02x", host.manager->registry.secret[i]);
    manager_unlock(host.manager);
    tell(told, "secret", text);
}

START_TEST(the_child_has_its_own_hash_secret)
{
    struct told parent = {""};
    struct told child;

    begin();
    tell_secret(&parent);
    child = in_child(tell_secret);
    ck_assert_str_ne(child.text, parent.text);
    end();
}
END_TEST

static struct process reading;

/* The child's first call of the library is the page that the parent asked for. */
static void answer_parents_request(struct told *told)
{
    tell(told, "result", stream_answer_with(256, 100) == WS_OK ? "ok" : "error");
    process_close(&reading);
}

START_TEST(a_page_for_the_parent_is_ignored_by_the_child)
{
    struct told child;
    char room[32];

    stream_reset();
    process_open(&reading, 10);
    process_start(&reading, 0);
    for (int i = 0; i < 600; i++) {
        snprintf(room, sizeof room, "room %d", i);
        emit_number(&reading.host, room, i);
    }
    process_read_all(&reading);
    process_come_back(&reading, &ann, stream_id(300), NULL);
    host_run(&reading.host);
    child = in_child(answer_parents_request);
    ck_assert_str_eq(child.text, "result: ok\n");
    stream_answer_all();
    process_close(&reading);
    client_free(&ann);
    ann = (struct client){0};
    stream_reset();
}
END_TEST

static void free_the_loop(struct told *told)
{
    host_forget_log(&host);
    ws_loop_free(host.loop);
    tell(told, "called", host.log != NULL ? host.log : "");
    tell(told, "closed", bob.n_closes > 0 ? "yes" : "no");
}

START_TEST(a_child_that_frees_a_loop_calls_neither_host_nor_clients)
{
    struct told child;

    begin();
    child = in_child(free_the_loop);
    ck_assert_str_eq(child.text, "called: \nclosed: no\n");
    end();
}
END_TEST

/* Another loop than the parent's, which kept the beat of presence, ends the grace time. */
static void leave_a_loop_of_the_child(struct told *told)
{
    struct client cat = {0};
    struct client dan = {0};
    const char *message;

    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &host.loop), WS_OK);
    client_open(&host, &cat, "cat", "cat");
    client_open(&host, &dan, "dan", "dan");
    host_run(&host);
    client_lose(&dan);
    for (int i = 0; i < 100; i++) {
        host.now_ms += 100;
        host_run(&host);
    }
    while ((message = client_next(&cat)) != NULL)
        if (strstr(message, "user_disconnected") != NULL)
            tell(told, "left", strstr(message, "\"dan\"") != NULL ? "dan" : "another");
}

START_TEST(the_child_announces_users_who_leave_it)
{
    struct told child;

    host_init(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    host_run(&host);
    client_lose(&bob);
    host_run(&host);
    child = in_child(leave_a_loop_of_the_child);
    ck_assert_ptr_nonnull(strstr(child.text, "left: dan\n"));
    end();
}
END_TEST

static pid_t forked;

static void fork_at_join(struct host *at, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "on_join", 7) == 0) {
        at->hook = NULL;
        forked = fork();
    }
}

/* The child continues the parent's turn, with the calls that were made before and are carried out
 * after. */
START_TEST(a_fork_within_a_callback)
{
    struct told told = {""};
    ws_connect_options options;
    const char *message;
    int status;

    begin();
    newest_id(seen);
    host.hook = fork_at_join;
    ann = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.after = seen;
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "another"), WS_OK);
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    ck_assert_int_eq(ws_loop_run(host.loop, host.now_ms) == WS_NO_DEADLINE, 1);
    while ((message = client_next(&ann)) != NULL)
        tell(&told, "ann", message);
    if (forked == 0)
        _exit(strstr(told.text, "\"complete\":false,\"count\":0,\"id\":\"E.2\"") == NULL);
    ck_assert_ptr_nonnull(strstr(told.text, "\"complete\":true,\"count\":0,\"id\":\"E.2\""));
    ck_assert_int_eq(waitpid(forked, &status, 0), forked);
    ck_assert_int_eq(status, 0);
    client_lose(&ann);
    end();
}
END_TEST

START_TEST(epochs_are_new_also_without_randomness)
{
    char epochs[64][EPOCH_SIZE];

    for (uint64_t i = 0; i < 64; i++) {
        strcpy(epochs[i], "abcdefghij");
        epoch_turn(epochs[i], i == 0 ? 0 : UINT64_C(1) << (i % 50));
        ck_assert(epoch_valid(epochs[i]));
        for (uint64_t j = 0; j < i; j++)
            ck_assert_int_eq(strcmp(epochs[i], epochs[j]) == 0, i > 50 && j == i - 50);
    }
    ck_assert_str_eq(epochs[0], "abcdefghij");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_process_has_names_of_its_own,
        a_client_of_the_parent_cannot_recover_on_the_child,
        the_child_knows_no_id_of_the_parent,
        the_child_finds_all_names_by_its_own_hashes,
        the_child_has_its_own_hash_secret,
        a_page_for_the_parent_is_ignored_by_the_child,
        a_child_that_frees_a_loop_calls_neither_host_nor_clients,
        the_child_announces_users_who_leave_it,
        a_fork_within_a_callback,
        epochs_are_new_also_without_randomness,
        NULL,
    };

    return suite_run("fork", tests);
}
