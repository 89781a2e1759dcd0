/* arrivals_test.c: connections that threads hand to a loop: in order, bounded, and none after its
 * end.
 * Not here: what a connection takes along (e2e/test_moves.py). */
#include "server/connection/arrivals.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/connection/connection.h"
#include "support/suite.h"
#include "support/threads.h"

enum { SENDERS = 3, ROUNDS = 20000 };

static struct arrivals arrivals;
static struct connection connections[ARRIVALS_MAX + 1];

START_TEST(they_are_taken_in_order)
{
    struct connection *taken;

    arrivals_open(&arrivals);
    ck_assert_ptr_null(arrivals_take(&arrivals));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(arrivals_add(&arrivals, &connections[i]),
                             i == 0 ? ARRIVALS_FIRST : ARRIVALS_ADDED);
        taken = arrivals_take(&arrivals);
        for (int i = 0; i < 3; i++, taken = taken->next)
            ck_assert_ptr_eq(taken, &connections[i]);
        ck_assert_ptr_null(taken);
    }
    arrivals_free(&arrivals);
}
END_TEST

START_TEST(there_is_a_limit)
{
    arrivals_open(&arrivals);
    for (int i = 0; i < ARRIVALS_MAX; i++)
        ck_assert_int_ne(arrivals_add(&arrivals, &connections[i]), ARRIVALS_REFUSED);
    ck_assert_int_eq(arrivals_add(&arrivals, &connections[ARRIVALS_MAX]), ARRIVALS_REFUSED);
    ck_assert_ptr_eq(arrivals_take(&arrivals), &connections[0]);
    ck_assert_int_eq(arrivals_add(&arrivals, &connections[ARRIVALS_MAX]), ARRIVALS_FIRST);
    ck_assert_ptr_eq(arrivals_take(&arrivals), &connections[ARRIVALS_MAX]);
    arrivals_free(&arrivals);
}
END_TEST

START_TEST(a_loop_ends_when_it_has_taken_all)
{
    arrivals_open(&arrivals);
    arrivals_add(&arrivals, &connections[0]);
    ck_assert(!arrivals_close(&arrivals));
    ck_assert_int_eq(arrivals_add(&arrivals, &connections[1]), ARRIVALS_ADDED);
    ck_assert_ptr_nonnull(arrivals_take(&arrivals));
    ck_assert(arrivals_close(&arrivals));
    ck_assert_int_eq(arrivals_add(&arrivals, &connections[0]), ARRIVALS_REFUSED);
    ck_assert_ptr_null(arrivals_take(&arrivals));
    arrivals_free(&arrivals);
}
END_TEST

/* --- several threads --- */

static atomic_size_t n_sent;
static atomic_uint n_sending;

static void *send_many(void *data)
{
    (void)data;
    for (int i = 0; i < ROUNDS; i++) {
        struct connection *connection = malloc(sizeof *connection);

        ck_assert_ptr_nonnull(connection);
        if (arrivals_add(&arrivals, connection) == ARRIVALS_REFUSED)
            free(connection);
        else
            atomic_fetch_add(&n_sent, 1);
    }
    atomic_fetch_sub(&n_sending, 1);
    return NULL;
}

START_TEST(none_is_lost_between_threads)
{
    pthread_t threads[SENDERS];
    size_t n_taken = 0;

    arrivals_open(&arrivals);
    atomic_store(&n_sending, SENDERS);
    for (size_t i = 0; i < SENDERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, NULL), 0);
    while (atomic_load(&n_sending) > 0 || !arrivals_close(&arrivals)) {
        struct connection *connection = arrivals_take(&arrivals);

        while (connection != NULL) {
            struct connection *next = connection->next;

            free(connection);
            n_taken++;
            connection = next;
        }
    }
    for (size_t i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(n_taken, atomic_load(&n_sent));
    arrivals_free(&arrivals);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {they_are_taken_in_order, there_is_a_limit,
                                  a_loop_ends_when_it_has_taken_all,
                                  none_is_lost_between_threads, NULL};

    return suite_run("arrivals", tests);
}
