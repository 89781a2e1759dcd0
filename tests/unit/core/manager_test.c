/* manager_test.c: creating a manager: size stamps, limits, allocator, names; ownership of its
 * memory; the version; the texts of the result codes. */
#include "core/manager.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "support/host.h"
#include "support/suite.h"

static ws_manager_options defaults(void)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    return options;
}

static void check_new(const ws_manager_options *options, int expected)
{
    ws_manager *untouched = (ws_manager *)(void *)&untouched;
    ws_manager *manager = untouched;

    ck_assert_int_eq(ws_manager_new(options, &manager), expected);
    if (expected == WS_OK)
        ws_manager_free(manager);
    else
        ck_assert_ptr_eq(manager, untouched);
}

START_TEST(the_defaults_are_those_of_the_header)
{
    ws_manager_options options = defaults();

    ck_assert_uint_eq(options.size, sizeof options);
    ck_assert_ptr_null(options.allocator);
    ck_assert(options.on_connect == NULL);
    ck_assert(options.log == NULL);
    ck_assert_int_eq(options.presence_events, WS_PRESENCE_EVERYONE);
    ck_assert_ptr_null(options.presence_room);
    ck_assert_uint_eq(options.max_connections, 100000);
    ck_assert_uint_eq(options.max_rooms_per_connection, 1000);
    ck_assert_uint_eq(options.max_event_bytes, 1048576);
    ck_assert_uint_eq(options.max_client_json_depth, 32);
    ck_assert_uint_eq(options.max_pending, 1048576);
    check_new(&options, WS_OK);
    check_new(NULL, WS_OK);
    ck_assert_int_eq(ws_manager_new(&options, NULL), WS_ERR_INVALID);
    ws_manager_free(NULL);
}
END_TEST

START_TEST(options_are_checked)
{
    ws_manager_options options = defaults();

    options.presence_events = 3;
    check_new(&options, WS_ERR_INVALID);
    options.presence_events = -1;
    check_new(&options, WS_ERR_INVALID);
    options.presence_events = WS_PRESENCE_ROOM;
    check_new(&options, WS_ERR_INVALID);
    options.presence_room = "";
    check_new(&options, WS_ERR_INVALID);
    options.presence_room = "a\nb";
    check_new(&options, WS_ERR_INVALID);
    options.presence_room = "lobby";
    check_new(&options, WS_OK);

    options = defaults();
    options.max_event_bytes = 0;
    check_new(&options, WS_ERR_INVALID);
    options.max_event_bytes = (1u << 30) + 1;
    check_new(&options, WS_ERR_INVALID);
    options.max_event_bytes = 1u << 30;
    check_new(&options, WS_OK);

    options = defaults();
    options.max_client_json_depth = 0;
    check_new(&options, WS_ERR_INVALID);
    options.max_client_json_depth = 257;
    check_new(&options, WS_ERR_INVALID);
    options.max_client_json_depth = 1;
    check_new(&options, WS_OK);

    options = defaults();
    options.max_pending = 0;
    check_new(&options, WS_ERR_INVALID);
    options = defaults();
    options.max_connections = options.max_rooms_per_connection = 0;
    check_new(&options, WS_OK);
    options.clock = NULL;
    check_new(&options, WS_OK); /* NULL selects the system's clock */
}
END_TEST

START_TEST(an_allocator_is_complete_or_default)
{
    struct {
        ws_allocator allocator;
        char tail[8];
    } newer = {.tail = {0}};
    struct test_memory memory;
    ws_manager_options options = defaults();

    test_memory_init(&memory);
    options.allocator = &newer.allocator;
    newer.allocator = memory.allocator;
    check_new(&options, WS_OK);
    ck_assert_int_eq(memory.n_blocks, 0);
    ck_assert_int_gt(memory.n_requests, 0);
    newer.allocator.free = NULL;
    check_new(&options, WS_ERR_INVALID);
    newer.allocator = memory.allocator;
    newer.allocator.realloc = NULL;
    check_new(&options, WS_ERR_INVALID);
    newer.allocator = memory.allocator;
    newer.allocator.malloc = NULL;
    check_new(&options, WS_ERR_INVALID);
    newer.allocator = memory.allocator;
    newer.allocator.size = 1;
    check_new(&options, WS_ERR_INVALID);
    newer.allocator.size = sizeof newer;
    check_new(&options, WS_OK);
    newer.tail[0] = 1;
    check_new(&options, WS_ERR_INVALID);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(wrong_sizes_are_refused)
{
    struct {
        ws_manager_options options;
        char tail[16];
    } newer = {.options = defaults()};

    check_new(&newer.options, WS_OK);
    newer.options.size = sizeof newer;
    check_new(&newer.options, WS_OK);
    newer.tail[15] = 1;
    check_new(&newer.options, WS_ERR_INVALID);
    newer.options.size = sizeof newer.options;
    check_new(&newer.options, WS_OK);
    /* From before max_pending was added: an invalid value after the end is not read. */
    newer.options.max_pending = 0;
    check_new(&newer.options, WS_ERR_INVALID);
    newer.options.size = offsetof(ws_manager_options, max_pending);
    check_new(&newer.options, WS_OK);
    newer.options.size = 0;
    check_new(&newer.options, WS_ERR_INVALID);
    newer.options.size = sizeof newer.options.size - 1;
    check_new(&newer.options, WS_ERR_INVALID);
    newer.options.size = SIZE_MAX;
    check_new(&newer.options, WS_ERR_INVALID);
}
END_TEST

struct version_one {
    size_t size;
    int first;
};

struct version_two {
    size_t size;
    int first;
    int padding;
    int second;
};

START_TEST(options_of_another_version_are_accepted)
{
    struct version_two to = {sizeof to, 1, 0, 2};
    struct version_one old = {sizeof old, 10};
    struct {
        struct version_two known;
        int third;
    } newer;

    memset(&newer, 0, sizeof newer);
    newer.known = (struct version_two){sizeof newer, 20, 0, 30};
    /* Compiled against the first version: only its fields are set. */
    ck_assert(options_copy(&to, sizeof to, &old));
    ck_assert_int_eq(to.first, 10);
    ck_assert_int_eq(to.second, 2);
    ck_assert_uint_eq(to.size, sizeof to);
    ck_assert(options_copy(&to, sizeof to, NULL));
    ck_assert_int_eq(to.first, 10);
    /* Compiled against a later version: fields that this library does not know must be zero. */
    ck_assert(options_copy(&to, sizeof to, &newer));
    ck_assert_int_eq(to.second, 30);
    ck_assert_uint_eq(to.size, sizeof to);
    newer.third = 1;
    newer.known.first = 99;
    ck_assert(!options_copy(&to, sizeof to, &newer));
    ck_assert_int_eq(to.first, 20);
    /* No version of the struct has this size. */
    old.size = sizeof old.size - 1;
    ck_assert(!options_copy(&to, sizeof to, &old));
    old.size = 4097;
    ck_assert(!options_copy(&to, sizeof to, &old));
    ck_assert_int_eq(to.first, 20);
}
END_TEST

/* An older program's struct has no room for the newer fields. */
START_TEST(defaults_stay_within_the_caller_s_struct)
{
    struct {
        ws_manager_options options;
        unsigned char behind[16];
    } room;
    size_t known = offsetof(ws_manager_options, max_connections);

    memset(&room, 0xaa, sizeof room);
    ws_manager_options_init_size(&room.options, known);
    ck_assert_uint_eq(room.options.size, known);
    ck_assert_ptr_null((void *)(uintptr_t)room.options.on_connect);
    ck_assert_uint_eq(room.options.max_connections, 0xaaaaaaaa);
    /* A newer program's struct has fields that this library does not know. */
    ws_manager_options_init_size(&room.options, sizeof room);
    ck_assert_uint_eq(room.options.size, sizeof room);
    ck_assert_uint_eq(room.options.max_connections, 100000);
    for (size_t i = 0; i < sizeof room.behind; i++)
        ck_assert_uint_eq(room.behind[i], 0);
}
END_TEST

static void keep_line(int level, const char *line, void *user_data)
{
    (void)level;
    snprintf(user_data, 64, "%s", line);
}

START_TEST(a_log_line_is_one_line)
{
    char line[64];
    ws_manager_options options;
    ws_manager *manager;

    ws_manager_options_init(&options);
    options.log = keep_line;
    options.user_data = line;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    manager_log(manager, WS_LOG_INFO, "said %s",
                "a\nb\x7f"
                "c\x1b");
    ck_assert_str_eq(line, "said a?b?c?");
    ws_manager_free(manager);
}
END_TEST

START_TEST(options_are_copied)
{
    char room[] = "lobby";
    struct host host;
    struct client ann, bob;

    host_init(&host);
    host.options.presence_events = WS_PRESENCE_ROOM;
    host.options.presence_room = room;
    host_start(&host);
    memset(room, 'x', 5);
    client_open_in(&host, &ann, "ann", "lobby");
    client_open(&host, &bob, "bob", NULL);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 1);
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
}
END_TEST

START_TEST(every_manager_has_its_own_epoch)
{
    enum { N = 50 };
    ws_manager *managers[N];

    for (size_t i = 0; i < N; i++) {
        ck_assert_int_eq(ws_manager_new(NULL, &managers[i]), WS_OK);
        ck_assert_uint_eq(strlen(managers[i]->epoch), 10);
        ck_assert_uint_eq(strspn(managers[i]->epoch, "abcdefghijklmnopqrstuvwxyz234567"), 10);
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(managers[i]->epoch, managers[j]->epoch);
            ck_assert_mem_ne(managers[i]->registry.secret, managers[j]->registry.secret,
                             sizeof managers[i]->registry.secret);
        }
    }
    for (size_t i = 0; i < N; i++)
        ws_manager_free(managers[i]);
}
END_TEST

START_TEST(a_manager_is_released_with_its_last_loop_or_event)
{
    struct host host;
    struct client ann;
    ws_event *event;

    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "{}", 2, &event), WS_OK);
    ck_assert_int_eq(ws_event_set_user_id(event, "ann"), WS_OK);
    host_forget_log(&host);
    ws_manager_free(host.manager);
    ws_loop_free(host.loop);
    host_expect_log(&host, "on_disconnect ann ann 1001 server loop ended\n");
    ck_assert_int_gt(host.memory.n_blocks, 0);
    ck_assert_str_eq(ws_event_type(event), "stock_low");
    ws_event_free(event);
    ck_assert_int_eq(host.memory.n_blocks, 0);
    client_free(&ann);
    free(host.log);
}
END_TEST

START_TEST(every_result_code_has_its_own_text)
{
    enum { LAST = WS_ERR_MISUSE };

    for (int code = LAST; code <= WS_DEFERRED; code++) {
        const char *text = ws_strerror(code);

        ck_assert_str_ne(text, "unknown error");
        ck_assert_int_ne(text[strlen(text) - 1], '.');
        for (int other = code + 1; other <= WS_DEFERRED; other++)
            ck_assert_str_ne(text, ws_strerror(other));
    }
    ck_assert_str_eq(ws_strerror(WS_DEFERRED + 1), "unknown error");
    ck_assert_str_eq(ws_strerror(LAST - 1), "unknown error");
    ck_assert_str_eq(ws_strerror(-100000), "unknown error");
}
END_TEST

START_TEST(the_running_version_is_that_of_the_headers)
{
    int major = WS_MANAGER_VERSION_NUM / 10000;

    ck_assert_int_eq(ws_manager_version_num(), WS_MANAGER_VERSION_NUM);
    ck_assert_str_eq(ws_manager_version(), WS_MANAGER_VERSION);
    ck_assert_int_eq(atoi(ws_manager_version()), major);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_defaults_are_those_of_the_header,
        options_are_checked,
        an_allocator_is_complete_or_default,
        wrong_sizes_are_refused,
        options_of_another_version_are_accepted,
        defaults_stay_within_the_caller_s_struct,
        a_log_line_is_one_line,
        options_are_copied,
        every_manager_has_its_own_epoch,
        a_manager_is_released_with_its_last_loop_or_event,
        every_result_code_has_its_own_text,
        the_running_version_is_that_of_the_headers,
        NULL,
    };

    return suite_run("manager", tests);
}
