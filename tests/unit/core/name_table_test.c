/* name_table_test.c: the hash table of users and rooms, compared with a simple array over random
 * additions and removals, as it grows and shrinks, also without memory. */
#include "base/name_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/groups/registry.h"
#include "support/suite.h"
#include "support/test_memory.h"

enum { N_GROUPS = 3000, FIRST_BUCKETS = 64 };

static struct name_table table;
static struct test_memory memory;
static uint8_t secret[NAME_TABLE_SECRET];
static struct group *groups[N_GROUPS];
static bool in[N_GROUPS];
static size_t n_in;
static unsigned n_walked[N_GROUPS];

static struct group *new_group(size_t number)
{
    struct group *group = calloc(1, sizeof *group + 32);

    group->name_length = (uint8_t)sprintf(group->name, "room-%zu", number);
    return group;
}

static void begin(void)
{
    test_memory_init(&memory);
    memset(in, 0, sizeof in);
    n_in = 0;
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)random();
    name_table_init(&table, &memory.allocator, secret, offsetof(struct group, name_length));
    for (size_t i = 0; i < N_GROUPS; i++)
        groups[i] = new_group(i);
}

static void end(void)
{
    name_table_free(&table);
    ck_assert_int_eq(memory.n_blocks, 0);
    for (size_t i = 0; i < N_GROUPS; i++)
        free(groups[i]);
}

static bool add(size_t number)
{
    if (!name_table_add(&table, groups[number]))
        return false;
    in[number] = true;
    n_in++;
    return true;
}

static void drop(size_t number)
{
    name_table_remove(&table, groups[number]);
    in[number] = false;
    n_in--;
}

static void check_number(size_t number)
{
    const struct group *group = groups[number];
    const struct group *found = name_table_find(&table, group->name, group->name_length);

    if (found != (in[number] ? group : NULL))
        ck_abort_msg("%s, in: %d", group->name, in[number]);
}

/* Chains stay short, and a table that has become empty is small. */
static void check_size(void)
{
    if (table.count != n_in)
        ck_abort_msg("%zu groups are counted as %zu", n_in, table.count);
    if (table.n_buckets > FIRST_BUCKETS && table.n_buckets > 2 * n_in + 2)
        ck_abort_msg("%zu buckets for %zu groups", table.n_buckets, n_in);
}

static void count_visit(void *node, void *user_data)
{
    const struct group *group = node;

    (void)user_data;
    n_walked[strtoul(group->name + strlen("room-"), NULL, 10)]++;
}

static void check_walk(void)
{
    uint64_t position = 0;

    memset(n_walked, 0, sizeof n_walked);
    while (name_table_walk(&table, &position, count_visit, NULL))
        continue;
    for (size_t i = 0; i < N_GROUPS; i++)
        if (n_walked[i] != in[i])
            ck_abort_msg("%s was walked %u times, in: %d", groups[i]->name, n_walked[i], in[i]);
}

static void check_all(void)
{
    check_size();
    check_walk();
    for (size_t i = 0; i < N_GROUPS; i++)
        check_number(i);
}

START_TEST(nothing_is_found_in_an_empty_table)
{
    begin();
    ck_assert_ptr_null(name_table_find(&table, "room-0", 6));
    check_walk();
    ck_assert_int_eq(memory.n_requests, 0);
    end();
}
END_TEST

/* At each size, a name that is in the table is found, and one that is not is not. */
START_TEST(the_table_grows_by_one_bucket_at_a_time)
{
    begin();
    for (size_t i = 0; i < N_GROUPS; i++) {
        size_t n_buckets = table.n_buckets;

        ck_assert(add(i));
        if (n_buckets > 0 && table.n_buckets > n_buckets + 1)
            ck_abort_msg("%zu buckets became %zu", n_buckets, table.n_buckets);
        if (table.n_buckets < n_in)
            ck_abort_msg("%zu buckets for %zu groups", table.n_buckets, n_in);
        check_number(i / 2);
        check_number(i);
        if (i + 1 < N_GROUPS)
            check_number(i + 1);
        if (i % 61 == 0)
            check_all();
    }
    check_all();
    end();
}
END_TEST

START_TEST(the_table_shrinks_by_two_buckets_and_frees_memory)
{
    long n_blocks;

    begin();
    add(0);
    n_blocks = memory.n_blocks;
    for (size_t i = 1; i < N_GROUPS; i++)
        add(i);
    ck_assert_int_gt(memory.n_blocks, n_blocks);
    for (size_t i = N_GROUPS; i-- > 0;) {
        size_t n_buckets = table.n_buckets;

        drop(i);
        if (table.n_buckets + 2 < n_buckets)
            ck_abort_msg("%zu buckets became %zu", n_buckets, table.n_buckets);
        check_size();
        check_number(i);
        check_number(i / 2);
        if (i % 61 == 0)
            check_all();
    }
    check_all();
    ck_assert_uint_eq(table.n_buckets, FIRST_BUCKETS);
    ck_assert_int_eq(memory.n_blocks, n_blocks);
    end();
}
END_TEST

/* Between the steps of a walk names are added and removed, so that buckets are split and given back
 * all the time; every fourth name stays. */
START_TEST(a_walk_in_steps_sees_each_remaining_name_once)
{
    for (int round = 0; round < 50; round++) {
        size_t most = 4 * (size_t)(1 + random() % (N_GROUPS / 4));
        bool grows = round % 2 == 0;
        uint64_t position = 0;
        bool more = true;

        begin();
        for (size_t i = 0; i < most; i++)
            if (i % 4 == 0 || !grows)
                add(i);
        memset(n_walked, 0, sizeof n_walked);
        while (more) {
            more = name_table_walk(&table, &position, count_visit, NULL);
            for (int change = 0; change < 8; change++) {
                size_t i = (size_t)random() % N_GROUPS;

                if (i % 4 == 0)
                    continue;
                if (!in[i] && (grows || random() % 8 == 0))
                    add(i);
                else if (in[i] && (!grows || random() % 8 == 0))
                    drop(i);
            }
        }
        for (size_t i = 0; i < most; i += 4)
            if (n_walked[i] != 1)
                ck_abort_msg("%s was seen %u times", groups[i]->name, n_walked[i]);
        end();
    }
}
END_TEST

/* A name is compared by all its bytes: a prefix does not match, nor another name of the same
 * length. */
START_TEST(similar_names_are_different)
{
    begin();
    add(1);
    add(12);
    ck_assert_ptr_eq(name_table_find(&table, "room-12", 6), groups[1]);
    ck_assert_ptr_eq(name_table_find(&table, "room-12", 7), groups[12]);
    ck_assert_ptr_null(name_table_find(&table, "room-", 5));
    ck_assert_ptr_null(name_table_find(&table, "room-2", 6));
    ck_assert_ptr_null(name_table_find(&table, "", 0));
    end();
}
END_TEST

START_TEST(the_first_group_needs_memory)
{
    begin();
    test_memory_fail(&memory, 0, false);
    ck_assert(!add(0));
    check_all();
    ck_assert(add(0));
    check_all();
    end();
}
END_TEST

/* Without memory the chains get longer, and nothing else changes; with memory again, the table
 * grows. */
START_TEST(without_memory_names_are_still_added)
{
    begin();
    for (size_t i = 0; i < FIRST_BUCKETS; i++)
        ck_assert(add(i));
    test_memory_fail(&memory, 0, true);
    for (size_t i = FIRST_BUCKETS; i < N_GROUPS / 2; i++)
        ck_assert(add(i));
    ck_assert_uint_eq(table.n_buckets, FIRST_BUCKETS);
    check_all();
    test_memory_fail(&memory, NEVER_FAIL, false);
    for (size_t i = N_GROUPS / 2; i < N_GROUPS; i++)
        ck_assert(add(i));
    ck_assert_uint_gt(table.n_buckets, FIRST_BUCKETS);
    check_all();
    for (size_t i = 0; i < N_GROUPS; i++)
        drop(i);
    check_all();
    end();
}
END_TEST

/* A client that knows the hash function but not the secret cannot aim names at one bucket. */
START_TEST(the_bucket_depends_on_the_secret)
{
    uint64_t first = 0;
    bool differs = false;

    for (unsigned seed = 1; seed <= 8; seed++) {
        uint64_t position = 0;

        srandom(seed);
        begin();
        add(0);
        n_walked[0] = 0;
        while (n_walked[0] == 0)
            name_table_walk(&table, &position, count_visit, NULL);
        if (seed == 1)
            first = position;
        differs |= position != first;
        end();
    }
    ck_assert(differs);
}
END_TEST

static void change_randomly(unsigned additions_of_100)
{
    for (int step = 0; step < 6000; step++) {
        size_t number = (size_t)random() % N_GROUPS;

        if (random() % 8 == 0)
            test_memory_fail(&memory, 0, random() % 2 == 0);
        else if (random() % 8 == 0)
            test_memory_fail(&memory, NEVER_FAIL, false);
        if (!in[number] && (unsigned)random() % 100 < additions_of_100)
            add(number);
        else if (in[number] && (unsigned)random() % 100 >= additions_of_100)
            drop(number);
        check_number(number);
        check_number((size_t)random() % N_GROUPS);
        if (step % 500 == 0)
            check_all();
    }
    check_all();
}

START_TEST(random_changes_agree_with_an_array)
{
    for (unsigned seed = 1; seed <= 5; seed++) {
        srandom(seed);
        begin();
        change_randomly(90);
        change_randomly(50);
        change_randomly(10);
        change_randomly(60);
        change_randomly(1);
        for (size_t i = 0; i < N_GROUPS; i++)
            if (in[i])
                drop(i);
        check_all();
        end();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_is_found_in_an_empty_table,
        the_table_grows_by_one_bucket_at_a_time,
        the_table_shrinks_by_two_buckets_and_frees_memory,
        a_walk_in_steps_sees_each_remaining_name_once,
        similar_names_are_different,
        the_first_group_needs_memory,
        without_memory_names_are_still_added,
        the_bucket_depends_on_the_secret,
        random_changes_agree_with_an_array,
        NULL,
    };

    return suite_run("name_table", tests);
}
