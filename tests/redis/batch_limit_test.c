/* batch_limit_test.c: how many events are requested at once: few while their size is unknown, then
 * by their size, half as many when a request failed, down to one, and slowly more again. */
#include "cluster/redis/batch_limit.h"
#include "support/suite.h"

enum { FIRST = 8, MOST = 512 };

static struct batch_limit limit;

static void begin(void)
{
    batch_limit_init(&limit, FIRST, MOST);
}

/* All requested events arrived, each of so many bytes. */
static void pass(int times, size_t bytes)
{
    for (; times > 0; times--)
        batch_limit_passed(&limit, limit.events, limit.events * bytes);
}

START_TEST(small_events_are_requested_in_larger_numbers)
{
    begin();
    for (uint32_t events = FIRST; events <= MOST; events *= 2) {
        ck_assert_uint_eq(limit.events, events);
        pass(1, 300);
    }
    ck_assert_uint_eq(limit.events, MOST);
    batch_limit_passed(&limit, 0, 0);
    batch_limit_passed(&limit, 1, 300);
    ck_assert_uint_eq(limit.events, MOST);
}
END_TEST

START_TEST(large_events_are_requested_in_smaller_numbers)
{
    begin();
    pass(1, 60000);
    ck_assert_uint_eq(limit.events, BATCH_LIMIT_BYTES / 60000);
    pass(1, 10 * BATCH_LIMIT_BYTES);
    ck_assert_uint_eq(limit.events, 1);
    pass(40, 300);
    ck_assert_uint_eq(limit.events, MOST);
    pass(1, 60000);
    ck_assert_uint_eq(limit.events, BATCH_LIMIT_BYTES / 60000);
}
END_TEST

START_TEST(failures_halve_the_number_down_to_one)
{
    begin();
    pass(10, 300);
    for (uint32_t events = MOST / 2; events > 0; events /= 2) {
        batch_limit_failed(&limit, limit.events, 1, true);
        ck_assert_uint_eq(limit.events, events);
        ck_assert(!batch_limit_is_hopeless(&limit, 1));
    }
    batch_limit_failed(&limit, 1, 1, true);
    ck_assert_uint_eq(limit.events, 1);
}
END_TEST

/* The failed request was for fewer events than the limit. */
START_TEST(a_failure_counts_from_the_requested_number)
{
    begin();
    pass(10, 300);
    batch_limit_failed(&limit, 10, 1, false);
    ck_assert_uint_eq(limit.events, 5);
}
END_TEST

/* A limit of 16 is found, and reached again now and then. */
START_TEST(the_number_grows_slowly_again)
{
    int n_failed = 0;
    int n_passed = 0;

    begin();
    for (int i = 0; i < 10000; i++)
        if (limit.events > 16) {
            batch_limit_failed(&limit, limit.events, 1, true);
            n_failed++;
        } else {
            n_passed += (int)limit.events;
            pass(1, 300);
        }
    ck_assert_int_gt(n_failed, 10);
    ck_assert_int_lt(n_failed, 10000 / 64);
    ck_assert_int_gt(n_passed, 10000 * 10);
}
END_TEST

START_TEST(the_full_number_is_reached_again)
{
    begin();
    for (int i = 0; i < 20; i++)
        batch_limit_failed(&limit, limit.events, 1, true);
    pass(1000, 300);
    ck_assert_uint_eq(limit.events, MOST);
}
END_TEST

static void cut_alone(int times, uint64_t place)
{
    for (; times > 0; times--)
        batch_limit_failed(&limit, 1, place, true);
}

/* Other events get through meanwhile. */
START_TEST(an_event_that_never_arrives_is_given_up)
{
    begin();
    cut_alone(BATCH_LIMIT_ATTEMPTS - 1, 7);
    pass(3, 300);
    batch_limit_failed(&limit, 1, 7, false); /* a slow line may be faster another time */
    ck_assert(!batch_limit_is_hopeless(&limit, 7));
    cut_alone(1, 7);
    ck_assert(batch_limit_is_hopeless(&limit, 7));
    ck_assert(!batch_limit_is_hopeless(&limit, 8));
    cut_alone(BATCH_LIMIT_ATTEMPTS - 1, 8);
    ck_assert(!batch_limit_is_hopeless(&limit, 7));
    ck_assert(!batch_limit_is_hopeless(&limit, 8));
    cut_alone(1, 8);
    ck_assert(batch_limit_is_hopeless(&limit, 8));
    batch_limit_forget(&limit, 7);
    ck_assert(batch_limit_is_hopeless(&limit, 8));
    batch_limit_forget(&limit, 8);
    ck_assert(!batch_limit_is_hopeless(&limit, 8));
    cut_alone(BATCH_LIMIT_ATTEMPTS, 8);
    ck_assert(batch_limit_is_hopeless(&limit, 8));
}
END_TEST

int main(void)
{
    return suite_run("redis-at-once",
                     (const TTest *const[]){small_events_are_requested_in_larger_numbers,
                                            large_events_are_requested_in_smaller_numbers,
                                            failures_halve_the_number_down_to_one,
                                            a_failure_counts_from_the_requested_number,
                                            the_number_grows_slowly_again,
                                            the_full_number_is_reached_again,
                                            an_event_that_never_arrives_is_given_up, NULL});
}
