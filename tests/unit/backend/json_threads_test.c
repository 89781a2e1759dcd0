/* json_threads_test.c: loops in several threads read requests' bodies at the same time. */
#include "json_text.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "support/suite.h"
#include "support/threads.h"

enum { THREADS = 2, SECONDS = 20 };

static const char text[] = "{\"name\":\"caf\\u00e9\",\"items\":[1,2]}";

/* The threads that have begun to parse. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_begun = PTHREAD_COND_INITIALIZER;
static int n_begun;
static _Thread_local bool is_noted;

/* The parser's first allocation in each thread waits for that of the other. */
static void *wait_for_others(size_t size)
{
    struct timespec until;

    if (!is_noted) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += SECONDS;
        is_noted = true;
        pthread_mutex_lock(&mutex);
        n_begun++;
        pthread_cond_broadcast(&has_begun);
        while (n_begun < THREADS)
            if (pthread_cond_timedwait(&has_begun, &mutex, &until) == ETIMEDOUT)
                ck_abort_msg("one body waits for another");
        pthread_mutex_unlock(&mutex);
    }
    return malloc(size);
}

static void *read_body(void *data)
{
    const char *problem;
    cJSON *json = json_text_parse_object(text, sizeof text - 1, &problem);

    (void)data;
    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(cJSON_GetObjectItem(json, "name")->valuestring, "caf\u00e9");
    cJSON_Delete(json);
    return NULL;
}

START_TEST(no_body_waits_for_another)
{
    cJSON_Hooks hooks = {.malloc_fn = wait_for_others, .free_fn = free};
    pthread_t threads[THREADS];

    cJSON_InitHooks(&hooks);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_body, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cJSON_InitHooks(NULL);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {no_body_waits_for_another, NULL};

    return suite_run("json-threads", tests);
}
