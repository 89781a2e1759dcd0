/* json_threads_test.c: loops in several threads read requests' bodies at the same time, with a
 * cJSON whose parser may run in only one thread at a time. ThreadSanitizer checks it. */
#include "json_text.h"

#include <pthread.h>
#include <string.h>

#include "support/cjson_seen.h"
#include "support/suite.h"
#include "support/threads.h"

enum { THREADS = 2, ROUNDS = 1000 };

static void *read_bodies(void *data)
{
    static const char good[] = "{\"name\":\"caf\\u00e9\",\"items\":[1,2]}";
    static const char bad[] = "{\"name\":}";

    (void)data;
    for (int i = 0; i < ROUNDS; i++) {
        const char *problem;
        cJSON *json = json_text_parse_object(good, sizeof good - 1, &problem);

        ck_assert_ptr_nonnull(json);
        ck_assert_str_eq(cJSON_GetObjectItem(json, "name")->valuestring, "caf\u00e9");
        cJSON_Delete(json);
        ck_assert_ptr_null(json_text_parse_object(bad, sizeof bad - 1, &problem));
        ck_assert_ptr_nonnull(problem);
    }
    return NULL;
}

START_TEST(threads_take_turns_with_cjson)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_bodies, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(cjson_seen, 2 * THREADS * ROUNDS);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {threads_take_turns_with_cjson, NULL};

    return suite_run("json-threads", tests);
}
