/* kept_test.c: how many ended sessions are kept, for how long, and what one call drops. Not
 * here: how clients recover them (websocket/socketio_recovery_test.c). */
#include "transport/engineio/kept.h"

#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

enum { RECOVERY_MS = 1000, MOST = 2000, MOST_BYTES = 1 << 20, BLOCKS = 2 /* of an entry */ };

static struct test_memory memory;
static ws_manager *manager;
static struct kept *kept;

static void make_key(unsigned number, uint8_t key[PID_KEY])
{
    memset(key, 0, PID_KEY);
    memcpy(key, &number, sizeof number);
}

static void end_session(unsigned number, size_t length, uint64_t now_ms)
{
    static const char bytes[1024];
    struct buffer record;
    uint8_t key[PID_KEY];

    buffer_init(&record, &memory.allocator);
    for (size_t done = 0; done < length; done += sizeof bytes)
        buffer_add(&record, bytes, length - done < sizeof bytes ? length - done : sizeof bytes);
    make_key(number, key);
    kept_end(kept, key, number + 1, &record, now_ms);
}

static bool is_kept(unsigned number, uint64_t now_ms)
{
    struct buffer record;
    ws_conn_id connection;
    uint8_t key[PID_KEY];
    bool found;

    buffer_init(&record, &memory.allocator);
    make_key(number, key);
    found = kept_find(kept, key, now_ms, &record, &connection);
    buffer_free(&record);
    return found;
}

static void setup(void)
{
    const struct kept_limits limits = {RECOVERY_MS, MOST, MOST_BYTES};
    ws_manager_options options;

    test_memory_init(&memory);
    ws_manager_options_init(&options);
    options.allocator = &memory.allocator;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    kept = kept_new(manager, &limits);
    ck_assert_ptr_nonnull(kept);
}

static void teardown(void)
{
    kept_free(kept);
    ws_manager_free(manager);
    ck_assert_int_eq(memory.n_blocks, 0);
}

START_TEST(one_call_drops_few_expired_sessions)
{
    enum { AT_ONCE = 16 };
    long before;
    unsigned n_calls = 0;

    for (unsigned i = 0; i < MOST; i++)
        end_session(i, 10, 1);
    do {
        before = memory.n_blocks;
        ck_assert(!is_kept(MOST, RECOVERY_MS + 1));
        ck_assert_int_ge(memory.n_blocks, before - BLOCKS * AT_ONCE - BLOCKS);
        n_calls++;
    } while (memory.n_blocks < before);
    ck_assert_uint_eq(n_calls, MOST / AT_ONCE + 1);
}
END_TEST

START_TEST(an_expired_session_is_not_found)
{
    for (unsigned i = 0; i < MOST; i++)
        end_session(i, 10, 1);
    ck_assert(is_kept(MOST - 1, RECOVERY_MS));
    ck_assert(!is_kept(MOST - 1, RECOVERY_MS + 1));
}
END_TEST

START_TEST(the_number_of_kept_sessions_is_bounded)
{
    for (unsigned i = 0; i < MOST + 100; i++)
        end_session(i, 10, 1);
    ck_assert(!is_kept(99, 1));
    ck_assert(is_kept(100, 1));
}
END_TEST

START_TEST(a_large_one_takes_the_place_of_many)
{
    for (unsigned i = 0; i < MOST; i++)
        end_session(i, 300, 1);
    end_session(MOST, MOST_BYTES * 3 / 4, 1);
    ck_assert(is_kept(MOST, 1));
    ck_assert(is_kept(MOST - 1, 1));
    ck_assert(!is_kept(MOST / 2, 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kept");
    TCase *tests = tcase_create("kept");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, one_call_drops_few_expired_sessions);
    tcase_add_test(tests, an_expired_session_is_not_found);
    tcase_add_test(tests, the_number_of_kept_sessions_is_bounded);
    tcase_add_test(tests, a_large_one_takes_the_place_of_many);
    suite_add_tcase(suite, tests);
    return suite_run_all(suite);
}
