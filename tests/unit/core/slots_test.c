/* slots_test.c: a loop's connections by number, compared with a simple array over random additions
 * and removals, also without memory. */
#include "base/slots.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

enum { N_SLOTS = 3000 };

static struct slots slots;
static struct test_memory memory;

/* The code under test never looks into a connection: only its address matters. */
static char places[N_SLOTS];
static struct connection *expected[N_SLOTS]; /* by the slot's number; NULL: free */
static size_t n_taken;

static void begin(void)
{
    test_memory_init(&memory);
    slots_init(&slots);
    memset(expected, 0, sizeof expected);
    n_taken = 0;
}

static void end(void)
{
    slots_free(&slots, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
}

static struct connection *connection_of(uint32_t number)
{
    return (struct connection *)(void *)&places[number];
}

/* Returns the number, or SLOT_NONE if memory ran out. */
static uint32_t take(void)
{
    uint32_t number;

    if (!slots_reserve(&slots, &memory.allocator))
        return SLOT_NONE;
    /* The slot keeps the address of the taker, whichever that is. */
    number = slots_take(&slots, connection_of((uint32_t)n_taken));
    if (number >= N_SLOTS || expected[number] != NULL)
        ck_abort_msg("slot %u was not free", number);
    expected[number] = connection_of((uint32_t)n_taken);
    n_taken++;
    return number;
}

static void give_back(uint32_t number)
{
    slots_give_back(&slots, number);
    expected[number] = NULL;
    n_taken--;
}

static uint32_t expected_below(uint32_t number)
{
    if (number > N_SLOTS)
        number = N_SLOTS;
    while (number > 0)
        if (expected[--number] != NULL)
            return number;
    return SLOT_NONE;
}

static void check_found(uint32_t number)
{
    if (slots_find(&slots, number) != expected[number])
        ck_abort_msg("slot %u holds another one", number);
}

static void check_below(uint32_t number)
{
    uint32_t found = slots_below(&slots, number);

    if (found != expected_below(number))
        ck_abort_msg("below %u is %u, not %u", number, found, expected_below(number));
}

static void check_all(void)
{
    uint32_t below = SLOTS_MAX;
    size_t n_walked = 0;

    for (uint32_t number = 0; number < N_SLOTS; number++) {
        check_found(number);
        check_below(number);
    }
    while ((below = slots_below(&slots, below)) != SLOT_NONE)
        n_walked++;
    ck_assert_uint_eq(n_walked, n_taken);
}

START_TEST(nothing_is_found_in_an_empty_table)
{
    begin();
    ck_assert_ptr_null(slots_find(&slots, 0));
    ck_assert_ptr_null(slots_find(&slots, SLOT_NONE));
    ck_assert_uint_eq(slots_below(&slots, 0), SLOT_NONE);
    ck_assert_uint_eq(slots_below(&slots, SLOTS_MAX), SLOT_NONE);
    ck_assert_uint_eq(slots_below(&slots, SLOT_NONE), SLOT_NONE);
    end();
}
END_TEST

/* New connections get the numbers in order, through every size that the table grows to. */
START_TEST(numbers_are_dense)
{
    begin();
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        ck_assert_uint_eq(take(), i);
        check_found(i);
        check_below(SLOTS_MAX);
        check_below(i);
    }
    check_all();
    ck_assert_ptr_null(slots_find(&slots, N_SLOTS));
    end();
}
END_TEST

START_TEST(the_slot_that_became_free_last_is_taken_first)
{
    begin();
    for (uint32_t i = 0; i < 200; i++)
        take();
    give_back(7);
    give_back(199);
    give_back(64);
    ck_assert_uint_eq(take(), 64);
    ck_assert_uint_eq(take(), 199);
    ck_assert_uint_eq(take(), 7);
    ck_assert_uint_eq(take(), 200);
    check_all();
    end();
}
END_TEST

/* A table of a million slots is not doubled, and a table with a free slot does not grow at all. */
START_TEST(the_table_grows_by_a_quarter_when_it_is_full)
{
    begin();
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        size_t capacity = slots.capacity;

        take();
        if (capacity >= 320 && slots.capacity > capacity + capacity / 4 + 64)
            ck_abort_msg("%zu slots became %zu", capacity, slots.capacity);
        if (i < capacity && slots.capacity != capacity)
            ck_abort_msg("it grew at %u of %zu", i, capacity);
    }
    while (slots.count < slots.capacity)
        slots_take(&slots, connection_of(0));
    slots_give_back(&slots, 100);
    test_memory_fail(&memory, 0, true);
    ck_assert(slots_reserve(&slots, &memory.allocator));
    ck_assert_uint_eq(slots_take(&slots, connection_of(0)), 100);
    ck_assert(!slots_reserve(&slots, &memory.allocator));
    end();
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    for (long n = 0; n < 2; n++) {
        begin();
        test_memory_fail(&memory, n, false);
        ck_assert_uint_eq(take(), SLOT_NONE);
        check_all();
        for (uint32_t i = 0; i < 64; i++)
            ck_assert_uint_eq(take(), i);
        test_memory_fail(&memory, n, false);
        ck_assert_uint_eq(take(), SLOT_NONE);
        check_all();
        ck_assert_uint_eq(take(), 64);
        check_all();
        end();
    }
}
END_TEST

START_TEST(the_number_of_slots_is_limited)
{
    begin();
    for (uint32_t i = 0; i < 64; i++)
        take();
    /* As if all other slots were taken. */
    slots.count = SLOTS_MAX;
    slots.capacity = SLOTS_MAX + 64;
    ck_assert(!slots_reserve(&slots, &memory.allocator));
    slots_give_back(&slots, 3);
    ck_assert(slots_reserve(&slots, &memory.allocator));
    ck_assert_uint_eq(slots_take(&slots, connection_of(3)), 3);
    ck_assert(!slots_reserve(&slots, &memory.allocator));
    end();
}
END_TEST

static void go_randomly(unsigned comers_of_100)
{
    for (int step = 0; step < 4000; step++) {
        uint32_t number = (uint32_t)random() % N_SLOTS;

        if ((unsigned)random() % 100 < comers_of_100) {
            if (random() % 8 == 0)
                test_memory_fail(&memory, random() % 2, false);
            if (n_taken < N_SLOTS)
                take();
        } else if (expected[number] != NULL) {
            give_back(number);
        }
        check_found(number);
        check_below((uint32_t)random() % (2 * N_SLOTS));
    }
    check_all();
}

START_TEST(random_changes_agree_with_an_array)
{
    for (unsigned seed = 1; seed <= 5; seed++) {
        srandom(seed);
        begin();
        go_randomly(90);
        go_randomly(40);
        go_randomly(5);
        go_randomly(70);
        end();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_is_found_in_an_empty_table,
        numbers_are_dense,
        the_slot_that_became_free_last_is_taken_first,
        the_table_grows_by_a_quarter_when_it_is_full,
        without_memory_nothing_changes,
        the_number_of_slots_is_limited,
        random_changes_agree_with_an_array,
        NULL,
    };

    return suite_run("slots", tests);
}
