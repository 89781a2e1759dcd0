/* backoff_test.c: the wait between two attempts: longer each time, up to a bound, without end. */
#include "cluster/redis/backoff.h"
#include "support/suite.h"

START_TEST(waits_grow_up_to_a_bound)
{
    uint64_t random = 1;
    uint32_t n_attempts = 0;
    uint64_t longest_ms = BACKOFF_MIN_MS;

    for (int i = 0; i < 1000; i++) {
        uint64_t wait_ms = backoff_ms(&random, &n_attempts);

        ck_assert_uint_ge(wait_ms, longest_ms / 2);
        ck_assert_uint_le(wait_ms, longest_ms);
        longest_ms = longest_ms * 2 < BACKOFF_MAX_MS ? longest_ms * 2 : BACKOFF_MAX_MS;
    }
}
END_TEST

int main(void)
{
    return suite_run("redis-backoff", (const TTest *const[]){waits_grow_up_to_a_bound, NULL});
}
