/* timer_wheel_test.c: timers fire in time, in order and never early, whatever they do to each
 * other; compared with a simple list over random times. */
#include "core/timer_wheel.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { TURN_MS = TIMER_TICK_MS * TIMER_SLOTS };

struct alarm {
    struct timer timer; /* first */
    uint64_t due_ms;
    int n_fired;
    unsigned order; /* of its last firing */
    bool running;
    void (*also)(struct alarm *alarm);
    struct alarm *other;
};

static struct timer_wheel wheel;
static unsigned n_fired;

static void fire(struct timer *timer)
{
    struct alarm *alarm = (struct alarm *)timer;

    if (timer->link != NULL)
        ck_abort_msg("a timer that fires is stopped");
    alarm->n_fired++;
    alarm->order = ++n_fired;
    alarm->running = false;
    if (alarm->also != NULL)
        alarm->also(alarm);
}

static void start(struct alarm *alarm, uint32_t after_ms)
{
    alarm->timer.kind = 1;
    alarm->running = true;
    timer_start(&wheel, &alarm->timer, after_ms);
}

static void begin(uint64_t now_ms)
{
    n_fired = 0;
    timer_wheel_init(&wheel, now_ms);
    wheel.expired[1] = fire;
    ck_assert_uint_eq(timer_wheel_deadline(&wheel), UINT64_MAX);
}

/* Never early, and at most one tick late, for deadlines around every boundary. */
START_TEST(a_timer_fires_within_a_tick_after_its_time)
{
    static const uint64_t after[] = {0,
                                     1,
                                     31,
                                     32,
                                     33,
                                     63,
                                     64,
                                     1000,
                                     TURN_MS - 33,
                                     TURN_MS - 32,
                                     TURN_MS - 1,
                                     TURN_MS,
                                     TURN_MS + 1,
                                     TURN_MS + 32,
                                     3 * TURN_MS - 1,
                                     10 * TURN_MS + 17};
    static const uint64_t begins[] = {0, 1, 31, 32, 12345, UINT64_C(1) << 40};

    for (size_t b = 0; b < sizeof begins / sizeof *begins; b++) {
        for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
            uint64_t due = begins[b] + after[i];
            struct alarm alarm = {0};

            begin(begins[b]);
            timer_wheel_advance(&wheel, begins[b]);
            start(&alarm, after[i]);
            timer_wheel_advance(&wheel, begins[b]);
            if (after[i] > 0) {
                timer_wheel_advance(&wheel, due - 1);
                ck_assert_int_eq(alarm.n_fired, 0);
            }
            timer_wheel_advance(&wheel, due + TIMER_TICK_MS);
            ck_assert_int_eq(alarm.n_fired, 1);
            timer_wheel_advance(&wheel, due + 5 * TURN_MS);
            ck_assert_int_eq(alarm.n_fired, 1);
        }
    }
}
END_TEST

START_TEST(a_timer_s_time_counts_from_the_next_advance)
{
    struct alarm alarm = {0};

    begin(0);
    start(&alarm, 100);
    timer_wheel_advance(&wheel, 5000);
    timer_wheel_advance(&wheel, 5099);
    ck_assert_int_eq(alarm.n_fired, 0);
    timer_wheel_advance(&wheel, 5100 + TIMER_TICK_MS);
    ck_assert_int_eq(alarm.n_fired, 1);
}
END_TEST

START_TEST(timers_fire_in_the_order_of_their_ticks)
{
    enum { N = 200 };
    struct alarm alarms[N];

    memset(alarms, 0, sizeof alarms);
    begin(777);
    for (unsigned i = 0; i < N; i++)
        start(&alarms[i * 77 % N], (i * 77 % N + 1) * TIMER_TICK_MS * 5);
    timer_wheel_advance(&wheel, 777);
    timer_wheel_advance(&wheel, 777 + TURN_MS);
    for (unsigned i = 0; i < N; i++) {
        ck_assert_int_eq(alarms[i].n_fired, 1);
        ck_assert_uint_eq(alarms[i].order, i + 1);
    }
}
END_TEST

START_TEST(a_crowd_of_timers_fires_over_several_advances)
{
    enum { N = 3 * TIMERS_AT_ONCE };
    static struct alarm alarms[N];
    struct alarm later = {0};

    memset(alarms, 0, sizeof alarms);
    begin(0);
    for (unsigned i = 0; i < N; i++)
        start(&alarms[i], 1000);
    start(&later, 1000 + 2 * TIMER_TICK_MS);
    timer_wheel_advance(&wheel, 0);
    timer_wheel_advance(&wheel, 1100);
    ck_assert_uint_eq(n_fired, TIMERS_AT_ONCE);
    ck_assert_uint_eq(timer_wheel_deadline(&wheel), 1100);
    for (unsigned i = 0; i < N; i++)
        if (alarms[i].n_fired == 0 && i % 2 == 0)
            timer_stop(&alarms[i].timer);
    timer_wheel_advance(&wheel, 1100);
    ck_assert_uint_eq(n_fired, 2 * TIMERS_AT_ONCE);
    ck_assert_int_eq(later.n_fired, 0);
    ck_assert_uint_eq(timer_wheel_deadline(&wheel), 1100);
    timer_wheel_advance(&wheel, 1100);
    ck_assert_int_eq(later.n_fired, 1);
    ck_assert_uint_eq(timer_wheel_deadline(&wheel), UINT64_MAX);
}
END_TEST

static void spend_as_three(struct alarm *alarm)
{
    (void)alarm;
    timer_wheel_spend(&wheel, 2 * TIMER_COST);
}

START_TEST(timers_with_costly_callbacks_fire_in_smaller_batches)
{
    static struct alarm alarms[TIMERS_AT_ONCE];

    memset(alarms, 0, sizeof alarms);
    begin(0);
    for (unsigned i = 0; i < TIMERS_AT_ONCE; i++) {
        start(&alarms[i], 1000);
        alarms[i].also = spend_as_three;
    }
    timer_wheel_advance(&wheel, 0);
    timer_wheel_spend(&wheel, UINT32_MAX); /* outside of an advance */
    timer_wheel_advance(&wheel, 1100);
    ck_assert_uint_eq(n_fired, TIMERS_AT_ONCE / 3 + 1);
}
END_TEST

START_TEST(stopped_timers_do_not_fire)
{
    struct alarm alarm = {0};
    struct alarm fresh = {0};

    begin(0);
    timer_stop(&alarm.timer);
    start(&alarm, 100);
    timer_wheel_advance(&wheel, 0);
    start(&fresh, 100);
    timer_stop(&fresh.timer);
    timer_stop(&alarm.timer);
    timer_stop(&alarm.timer);
    timer_wheel_advance(&wheel, 1000);
    ck_assert_uint_eq(n_fired, 0);
    ck_assert_uint_eq(timer_wheel_deadline(&wheel), UINT64_MAX);
}
END_TEST

START_TEST(a_started_timer_can_be_started_again)
{
    struct alarm alarm = {0};

    begin(0);
    start(&alarm, 100);
    timer_wheel_advance(&wheel, 0);
    start(&alarm, 1000);
    timer_wheel_advance(&wheel, 200);
    timer_wheel_advance(&wheel, 1199);
    ck_assert_int_eq(alarm.n_fired, 0);
    timer_wheel_advance(&wheel, 1200 + TIMER_TICK_MS);
    ck_assert_int_eq(alarm.n_fired, 1);
}
END_TEST

static void start_again(struct alarm *alarm)
{
    start(alarm, 100);
}

START_TEST(a_timer_that_restarts_itself_fires_once_in_an_advance)
{
    struct alarm alarm = {.also = start_again};

    begin(0);
    start(&alarm, 100);
    timer_wheel_advance(&wheel, 0);
    for (int i = 1; i <= 1000; i++) {
        timer_wheel_advance(&wheel, (uint64_t)i * (100 + TIMER_TICK_MS));
        ck_assert_int_eq(alarm.n_fired, i);
        timer_wheel_deadline(&wheel);
    }
}
END_TEST

/* As timer_start() says: from the advance in which it was started, also when the deadline was not
 * asked for in between. */
START_TEST(a_timer_started_while_firing_counts_from_that_advance)
{
    struct alarm alarm = {.also = start_again};

    begin(0);
    start(&alarm, 100);
    timer_wheel_advance(&wheel, 0);
    timer_wheel_advance(&wheel, 1000);
    ck_assert_int_eq(alarm.n_fired, 1);
    timer_wheel_advance(&wheel, 1100 + TIMER_TICK_MS);
    ck_assert_int_eq(alarm.n_fired, 2);
}
END_TEST

static void stop_other(struct alarm *alarm)
{
    timer_stop(&alarm->other->timer);
}

START_TEST(of_two_timers_that_stop_each_other_one_fires)
{
    struct alarm left = {.also = stop_other};
    struct alarm right = {.also = stop_other, .other = &left};

    left.other = &right;
    for (uint64_t apart = 0; apart < 200; apart += 40) {
        begin(0);
        left.n_fired = right.n_fired = 0;
        start(&left, 100);
        start(&right, 100 + apart);
        timer_wheel_advance(&wheel, 0);
        timer_wheel_advance(&wheel, 1000);
        ck_assert_int_eq(left.n_fired + right.n_fired, 1);
        ck_assert_uint_eq(timer_wheel_deadline(&wheel), UINT64_MAX);
    }
}
END_TEST

static void restart_other(struct alarm *alarm)
{
    if (alarm->other->timer.link != NULL)
        start(alarm->other, 5000);
}

START_TEST(a_due_timer_can_be_postponed_by_another)
{
    struct alarm left = {.also = restart_other};
    struct alarm right = {.also = restart_other, .other = &left};

    left.other = &right;
    begin(0);
    start(&left, 100);
    start(&right, 100);
    timer_wheel_advance(&wheel, 0);
    timer_wheel_advance(&wheel, 200);
    ck_assert_int_eq(left.n_fired + right.n_fired, 1);
    ck_assert_uint_le(timer_wheel_deadline(&wheel), 200 + 5000 + TIMER_TICK_MS);
    timer_wheel_advance(&wheel, 5199);
    ck_assert_int_eq(left.n_fired + right.n_fired, 1);
    timer_wheel_advance(&wheel, 5200 + TIMER_TICK_MS);
    ck_assert_int_eq(left.n_fired + right.n_fired, 2);
}
END_TEST

START_TEST(time_may_jump_far_and_stand_still_and_step_back)
{
    struct alarm alarms[50];

    memset(alarms, 0, sizeof alarms);
    begin(10 * TURN_MS);
    for (unsigned i = 0; i < 50; i++)
        start(&alarms[i], (uint64_t)i * TURN_MS / 10);
    timer_wheel_advance(&wheel, 10 * TURN_MS);
    timer_wheel_advance(&wheel, 10 * TURN_MS);
    timer_wheel_advance(&wheel, 9 * TURN_MS);
    ck_assert_uint_eq(n_fired, 0);
    timer_wheel_advance(&wheel, UINT64_C(1) << 50);
    ck_assert_uint_eq(n_fired, 50);
    ck_assert_uint_eq(timer_wheel_deadline(&wheel), UINT64_MAX);
}
END_TEST

/* A clock that begins at 0 and then gives the time of day: a timer that was started before the
 * first advance counts from that advance. */
START_TEST(a_timer_started_before_a_jump_of_years_is_not_due)
{
    struct alarm alarm = {0};

    begin(0);
    start(&alarm, 1000);
    timer_wheel_advance(&wheel, UINT64_C(1) << 40);
    ck_assert_uint_eq(n_fired, 0);
    timer_wheel_advance(&wheel, (UINT64_C(1) << 40) + 1000 + TIMER_TICK_MS);
    ck_assert_uint_eq(n_fired, 1);
}
END_TEST

/* --- compared with a list ------------------------------------------------------------------ */

enum { N_ALARMS = 100, N_STEPS = 20000 };

static struct alarm alarms[N_ALARMS];

static uint64_t first_due(void)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < N_ALARMS; i++)
        if (alarms[i].running && alarms[i].due_ms < first)
            first = alarms[i].due_ms;
    return first;
}

/* A running timer is not overdue by a tick; a timer that fired was due. */
static void check_alarms(uint64_t now_ms, const int fired_before[N_ALARMS])
{
    for (size_t i = 0; i < N_ALARMS; i++) {
        const struct alarm *alarm = &alarms[i];

        if (alarm->running != (alarm->timer.link != NULL) ||
            (alarm->running && alarm->due_ms + TIMER_TICK_MS <= now_ms) ||
            (alarm->n_fired > fired_before[i] && alarm->due_ms > now_ms))
            ck_abort_msg("due at %llu, running %d, at %llu", (unsigned long long)alarm->due_ms,
                         alarm->running, (unsigned long long)now_ms);
    }
}

static void check_deadline(void)
{
    uint64_t deadline = timer_wheel_deadline(&wheel);
    uint64_t first = first_due();

    if (first == UINT64_MAX)
        ck_assert_uint_eq(deadline, UINT64_MAX);
    else
        ck_assert_uint_le(deadline, first + TIMER_TICK_MS);
}

START_TEST(random_timers_agree_with_a_list)
{
    static const uint64_t scales[] = {10, 1000, TURN_MS, 10 * TURN_MS};
    uint64_t now = 999;

    srandom(1);
    memset(alarms, 0, sizeof alarms);
    begin(now);
    for (unsigned step = 0; step < N_STEPS; step++) {
        int before[N_ALARMS];

        now += (uint64_t)random() % scales[random() % 3];
        if (step % 1000 == 999)
            now += (uint64_t)random() % (20 * TURN_MS);
        for (size_t i = 0; i < N_ALARMS; i++)
            before[i] = alarms[i].n_fired;
        for (int i = 0; i < 4; i++) {
            struct alarm *alarm = &alarms[random() % N_ALARMS];

            if (random() % 4 == 0) {
                timer_stop(&alarm->timer);
                alarm->running = false;
            } else {
                uint64_t after = (uint64_t)random() % scales[random() % 4];

                alarm->due_ms = now + after;
                start(alarm, after);
            }
        }
        timer_wheel_advance(&wheel, now);
        check_alarms(now, before);
        check_deadline();
    }
    ck_assert_uint_gt(n_fired, 1000);
}
END_TEST

/* A host that sleeps until the deadline each time is never late, and needs few wake-ups. */
START_TEST(sleeping_until_the_deadline_is_enough)
{
    unsigned wakes = 0;
    uint64_t now = 0;

    srandom(2);
    memset(alarms, 0, sizeof alarms);
    begin(now);
    for (size_t i = 0; i < N_ALARMS; i++) {
        alarms[i].due_ms = (uint64_t)random() % (20 * TURN_MS);
        start(&alarms[i], alarms[i].due_ms);
    }
    timer_wheel_advance(&wheel, now);
    while (first_due() != UINT64_MAX) {
        uint64_t next = timer_wheel_deadline(&wheel);

        ck_assert_uint_gt(next, now);
        ck_assert_uint_le(next, first_due() + TIMER_TICK_MS);
        now = next;
        timer_wheel_advance(&wheel, now);
        wakes++;
    }
    ck_assert_uint_eq(n_fired, N_ALARMS);
    ck_assert_uint_lt(wakes, N_ALARMS * 21);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_timer_fires_within_a_tick_after_its_time,
        a_timer_s_time_counts_from_the_next_advance,
        timers_fire_in_the_order_of_their_ticks,
        a_crowd_of_timers_fires_over_several_advances,
        timers_with_costly_callbacks_fire_in_smaller_batches,
        stopped_timers_do_not_fire,
        a_started_timer_can_be_started_again,
        a_timer_that_restarts_itself_fires_once_in_an_advance,
        a_timer_started_while_firing_counts_from_that_advance,
        of_two_timers_that_stop_each_other_one_fires,
        a_due_timer_can_be_postponed_by_another,
        time_may_jump_far_and_stand_still_and_step_back,
        a_timer_started_before_a_jump_of_years_is_not_due,
        random_timers_agree_with_a_list,
        sleeping_until_the_deadline_is_enough,
        NULL,
    };

    return suite_run("timer_wheel", tests);
}
