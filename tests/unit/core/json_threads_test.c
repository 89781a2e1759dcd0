/* json_threads_test.c: loops in several threads parse their clients' JSON at the same time and
 * share nothing. ThreadSanitizer checks it. */
#include <pthread.h>
#include <string.h>

#include "base/json_text.h"
#include "support/cjson_seen.h"
#include "support/suite.h"
#include "support/test_memory.h"
#include "support/threads.h"

enum { THREADS = 2, ROUNDS = 1000 };

static const char message[] = "{\"type\":\"join_\\u0072oom\",\"room\":\"caf\\u00e9 "
                              "\\ud83d\\ude00 \\\"x\\\"\",\"data\":{\"a\":[1,2]}}";

static void *read_messages(void *data)
{
    static const char *const names[] = {"type", "room"};
    struct json_slice values[2];
    ws_allocator memory;

    (void)data;
    memory_allocator_init(&memory);
    for (int i = 0; i < ROUNDS; i++) {
        char *type;
        char *room;

        ck_assert(json_members(message, sizeof message - 1, names, values, 2));
        ck_assert(json_string(&memory, values[0], &type));
        ck_assert(json_string(&memory, values[1], &room));
        ck_assert_str_eq(type, "join_room");
        ck_assert_str_eq(room, "caf\u00e9 \U0001f600 \"x\"");
        memory_free(&memory, type);
        memory_free(&memory, room);
    }
    return NULL;
}

START_TEST(threads_do_not_share_a_parser)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_messages, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(cjson_seen, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {threads_do_not_share_a_parser, NULL};

    return suite_run("json-threads", tests);
}
