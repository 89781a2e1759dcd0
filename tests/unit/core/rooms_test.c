/* rooms_test.c: the rooms of one connection, compared with a simple array over random additions and
 * removals, also without memory. */
#include "core/groups/room_set.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

enum { N_SHARES = 2000 };

/* The code under test never looks into a share: only its address matters. */
static struct share *shares[N_SHARES];
static bool in[N_SHARES];
static size_t n_in;
static struct rooms rooms;
static struct test_memory memory;

static void begin(void)
{
    test_memory_init(&memory);
    memset(in, 0, sizeof in);
    n_in = 0;
    rooms = (struct rooms){0};
    for (size_t i = 0; i < N_SHARES; i++)
        shares[i] = calloc(1, sizeof *shares[i]);
}

static void end(void)
{
    rooms_free(&rooms, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
    for (size_t i = 0; i < N_SHARES; i++)
        free(shares[i]);
}

/* `place` identifies the membership: it is the share's own number. */
static bool add(uint32_t number)
{
    if (!rooms_add(&rooms, &memory.allocator,
                   (struct membership){shares[number], {number, number % 2}}))
        return false;
    in[number] = true;
    n_in++;
    return true;
}

static void drop(uint32_t number)
{
    uint32_t at = rooms_find(&rooms, shares[number]);

    if (at == ROOMS_NONE)
        ck_abort_msg("share %u is not among %u", number, rooms.count);
    rooms_remove(&rooms, at);
    in[number] = false;
    n_in--;
}

static bool is_right(uint32_t number)
{
    uint32_t at = rooms_find(&rooms, shares[number]);

    if (!in[number])
        return at == ROOMS_NONE;
    return at < rooms.count && rooms_share(&rooms, at) == shares[number] &&
           rooms_place(&rooms, at).at == number &&
           rooms_place(&rooms, at).is_counted == number % 2;
}

static void check_number(uint32_t number)
{
    if (!is_right(number))
        ck_abort_msg("share %u, in: %d", number, in[number]);
}

static void check_all(void)
{
    ck_assert_uint_eq(rooms.count, n_in);
    for (uint32_t number = 0; number < N_SHARES; number++)
        check_number(number);
}

START_TEST(nothing_is_found_in_an_empty_set)
{
    begin();
    ck_assert_uint_eq(rooms_find(&rooms, shares[0]), ROOMS_NONE);
    rooms_free(&rooms, &memory.allocator);
    end();
}
END_TEST

START_TEST(few_rooms_need_no_memory_and_many_have_an_index)
{
    begin();
    for (uint32_t number = 0; number < ROOMS_FEW; number++)
        ck_assert(add(number));
    ck_assert_int_eq(memory.n_blocks, 0);
    check_all();
    for (uint32_t number = ROOMS_FEW; number < 16; number++)
        ck_assert(add(number));
    ck_assert_ptr_null(rooms.many.index);
    check_all();
    for (uint32_t number = 16; number < N_SHARES; number++) {
        ck_assert(add(number));
        ck_assert_ptr_nonnull(rooms.many.index);
        /* At most half full, so that searches stay short and end. */
        ck_assert_uint_le(2 * rooms.count, rooms.many.index_mask + 1);
    }
    check_all();
    end();
}
END_TEST

static void check_emptied(uint32_t (*next)(uint32_t step))
{
    begin();
    for (uint32_t number = 0; number < N_SHARES; number++)
        ck_assert(add(number));
    for (uint32_t step = 0; step < N_SHARES; step++) {
        drop(next(step));
        if (step % 97 == 0 || step > N_SHARES - 40)
            check_all();
    }
    ck_assert_uint_eq(rooms.count, 0);
    ck_assert(add(7));
    check_all();
    end();
}

static uint32_t forwards(uint32_t step)
{
    return step;
}

static uint32_t backwards(uint32_t step)
{
    return N_SHARES - 1 - step;
}

static uint32_t mixed(uint32_t step)
{
    return (step * 7 + 3) % N_SHARES;
}

START_TEST(rooms_are_removed_in_any_order)
{
    check_emptied(forwards);
    check_emptied(backwards);
    check_emptied(mixed);
}
END_TEST

START_TEST(places_can_be_changed)
{
    begin();
    for (uint32_t number = 0; number < 40; number++) {
        ck_assert(add(number));
        rooms_set_place(&rooms, rooms_find(&rooms, shares[number]),
                        (struct room_place){1000 + number, true});
        ck_assert_uint_eq(rooms_place(&rooms, number).at, 1000 + number);
        ck_assert(rooms_place(&rooms, number).is_counted);
    }
    end();
}
END_TEST

START_TEST(random_changes_agree_with_an_array)
{
    begin();
    srandom(3);
    for (unsigned step = 0; step < 200000; step++) {
        uint32_t number = (uint32_t)random() % N_SHARES;
        /* Grows and empties by turns. */
        bool grow = step / 10000 % 2 == 0;

        if (in[number] && (!grow || random() % 8 == 0))
            drop(number);
        else if (!in[number] && (grow || random() % 8 == 0) && !add(number))
            ck_abort_msg("share %u was not added", number);
        check_number(number);
        check_number((uint32_t)random() % N_SHARES);
        if (step % 5000 == 0)
            check_all();
    }
    check_all();
    end();
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    begin();
    for (uint32_t number = 0; number < N_SHARES; number++) {
        for (long fail_at = 0;; fail_at++) {
            test_memory_fail(&memory, fail_at, false);
            if (add(number))
                break;
            ck_assert(memory.failed);
            ck_assert_uint_eq(rooms.count, number);
            check_number(number);
            check_number(number / 2);
        }
    }
    test_memory_fail(&memory, NEVER_FAIL, false);
    check_all();
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_is_found_in_an_empty_set,
        few_rooms_need_no_memory_and_many_have_an_index,
        rooms_are_removed_in_any_order,
        random_changes_agree_with_an_array,
        places_can_be_changed,
        without_memory_nothing_changes,
        NULL,
    };

    return suite_run("rooms", tests);
}
