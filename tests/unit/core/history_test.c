/* history_test.c: which events the history keeps and drops, and that reading it by target gives the
 * same events as a search through all of them. */
#include "core/events/history.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

enum { MOST = 64 };

static struct test_memory memory;
static struct history history;
static uint8_t secret[NAME_TABLE_SECRET];
static uint64_t newest;

static void begin(void)
{
    test_memory_init(&memory);
    memset(&history, 0, sizeof history);
    history_init(&history, &memory.allocator, secret);
    history.max_events = MOST;
    newest = 0;
}

static void end(void)
{
    history_free(&history);
    ck_assert_int_eq(memory.n_blocks, 0);
}

static bool add(enum group_kind kind, const char *name, size_t length, int64_t time_ms)
{
    ws_message *message = message_new(&memory.allocator, length, 0, NULL, 0);
    struct history_line *line;
    bool kept;

    if (message == NULL)
        return false;
    kept = history_reserve(&history, kind, name, &line);
    if (kept) {
        message->position = ++newest;
        history_append(&history, line, message, time_ms);
    }
    ws_message_unref(message);
    return kept;
}

static ws_message *message_at_place(uint32_t index)
{
    return history.entries[(history.first + index) & (history.capacity - 1)].message;
}

static ws_message *newest_message(void)
{
    return message_at_place(history.count - 1);
}

static void add_form(ws_message *message, size_t length)
{
    static int kind = FORM_SOCKETIO;
    struct frames *form = frames_new(&memory.allocator, length);

    ck_assert_ptr_nonnull(form);
    frames_add(form, length);
    ck_assert_ptr_nonnull(frames_add_variant(&message->frames, kind++, form));
}

static void expect_kept(uint32_t count)
{
    ck_assert_uint_eq(history.count, count);
    ck_assert_uint_eq(history.before, newest - count);
}

START_TEST(the_number_of_events_is_limited)
{
    begin();
    for (int i = 0; i < 3 * MOST; i++) {
        ck_assert(add(GROUP_ROOM, i % 2 == 0 ? "even" : "odd", 10, 0));
        expect_kept(i < MOST ? (uint32_t)i + 1 : MOST);
    }
    end();
}
END_TEST

START_TEST(the_number_of_bytes_is_limited)
{
    begin();
    history.max_bytes = 10000;
    for (int i = 0; i < 100; i++)
        ck_assert(add(GROUP_EVERYONE, NULL, 1000, 0));
    ck_assert_uint_le(history.bytes, 10000);
    ck_assert_uint_ge(history.count, 8);
    expect_kept(history.count);
    /* An event that alone is larger than the limit pushes all others out, and is not kept
     * either. */
    ck_assert(add(GROUP_USER, "ann", 10001, 0));
    expect_kept(0);
    ck_assert_uint_eq(history.bytes, 0);
    end();
}
END_TEST

START_TEST(the_age_of_events_is_limited)
{
    begin();
    history.max_age_ms = 100;
    ck_assert(add(GROUP_EVERYONE, NULL, 1, 1000));
    ck_assert(add(GROUP_ROOM, "r", 1, 1050));
    ck_assert(add(GROUP_EVERYONE, NULL, 1, 1100));
    expect_kept(3);
    ck_assert(add(GROUP_EVERYONE, NULL, 1, 1101));
    expect_kept(3);
    history_expire(&history, 1151);
    expect_kept(2);
    history_expire(&history, 5000);
    expect_kept(0);
    end();
}
END_TEST

START_TEST(a_call_drops_a_bounded_number_of_old_events)
{
    begin();
    history.max_events = 100;
    for (int i = 0; i < 100; i++)
        ck_assert(add(GROUP_EVERYONE, NULL, 1, 1000));
    history.max_age_ms = 100;
    history_expire(&history, 5000);
    expect_kept(36);
    history_expire(&history, 5000);
    expect_kept(0);
    end();
}
END_TEST

START_TEST(nothing_is_kept_when_the_history_is_off)
{
    begin();
    history.max_events = 0;
    ck_assert(add(GROUP_EVERYONE, NULL, 1, 1000));
    ck_assert(add(GROUP_ROOM, "r", 1, 1000));
    expect_kept(0);
    ck_assert_int_eq(memory.n_blocks, 0);
    end();
}
END_TEST

START_TEST(users_and_rooms_of_the_same_name_are_different)
{
    struct history_cursor cursor;

    begin();
    ck_assert(add(GROUP_USER, "x", 1, 0));
    ck_assert(!history_seek(&history, GROUP_ROOM, "x", 0, &cursor));
    ck_assert(!history_seek(&history, GROUP_EVERYONE, NULL, 0, &cursor));
    ck_assert(history_seek(&history, GROUP_USER, "x", 0, &cursor));
    ck_assert(!history_seek(&history, GROUP_USER, "x", 1, &cursor));
    end();
}
END_TEST

START_TEST(a_reset_forgets_all_events)
{
    begin();
    ck_assert(add(GROUP_ROOM, "r", 1, 0));
    history_reset(&history, 77);
    ck_assert_uint_eq(history.count, 0);
    ck_assert_uint_eq(history.before, 77);
    end();
}
END_TEST

/* --- compared with a list --------------------------------------------------------------------- */

enum { N_TARGETS = 6, N_EVENTS = 400 };

static const struct {
    enum group_kind kind;
    const char *name;
} targets[N_TARGETS] = {
    {GROUP_EVERYONE, NULL}, {GROUP_USER, "ann"}, {GROUP_USER, "bob"},
    {GROUP_ROOM, "ann"},    {GROUP_ROOM, "r"},   {GROUP_ROOM, "a room in which little happens"},
};

static size_t of_event[N_EVENTS + 1]; /* the target of each event, by its position */

/* Reads, in pieces of a random size, the events of some targets after a position. */
static void compare(unsigned which, uint64_t after)
{
    uint64_t until = after + (uint64_t)random() % (newest - after + 1);
    uint64_t expected = after;
    uint64_t position = after;

    while (position < until) {
        struct history_cursor cursors[N_TARGETS];
        ws_message *found[7];
        size_t max = 1 + (size_t)random() % 7;
        size_t n_cursors = 0;
        size_t count;

        for (size_t i = 0; i < N_TARGETS; i++)
            if (which >> i & 1)
                n_cursors += history_seek(&history, targets[i].kind, targets[i].name, position,
                                          &cursors[n_cursors]);
        count = history_read(cursors, n_cursors, until, found, max);
        for (size_t i = 0; i < count; i++) {
            do
                expected++;
            while (!(which >> of_event[expected] & 1));
            ck_assert_uint_eq(found[i]->position, expected);
            ws_message_unref(found[i]);
        }
        position = count == max ? expected : until;
    }
    while (++expected <= until)
        ck_assert(!(which >> of_event[expected] & 1));
}

START_TEST(reading_by_target_finds_the_same_as_a_full_search)
{
    for (unsigned seed = 0; seed < 20; seed++) {
        srandom(seed);
        begin();
        while (newest < N_EVENTS) {
            size_t n = random() % 8 == 0 ? N_TARGETS : N_TARGETS - 1;
            size_t target = (size_t)random() % n;

            of_event[newest + 1] = target;
            ck_assert(add(targets[target].kind, targets[target].name, 1, 0));
            compare((unsigned)random() % (1 << N_TARGETS),
                    history.before + (uint64_t)random() % (newest - history.before + 1));
        }
        end();
    }
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    begin();
    for (int i = 0; i < 300; i++) {
        const char *name = i % 3 == 0 ? "a" : "b";
        uint32_t before = history.count;

        test_memory_fail(&memory, random() % 4, true);
        if (!add(GROUP_ROOM, name, 1, 0))
            ck_assert_uint_eq(history.count, before);
        test_memory_fail(&memory, NEVER_FAIL, false);
        ck_assert(add(GROUP_ROOM, name, 1, 0));
        expect_kept(history.count);
    }
    end();
}
END_TEST

/* Also when they are made after the event was kept, as those for recipients are. */
START_TEST(forms_of_events_count)
{
    enum { FORM = 2000, LIMIT = 100000, LATER = 20 };
    uint64_t actual = 0;

    begin();
    history.max_events = 1000;
    history.max_bytes = LIMIT;
    for (int i = 0; i < 1000; i++) {
        ck_assert(add(GROUP_EVERYONE, NULL, 10, 0));
        add_form(newest_message(), FORM);
    }
    ck_assert_uint_gt(history.count, LIMIT / FORM / 2);
    for (uint32_t i = 0; i < history.count; i++)
        actual += frames_variant_bytes(&message_at_place(i)->frames);
    ck_assert_uint_gt(actual, LIMIT / 2);
    ck_assert_uint_lt(actual, LIMIT + LATER * FORM);

    /* Those of clients that recover: every event gets another one. */
    for (uint32_t i = 0; i < history.count; i++)
        add_form(message_at_place(i), FORM);
    for (int i = 0; i < 200; i++)
        ck_assert(add(GROUP_EVERYONE, NULL, 10, 0));
    actual = 0;
    for (uint32_t i = 0; i < history.count; i++)
        actual += frames_variant_bytes(&message_at_place(i)->frames);
    ck_assert_uint_lt(actual, LIMIT);
    end();
}
END_TEST

/* Also in a history that is full by number, whose oldest event makes way for each further one. */
START_TEST(forms_that_are_made_late_count_in_a_full_history)
{
    enum { FORM = 3000, LIMIT = 100000, N = 100 };
    uint64_t actual = 0;

    begin();
    history.max_events = N;
    history.max_bytes = LIMIT;
    for (int i = 0; i < 3 * N; i++)
        ck_assert(add(GROUP_EVERYONE, NULL, 10, 0));
    for (uint32_t i = 0; i < history.count; i++)
        add_form(message_at_place(i), FORM);
    for (int i = 0; i < 60; i++)
        ck_assert(add(GROUP_EVERYONE, NULL, 10, 0));
    for (uint32_t i = 0; i < history.count; i++)
        actual += frames_variant_bytes(&message_at_place(i)->frames);
    ck_assert_uint_lt(actual, LIMIT);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_number_of_events_is_limited,
        the_number_of_bytes_is_limited,
        forms_of_events_count,
        forms_that_are_made_late_count_in_a_full_history,
        the_age_of_events_is_limited,
        a_call_drops_a_bounded_number_of_old_events,
        nothing_is_kept_when_the_history_is_off,
        users_and_rooms_of_the_same_name_are_different,
        a_reset_forgets_all_events,
        reading_by_target_finds_the_same_as_a_full_search,
        without_memory_nothing_changes,
        NULL,
    };

    return suite_run("history", tests);
}
