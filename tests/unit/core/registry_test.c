/* registry_test.c: groups appear with their first member or pin and vanish with the last; which
 * member moves when one leaves; the counts of occupied slots; nothing breaks without memory. */
#include "core/groups/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

/* The registry never looks into loops and connections, so made-up addresses are sufficient. */
static char loop_bytes[4];
static char connection_bytes[4096];

static struct test_memory memory;
static struct registry registry;

static ws_loop *loop(int number)
{
    return (ws_loop *)&loop_bytes[number];
}

static struct connection *connection(size_t number)
{
    return (struct connection *)(void *)&connection_bytes[number];
}

static void begin(void)
{
    test_memory_init(&memory);
    memset(&registry, 0, sizeof registry);
    for (size_t i = 0; i < sizeof registry.secret; i++)
        registry.secret[i] = (uint8_t)(i * i * 31 + 7);
    registry_init(&registry, &memory.allocator);
}

static void check_empty(void)
{
    for (size_t kind = 0; kind < N_GROUP_KINDS; kind++) {
        ck_assert_uint_eq(registry.n_occupied[kind], 0);
        ck_assert_uint_eq(registry.tables[kind].count, 0);
    }
    registry_free(&registry);
    ck_assert_int_eq(memory.n_blocks, 0);
}

static struct share *pin(enum group_kind kind, const char *name, int loop_number)
{
    struct share *share = registry_pin(&registry, kind, name, loop(loop_number));

    ck_assert_ptr_nonnull(share);
    return share;
}

START_TEST(a_group_lives_as_long_as_its_pins_and_members)
{
    struct share *share;

    begin();
    ck_assert_ptr_null(registry_find(&registry, GROUP_ROOM, "orders"));
    share = pin(GROUP_ROOM, "orders", 0);
    ck_assert_ptr_eq(pin(GROUP_ROOM, "orders", 0), share);
    ck_assert_ptr_eq(registry_find(&registry, GROUP_ROOM, "orders"), share->group);
    ck_assert_str_eq(share->group->name, "orders");
    ck_assert_ptr_null(registry_find(&registry, GROUP_USER, "orders"));
    ck_assert_ptr_null(registry_find(&registry, GROUP_ROOM, "order"));
    ck_assert_uint_eq(registry.n_occupied[GROUP_ROOM], 0);
    ck_assert(registry_add(&registry, share, connection(1)));
    ck_assert_uint_eq(registry.n_occupied[GROUP_ROOM], 1);
    ck_assert_ptr_eq(share_members(share)[0], connection(1));
    registry_unpin(&registry, share);
    registry_unpin(&registry, share);
    ck_assert_ptr_nonnull(registry_find(&registry, GROUP_ROOM, "orders"));
    ck_assert_ptr_null(registry_remove(&registry, share, 0));
    ck_assert_ptr_null(registry_find(&registry, GROUP_ROOM, "orders"));
    check_empty();
}
END_TEST

START_TEST(a_group_has_a_share_for_each_loop)
{
    struct share *here;
    struct share *there;

    begin();
    here = pin(GROUP_USER, "ann", 0);
    there = pin(GROUP_USER, "ann", 1);
    ck_assert_ptr_ne(here, there);
    ck_assert_ptr_eq(here->group, there->group);
    ck_assert(registry_add(&registry, here, connection(1)));
    ck_assert(registry_add(&registry, there, connection(2)));
    ck_assert_uint_eq(registry.n_occupied[GROUP_USER], 1);
    ck_assert_uint_eq(group_count(here->group), 2);
    registry_unpin(&registry, here);
    registry_unpin(&registry, there);
    ck_assert_ptr_null(registry_remove(&registry, here, 0));
    ck_assert_ptr_eq(group_shares(registry_find(&registry, GROUP_USER, "ann")), there);
    ck_assert_ptr_null(there->next);
    ck_assert_uint_eq(registry.n_occupied[GROUP_USER], 1);
    ck_assert_ptr_null(registry_remove(&registry, there, 0));
    check_empty();
}
END_TEST

/* Whichever loop was first, the share in the group's own block is used again. */
START_TEST(the_first_share_is_used_again)
{
    struct share *first;
    struct share *second;

    begin();
    first = pin(GROUP_ROOM, "orders", 0);
    second = pin(GROUP_ROOM, "orders", 1);
    ck_assert_ptr_eq(first, &first->group->first);
    registry_unpin(&registry, first);
    ck_assert_ptr_eq(group_shares(second->group), second);
    ck_assert_ptr_eq(pin(GROUP_ROOM, "orders", 2), first);
    ck_assert_ptr_eq(pin(GROUP_ROOM, "orders", 1), second);
    registry_unpin(&registry, second);
    registry_unpin(&registry, second);
    registry_unpin(&registry, first);
    check_empty();
}
END_TEST

START_TEST(the_last_member_moves_to_the_place_of_the_one_that_left)
{
    struct share *share;
    struct connection *moved;

    begin();
    share = pin(GROUP_ROOM, "orders", 0);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert(registry_add(&registry, share, connection(i)));
    moved = registry_remove(&registry, share, 1);
    ck_assert_ptr_eq(moved, connection(4));
    ck_assert_ptr_eq(share_members(share)[1], connection(4));
    ck_assert_ptr_null(registry_remove(&registry, share, 3));
    ck_assert_uint_eq(share->count, 3);
    moved = registry_remove(&registry, share, 0);
    ck_assert_ptr_eq(moved, connection(2));
    moved = registry_remove(&registry, share, 0);
    ck_assert_ptr_eq(moved, connection(4));
    ck_assert_ptr_null(registry_remove(&registry, share, 0));
    ck_assert_uint_eq(registry.n_occupied[GROUP_ROOM], 0);
    registry_unpin(&registry, share);
    check_empty();
}
END_TEST

/* Members in random order, compared with their places as connection.c keeps them. */
START_TEST(places_stay_right_while_a_share_grows_and_shrinks)
{
    enum { N = 4096 };
    static uint32_t places[N];
    struct share *share;
    uint32_t largest = 0;

    begin();
    srandom(4);
    for (size_t i = 0; i < N; i++)
        places[i] = UINT32_MAX;
    share = pin(GROUP_ROOM, "orders", 0);
    for (unsigned step = 0; step < 200000; step++) {
        size_t number = (size_t)random() % N;
        bool grow = step / 20000 % 2 == 0;

        if (places[number] == UINT32_MAX && (grow || random() % 8 == 0)) {
            ck_assert(registry_add(&registry, share, connection(number)));
            places[number] = share->count - 1;
        } else if (places[number] != UINT32_MAX && (!grow || random() % 8 == 0)) {
            struct connection *moved = registry_remove(&registry, share, places[number]);

            if (moved != NULL)
                places[(char *)moved - connection_bytes] = places[number];
            places[number] = UINT32_MAX;
        }
        if (places[number] != UINT32_MAX)
            ck_assert_ptr_eq(share_members(share)[places[number]], connection(number));
        largest = share->capacity > largest ? share->capacity : largest;
    }
    while (share->count > 0)
        registry_remove(&registry, share, 0);
    ck_assert_uint_ge(largest, N / 2);
    ck_assert_uint_lt(share->capacity, 128); /* the memory of the many members was given back */
    registry_unpin(&registry, share);
    check_empty();
}
END_TEST

static void name_of(unsigned number, char name[16])
{
    snprintf(name, 16, "room-%u", number);
}

/* Enough groups for the table to grow; each step fails at each of its allocations. */
static void fill_without_memory(unsigned n_groups)
{
    for (unsigned number = 0; number < n_groups; number++) {
        struct share *share = NULL;
        char name[16];

        name_of(number, name);
        for (long fail_at = 0; share == NULL; fail_at++) {
            test_memory_fail(&memory, fail_at, false);
            share = registry_pin(&registry, GROUP_ROOM, name, loop((int)number % 4));
            /* A table that cannot grow is no reason to refuse a group. */
            ck_assert(share != NULL || memory.failed);
            if (share == NULL)
                ck_assert_ptr_null(registry_find(&registry, GROUP_ROOM, name));
        }
        test_memory_fail(&memory, NEVER_FAIL, false);
        ck_assert(registry_add(&registry, share, connection(number)));
        registry_unpin(&registry, share);
        ck_assert_uint_eq(registry.n_occupied[GROUP_ROOM], number + 1);
    }
}

START_TEST(many_groups_with_failing_allocations)
{
    enum { N = 3000 };

    begin();
    fill_without_memory(N);
    for (unsigned number = 0; number < N; number++) {
        char name[16];
        struct group *group;

        name_of(number, name);
        group = registry_find(&registry, GROUP_ROOM, name);
        ck_assert_ptr_nonnull(group);
        ck_assert_ptr_eq(share_members(group_shares(group))[0], connection(number));
        ck_assert_ptr_null(registry_remove(&registry, group_shares(group), 0));
        ck_assert_ptr_null(registry_find(&registry, GROUP_ROOM, name));
        ck_assert_uint_eq(registry.n_occupied[GROUP_ROOM], N - 1 - number);
    }
    check_empty();
}
END_TEST

START_TEST(members_with_failing_allocations)
{
    struct share *share;

    begin();
    share = pin(GROUP_ROOM, "orders", 0);
    for (uint32_t number = 0; number < 500; number++) {
        for (long fail_at = 0;; fail_at++) {
            test_memory_fail(&memory, fail_at, false);
            if (registry_add(&registry, share, connection(number)))
                break;
            ck_assert(memory.failed);
            ck_assert_uint_eq(share->count, number);
            ck_assert_uint_eq(group_count(share->group), number);
            ck_assert_uint_eq(registry.n_occupied[GROUP_ROOM], number > 0);
        }
    }
    /* A block that cannot be shrunk stays as it is. */
    test_memory_fail(&memory, 0, true);
    while (share->count > 0) {
        uint32_t last = share->count - 1;

        ck_assert_ptr_eq(share_members(share)[last], connection(last));
        registry_remove(&registry, share, last);
    }
    ck_assert_uint_ge(share->capacity, 500);
    registry_unpin(&registry, share);
    check_empty();
}
END_TEST

START_TEST(names_of_any_bytes_and_any_length)
{
    char name[128 + 1];

    begin();
    memset(name, 'x', sizeof name);
    for (size_t length = 1; length <= 128; length++) {
        struct share *share;

        name[length] = '\0';
        share = pin(GROUP_ROOM, name, 0);
        ck_assert_uint_eq(share->group->name_length, length);
        ck_assert_ptr_eq(registry_find(&registry, GROUP_ROOM, name), share->group);
        name[length] = 'x';
    }
    for (size_t length = 1; length <= 128; length++) {
        name[length] = '\0';
        registry_unpin(&registry, group_shares(registry_find(&registry, GROUP_ROOM, name)));
        name[length] = 'x';
    }
    check_empty();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_group_lives_as_long_as_its_pins_and_members,
        a_group_has_a_share_for_each_loop,
        the_first_share_is_used_again,
        the_last_member_moves_to_the_place_of_the_one_that_left,
        places_stay_right_while_a_share_grows_and_shrinks,
        many_groups_with_failing_allocations,
        members_with_failing_allocations,
        names_of_any_bytes_and_any_length,
        NULL,
    };

    return suite_run("registry", tests);
}
