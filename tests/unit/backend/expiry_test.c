/* expiry_test.c: the heap of expiries, compared with a search through all of them. Not here: what
 * happens when one is due (e2e/test_tokens.py). */
#include "expiry.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { N_EXPIRIES = 500 };

static struct expiry expiries[N_EXPIRIES];
static struct expiry_heap heap;

static int64_t first_due_ms(void)
{
    int64_t due_ms = INT64_MAX;

    for (size_t i = 0; i < N_EXPIRIES; i++)
        if (expiry_is_set(&expiries[i]) && expiries[i].due_ms < due_ms)
            due_ms = expiries[i].due_ms;
    return due_ms;
}

static void check_first(void)
{
    const struct expiry *first = expiry_first(&heap);

    if ((first != NULL ? first->due_ms : INT64_MAX) != first_due_ms())
        ck_abort_msg("another one is due first");
}

static void set(struct expiry *expiry, int64_t due_ms)
{
    if (expiry_is_set(expiry))
        expiry_move(&heap, expiry, due_ms);
    else
        ck_assert(expiry_add(&heap, expiry, due_ms));
}

START_TEST(random_expiries_are_due_in_order)
{
    memset(expiries, 0, sizeof expiries);
    for (unsigned seed = 1; seed <= 5; seed++) {
        int64_t last_ms = 0;

        srandom(seed);
        for (int step = 0; step < 5000; step++) {
            struct expiry *expiry = &expiries[random() % N_EXPIRIES];

            if (random() % 4 == 0)
                expiry_remove(&heap, expiry);
            else
                set(expiry, random() % 1000);
            check_first();
        }
        while (expiry_first(&heap) != NULL) {
            struct expiry *first = expiry_first(&heap);

            ck_assert_int_ge(first->due_ms, last_ms);
            last_ms = first->due_ms;
            expiry_remove(&heap, first);
            check_first();
        }
        ck_assert_uint_eq(heap.count, 0);
    }
    expiry_heap_free(&heap);
}
END_TEST

START_TEST(removing_an_expiry_that_is_not_in_the_heap)
{
    struct expiry in = {0};
    struct expiry out = {0};

    ck_assert(expiry_add(&heap, &in, INT64_MAX));
    expiry_remove(&heap, &out);
    ck_assert_ptr_eq(expiry_first(&heap), &in);
    expiry_remove(&heap, &in);
    expiry_remove(&heap, &in);
    ck_assert_ptr_null(expiry_first(&heap));
    expiry_heap_free(&heap);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        random_expiries_are_due_in_order,
        removing_an_expiry_that_is_not_in_the_heap,
        NULL,
    };

    return suite_run("expiry", tests);
}
