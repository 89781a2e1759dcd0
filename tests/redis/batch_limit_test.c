/* batch_limit_test.c: how many events are asked for at once: few while their size is not known, by their
 * size, half as many when that did not get through, down to one, and slowly more again. */
#include "cluster/redis/batch_limit.h"
#include "support/suite.h"

enum { FIRST = 8, MOST = 512 };

static struct batch_limit limit;

static void begin(void)
{
    batch_limit_init(&limit, FIRST, MOST);
}

/* All that were asked for came, each of so many bytes. */
static void pass(int times, size_t bytes)
{
    for (; times > 0; times--)
        batch_limit_passed(&limit, limit.events, limit.events * bytes);
}

START_TEST(small_events)
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

START_TEST(large_events)
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

START_TEST(down_to_one)
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

/* What did not get through was less than might have been asked for. */
START_TEST(fewer_than_at_once)
{
    begin();
    pass(10, 300);
    batch_limit_failed(&limit, 10, 1, false);
    ck_assert_uint_eq(limit.events, 5);
}
END_TEST

/* A limit of 16 is found, and met again now and then. */
START_TEST(slowly_more_again)
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

START_TEST(all_again)
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

/* Others get through meanwhile. */
START_TEST(hopeless)
{
    begin();
    cut_alone(BATCH_LIMIT_ATTEMPTS - 1, 7);
    pass(3, 300);
    batch_limit_failed(&limit, 1, 7,
                       false); /* a line that is slow may be faster another time */
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
                     (const TTest *const[]){small_events, large_events, down_to_one,
                                            fewer_than_at_once, slowly_more_again, all_again,
                                            hopeless, NULL});
}
