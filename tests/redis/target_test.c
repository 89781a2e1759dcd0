/* target_test.c: when a server's name is looked up, which of its addresses is tried, and a lookup
 * that takes long, fails, or is no longer needed. Without Redis; the test controls the clock. */
#include "cluster/redis/target.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <ws_manager/loop.h>

#include "redis/support/addresses.h"
#include "support/suite.h"

enum { TIMEOUT_MS = 5000 };

/* --- a lookup hook that the test answers ----------------------------------------------------- */

static ws_redis_lookup *asked; /* unanswered */
static char asked_for[256];
static unsigned n_asked;
static unsigned n_woken;
static int refusal; /* of the hook; WS_OK: none */

static int resolve(ws_redis_lookup *lookup, const char *host, void *user_data)
{
    ck_assert_ptr_eq(user_data, &n_asked);
    ck_assert_ptr_null(asked);
    n_asked++;
    snprintf(asked_for, sizeof asked_for, "%s", host);
    if (refusal == WS_OK)
        asked = lookup;
    return refusal;
}

static void wake(void *wake_data)
{
    ck_assert_ptr_eq(wake_data, &n_woken);
    n_woken++;
}

static const struct resolver resolver = {resolve, &n_asked, wake, &n_woken};

static void answer(const char *const *texts)
{
    struct addrinfo *list = address_list(texts);
    ws_redis_lookup *lookup = asked;

    asked = NULL;
    ws_redis_lookup_done(lookup, list, NULL);
    address_list_free(list);
}

#define ANSWER(...) answer((const char *const[]){__VA_ARGS__, NULL})

static void answer_failure(const char *why)
{
    ws_redis_lookup *lookup = asked;

    asked = NULL;
    ws_redis_lookup_done(lookup, NULL, why);
}

/* --- the target ------------------------------------------------------------------------------- */

static struct target target;

static void begin(const char *host)
{
    n_asked = n_woken = 0;
    refusal = WS_OK;
    target_init(&target);
    target_aim(&target, host);
}

static enum target_state find(uint64_t now_ms)
{
    enum target_state state = target_find(&target, now_ms, TIMEOUT_MS);

    if (!target.wants_lookup)
        return state;
    ck_assert_int_eq(state, TARGET_WAITING);
    ck_assert_uint_eq(target.deadline_ms, now_ms); /* it is called again at once */
    target_look_up(&target, &resolver);
    return target_find(&target, now_ms, TIMEOUT_MS);
}

static void expect_waiting(uint64_t now_ms, uint64_t deadline_ms)
{
    ck_assert_int_eq(find(now_ms), TARGET_WAITING);
    ck_assert_uint_eq(target.deadline_ms, deadline_ms);
}

static void expect_address(uint64_t now_ms, const char *address)
{
    ck_assert_int_eq(find(now_ms), TARGET_FOUND);
    ck_assert_str_eq(target_address(&target), address);
    ck_assert_uint_eq(target.deadline_ms, WS_NO_DEADLINE);
}

static void expect_unknown(uint64_t now_ms, const char *why)
{
    ck_assert_int_eq(find(now_ms), TARGET_UNKNOWN);
    ck_assert_msg(strstr(target.error, why) != NULL, "%s", target.error);
    ck_assert_uint_eq(target.deadline_ms, WS_NO_DEADLINE);
    ck_assert(!target_failed(&target));
}

START_TEST(an_address_is_not_looked_up)
{
    static const char *const literals[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::1", "::1"},
        {"::FFFF:127.0.0.1", "::ffff:127.0.0.1"},
        {"fe80::1%lo", "fe80::1%lo"},
    };

    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        begin(literals[i][0]);
        expect_address(0, literals[i][1]);
        ck_assert(!target_failed(&target));
        expect_address(1, literals[i][1]);
        target_worked(&target);
        expect_address(2, literals[i][1]);
        ck_assert_uint_eq(n_asked, 0);
        target_free(&target);
    }
}
END_TEST

START_TEST(each_address_is_tried)
{
    begin("redis.example");
    expect_waiting(1000, 6000);
    ck_assert_str_eq(asked_for, "redis.example");
    ck_assert_uint_eq(n_woken, 0);
    ANSWER("fd00::1", "192.0.2.1", "fd00::1", "192.0.2.2");
    ck_assert_uint_eq(n_woken, 1);
    expect_address(1001, "fd00::1");
    ck_assert(target_failed(&target));
    expect_address(1002, "192.0.2.1");
    expect_address(1003, "192.0.2.1");
    ck_assert(target_failed(&target));
    expect_address(1004, "192.0.2.2");
    ck_assert(!target_failed(&target));
    ck_assert(!target_failed(&target)); /* the round is over anyway */
    ck_assert_uint_eq(n_asked, 1);
    expect_waiting(2000, 7000); /* and the name is looked up again */
    ck_assert_uint_eq(n_asked, 2);
    ANSWER("192.0.2.3");
    expect_address(2001, "192.0.2.3");
    target_free(&target);
}
END_TEST

START_TEST(the_address_that_worked_is_tried_first)
{
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    ANSWER("192.0.2.1", "192.0.2.2", "192.0.2.3");
    expect_address(1, "192.0.2.1");
    ck_assert(target_failed(&target));
    expect_address(2, "192.0.2.2");
    target_worked(&target);
    target_worked(&target);
    ck_assert(!target_failed(&target)); /* after it has worked a new round begins */
    expect_waiting(1000, 6000);
    ANSWER("192.0.2.3", "192.0.2.1", "192.0.2.2");
    expect_address(1001, "192.0.2.2");
    ck_assert(target_failed(&target));
    expect_address(1002, "192.0.2.3");
    target_worked(&target);
    expect_waiting(2000, 7000);
    ANSWER("192.0.2.8", "192.0.2.9"); /* the server has moved */
    expect_address(2001, "192.0.2.8");
    target_free(&target);
}
END_TEST

START_TEST(the_last_addresses_are_kept)
{
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    ANSWER("192.0.2.1", "192.0.2.2");
    expect_address(1, "192.0.2.1");
    ck_assert(target_failed(&target));
    expect_address(1, "192.0.2.2");
    target_worked(&target);
    expect_waiting(10, 5010);
    answer_failure("no such name");
    expect_address(11, "192.0.2.2");
    ck_assert(target_failed(&target));
    expect_address(12, "192.0.2.1");
    ck_assert(!target_failed(&target));
    expect_waiting(20, 5020);
    answer(&(const char *){NULL}); /* an answer without an address */
    expect_address(21, "192.0.2.2");
    target_worked(&target);
    refusal = WS_ERR_SYSTEM;
    expect_address(30, "192.0.2.2");
    ck_assert_uint_eq(n_asked, 4);
    target_free(&target);
}
END_TEST

START_TEST(a_name_that_resolves_after_a_while)
{
    char error[256];

    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    answer_failure("no such name");
    expect_unknown(1, "the host name redis.example cannot be resolved: no such name");
    expect_waiting(100, 5100);
    answer(&(const char *){NULL});
    expect_unknown(101, "has no address");
    refusal = WS_ERR_NO_MEMORY;
    snprintf(error, sizeof error, "could not be started: %s", ws_strerror(WS_ERR_NO_MEMORY));
    expect_unknown(200, error);
    refusal = WS_OK;
    expect_waiting(300, 5300);
    ANSWER("192.0.2.1");
    expect_address(301, "192.0.2.1");
    target_free(&target);
}
END_TEST

/* There is never more than one lookup, as resolve() says. */
START_TEST(a_slow_look_up)
{
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    expect_waiting(4999, TIMEOUT_MS);
    expect_unknown(5000, "no answer within 5000 ms");
    expect_waiting(6000, 11000); /* the same lookup */
    ck_assert_uint_eq(n_asked, 1);
    ANSWER("192.0.2.1");
    expect_address(7000, "192.0.2.1");
    target_worked(&target);
    expect_waiting(8000, 13000);
    expect_address(13000, "192.0.2.1"); /* the address that is known by now */
    ck_assert(!target_failed(&target));
    ANSWER("192.0.2.2"); /* for the next round */
    expect_address(14000, "192.0.2.2");
    ck_assert_uint_eq(n_asked, 2);
    target_free(&target);
}
END_TEST

/* The hook blocks, and answers only later. */
START_TEST(the_time_counts_from_the_end_of_the_hook_s_call)
{
    begin("redis.example");
    ck_assert_int_eq(target_find(&target, 1000, TIMEOUT_MS), TARGET_WAITING);
    target_look_up(&target, &resolver);
    expect_waiting(21000, 26000);
    ANSWER("192.0.2.1");
    expect_address(25000, "192.0.2.1");
    target_free(&target);
}
END_TEST

START_TEST(an_answer_that_is_out_of_date)
{
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    ANSWER("192.0.2.1");
    expect_address(1, "192.0.2.1");
    target_worked(&target);
    expect_waiting(10, 5010);
    expect_address(5010, "192.0.2.1");
    target_worked(&target);
    ANSWER("192.0.2.2"); /* while there is a connection */
    expect_waiting(1000000, 1005000);
    ck_assert_uint_eq(n_asked, 3);
    expect_address(1005000, "192.0.2.1");
    target_worked(&target);
    expect_waiting(2000000, 2005000); /* for the same lookup, which is answered only now */
    ANSWER("192.0.2.3");
    expect_address(2000001, "192.0.2.3");
    ck_assert_uint_eq(n_asked, 3);
    target_free(&target);
}
END_TEST

START_TEST(the_target_changes_to_another_host)
{
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    ANSWER("192.0.2.1", "192.0.2.2");
    expect_address(1, "192.0.2.1");
    target_aim(&target, "redis.example");
    ck_assert(target_failed(&target));
    expect_address(2, "192.0.2.2");
    target_aim(&target, "other.example");
    ck_assert(!target_failed(&target));
    expect_waiting(3, 5003);
    ck_assert_str_eq(asked_for, "other.example");
    target_aim(&target, "192.0.2.3");
    expect_address(4, "192.0.2.3");
    ANSWER("192.0.2.4"); /* for a lookup that is no longer needed */
    expect_address(5, "192.0.2.3");
    target_free(&target);
}
END_TEST

START_TEST(many_addresses_and_unusable_ones)
{
    enum { N = 40 };
    char texts[N][24];
    const char *list[N + 1] = {NULL};
    struct addrinfo odd = {.ai_family = AF_UNIX};
    struct addrinfo cut = {.ai_family = AF_INET6, .ai_addrlen = 3};
    struct sockaddr_storage storage = {.ss_family = AF_INET6};
    ws_redis_lookup *lookup;

    for (int i = 0; i < N; i++) {
        snprintf(texts[i], sizeof texts[i], "192.0.2.%d", i);
        list[i] = texts[i];
    }
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    answer(list);
    for (int i = 0; i < ADDRESSES_MAX; i++) {
        expect_address(1, texts[i]);
        ck_assert_int_eq(target_failed(&target), i < ADDRESSES_MAX - 1);
    }
    expect_waiting(0, TIMEOUT_MS);
    cut.ai_addr = (struct sockaddr *)&storage;
    odd.ai_next = &cut;
    lookup = asked;
    asked = NULL;
    ws_redis_lookup_done(lookup, &odd, NULL);
    expect_address(1, texts[0]);
    ck_assert_str_eq(target.error,
                     "the host name redis.example cannot be resolved: the name has no address");
    target_free(&target);
}
END_TEST

START_TEST(an_answer_after_the_target_was_freed)
{
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    target_free(&target);
    ANSWER("192.0.2.1"); /* frees the lookup and wakes no loop */
    ck_assert_uint_eq(n_woken, 0);
    begin("redis.example");
    expect_waiting(0, TIMEOUT_MS);
    ANSWER("192.0.2.1");
    target_free(&target);
    ck_assert_uint_eq(n_woken, 1);
    target_free(&target);
}
END_TEST

/* --- the ready hooks -------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned n_answers; /* guarded by the lock */

static void note_answer(void *wake_data)
{
    (void)wake_data;
    pthread_mutex_lock(&lock);
    n_answers++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void await_answers(unsigned n)
{
    pthread_mutex_lock(&lock);
    while (n_answers < n)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static enum target_state find_by(const struct resolver *hook)
{
    enum target_state state = target_find(&target, 0, TIMEOUT_MS);

    target_look_up(&target, hook);
    return state;
}

START_TEST(the_hook_that_uses_a_thread)
{
    static const struct resolver in_thread = {ws_redis_resolve_in_thread, NULL, note_answer,
                                              NULL};
    enum { N = 50 };

    n_answers = 0;
    begin("localhost");
    for (unsigned i = 1; i <= N; i++) {
        ck_assert_int_eq(find_by(&in_thread), TARGET_WAITING);
        await_answers(i);
        ck_assert_int_eq(target_find(&target, 0, TIMEOUT_MS), TARGET_FOUND);
        ck_assert(strcmp(target_address(&target), "127.0.0.1") == 0 ||
                  strcmp(target_address(&target), "::1") == 0);
        target_worked(&target);
    }
    target_free(&target);
    begin("a..b"); /* no name server is asked for this name */
    ck_assert_int_eq(find_by(&in_thread), TARGET_WAITING);
    await_answers(N + 1);
    ck_assert_int_eq(target_find(&target, 0, TIMEOUT_MS), TARGET_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(target.error, "cannot be resolved"));
    target_free(&target);
    /* Whether the thread is faster or not. */
    for (unsigned i = 1; i <= N; i++) {
        begin("localhost");
        ck_assert_int_eq(find_by(&in_thread), TARGET_WAITING);
        target_free(&target);
    }
}
END_TEST

START_TEST(the_hook_that_answers_at_once)
{
    static const struct resolver here = {lookup_at_once, NULL, note_answer, NULL};

    n_answers = 0;
    begin("localhost");
    ck_assert_int_eq(find_by(&here), TARGET_WAITING);
    ck_assert_uint_eq(n_answers, 1);
    ck_assert_int_eq(target_find(&target, 99999, TIMEOUT_MS), TARGET_FOUND);
    target_free(&target);
}
END_TEST

int main(void)
{
    return suite_run("redis-target",
                     (const TTest *const[]){
                         an_address_is_not_looked_up, each_address_is_tried,
                         the_address_that_worked_is_tried_first, the_last_addresses_are_kept,
                         a_name_that_resolves_after_a_while, a_slow_look_up,
                         the_time_counts_from_the_end_of_the_hook_s_call,
                         an_answer_that_is_out_of_date, the_target_changes_to_another_host,
                         many_addresses_and_unusable_ones, an_answer_after_the_target_was_freed,
                         the_hook_that_uses_a_thread, the_hook_that_answers_at_once, NULL});
}
