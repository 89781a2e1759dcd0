/* outbox_test.c: when an outbox whose database fails or is in use is tried again. The store is
 * replaced by one whose reads fail. Not here: the rest of the outbox (e2e/test_database.py). */
#include "outbox.h"

#include "support/suite.h"

static int n_reads;
static bool is_taken; /* another thread has a transaction */

/* Waits for the other thread. */
enum store_result store_begin(struct store *store, enum store_access access)
{
    (void)store;
    (void)access;
    is_taken = false;
    return STORE_OK;
}

enum store_result store_try_begin(struct store *store, enum store_access access)
{
    (void)store;
    (void)access;
    return is_taken ? STORE_TAKEN : STORE_OK;
}

enum store_result store_commit(struct store *store)
{
    (void)store;
    return STORE_OK;
}

void store_end(struct store *store)
{
    (void)store;
}

enum store_result store_outbox_add(struct store *store, const char *node,
                                   const struct outbox_row *row)
{
    (void)store;
    (void)node;
    (void)row;
    return STORE_FAILED;
}

enum store_result store_outbox_list(struct store *store, const char *node, int64_t after,
                                    size_t limit,
                                    bool (*take)(const struct outbox_row *row, void *user_data),
                                    void *user_data, size_t *count)
{
    (void)store;
    (void)node;
    (void)after;
    (void)limit;
    (void)take;
    (void)user_data;
    *count = 0;
    n_reads++;
    return STORE_FAILED;
}

enum store_result store_outbox_delete(struct store *store, const char *node, int64_t after,
                                      int64_t up_to)
{
    (void)store;
    (void)node;
    (void)after;
    (void)up_to;
    return STORE_OK;
}

START_TEST(a_failing_read_is_tried_again_with_backoff)
{
    struct outbox outbox = {.node = "n", .pause_ms = 20};
    uint64_t now_ms = 1000;
    uint64_t pause_ms = 0;

    atomic_store(&outbox.is_stuck, true);
    for (int i = 0; i < 10; i++) {
        uint64_t next_ms = outbox_settle(&outbox, now_ms);

        ck_assert_uint_ge(next_ms - now_ms, pause_ms);
        pause_ms = next_ms - now_ms;
        ck_assert_uint_eq(outbox_settle(&outbox, next_ms - 1), next_ms);
        now_ms = next_ms;
    }
    ck_assert_int_eq(n_reads, 10);
    ck_assert_uint_eq(pause_ms, 1000);
}
END_TEST

/* Without backoff, however often it is in use. */
START_TEST(a_store_in_use_is_tried_again_soon)
{
    struct outbox outbox = {.node = "n", .pause_ms = 20};
    uint64_t now_ms = 1000;

    n_reads = 0;
    is_taken = true;
    atomic_store(&outbox.is_stuck, true);
    atomic_store(&outbox.stored, 1);
    for (int i = 0; i < 10; i++) {
        uint64_t next_ms = outbox_settle(&outbox, now_ms);

        ck_assert_uint_eq(next_ms, now_ms + 20);
        now_ms = next_ms;
    }
    ck_assert_int_eq(n_reads, 0);
    ck_assert_int_eq(atomic_load(&outbox.deleted), 0);
    is_taken = false;
}
END_TEST

/* What is left there would be emitted again by the next process. */
START_TEST(the_last_attempt_waits_for_the_store)
{
    struct outbox outbox = {.node = "n", .pause_ms = 20};

    is_taken = true;
    atomic_store(&outbox.stored, 1);
    outbox_close(&outbox);
    ck_assert_int_eq(atomic_load(&outbox.deleted), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_failing_read_is_tried_again_with_backoff,
                                  a_store_in_use_is_tried_again_soon,
                                  the_last_attempt_waits_for_the_store, NULL};

    return suite_run("outbox", tests);
}
