/* delivery_test.c: events and drains that are more than a turn's work are done in slices: whatever
 * happens between and within the slices, each member receives an event once. Not here: random
 * slices (delivery_random_test.c). */
#include <string.h>

#include "core/loop_state.h"
#include "support/crowd.h"
#include "support/drain.h"
#include "support/suite.h"

/* A turn's budget, and the cost of a call. */
enum { BUDGET = 8192, CALL = 8 };

/* A delivery to so many members takes three turns. */
enum { N = 2 * BUDGET + 2000, N_TURNS = 3 };

enum { FIRST = 1, SECOND, THIRD };

static struct crowd crowd;

static void begin(const char *room)
{
    crowd_open(&crowd, N);
    crowd_connect_all(&crowd, room);
}

static void end(void)
{
    crowd_close(&crowd);
}

/* Runs one turn; returns whether there is more to do. Checks that the turn stayed within its
 * budget. */
static bool run_once(void)
{
    size_t done = crowd.n_events + crowd.n_closes;
    uint64_t deadline = ws_loop_run(crowd.host.loop, crowd.host.now_ms);

    done = crowd.n_events + crowd.n_closes - done;
    if (done > BUDGET - CALL)
        ck_abort_msg("%zu deliveries in one turn", done);
    ck_assert(deadline == crowd.host.now_ms || deadline == WS_NO_DEADLINE);
    return deadline == crowd.host.now_ms;
}

/* Runs the loop to the end, with `between` after each turn except the last; returns the number of
 * turns. */
static unsigned run_in_turns(void (*between)(void))
{
    unsigned turns = 1;

    for (; run_once(); turns++)
        if (between != NULL)
            between();
    return turns;
}

static void expect_all(size_t first, size_t after, int event, bool got)
{
    for (size_t i = first; i < after; i++)
        if (crowd_got(&crowd.members[i], event) != got)
            ck_abort_msg("member %zu, event %d: expected %d", i, event, got);
}

/* A connected member has received the event; one that has ended may have received it before. */
static void expect_remaining(int event)
{
    for (size_t i = 0; i < N; i++)
        if (crowd.members[i].connected && !crowd_got(&crowd.members[i], event))
            ck_abort_msg("member %zu did not get event %d", i, event);
}

/* Once to the members of a room and once to everyone. */
static void for_both(void (*check)(const char *room))
{
    check("r");
    check(NULL);
}

static void check_slices(const char *room)
{
    begin(room);
    emit_number(&crowd.host, room, FIRST);
    ck_assert_uint_eq(run_in_turns(NULL), N_TURNS);
    expect_all(0, N, FIRST, true);
    ck_assert_uint_eq(crowd.n_events, N);
    end();
}

START_TEST(a_large_delivery_takes_several_turns)
{
    for_both(check_slices);
}
END_TEST

/* The last member is reached in the first turn, at its very end, or in a second one. */
static void check_sizes(const char *room)
{
    crowd_open(&crowd, BUDGET + CALL);
    crowd_connect_all(&crowd, room);
    for (int i = 1; i < 2 * CALL; i++) {
        size_t n = BUDGET + CALL - (size_t)i;

        crowd_lose(&crowd.members[n]);
        emit_number(&crowd.host, room, i);
        run_in_turns(NULL);
        expect_all(0, n, i, true);
        expect_all(n, n + 1, i, false);
    }
    end();
}

START_TEST(deliveries_of_about_one_turn_s_budget)
{
    for_both(check_sizes);
}
END_TEST

START_TEST(several_large_deliveries_in_a_row)
{
    begin("r");
    emit_number(&crowd.host, "r", FIRST);
    emit_number(&crowd.host, NULL, SECOND);
    emit_number(&crowd.host, "r", THIRD);
    run_in_turns(NULL);
    for (int event = FIRST; event <= THIRD; event++)
        expect_all(0, N, event, true);
    end();
}
END_TEST

static struct crowd_member *find_unreached(int event)
{
    struct crowd_member *member = crowd.members;

    while (crowd_got(member, event))
        member++;
    ck_assert(member < crowd.members + N);
    return member;
}

START_TEST(later_calls_wait_for_their_turn)
{
    struct crowd_member *newcomer;
    struct crowd_member *leaver;
    struct crowd_member *outcast;

    begin("r");
    newcomer = &crowd.members[100];
    crowd_leave(newcomer, "r");
    host_run(&crowd.host);
    emit_number(&crowd.host, "r", FIRST);
    ck_assert(run_once());
    leaver = find_unreached(FIRST);
    crowd_leave(leaver, "r");
    emit_number(&crowd.host, NULL, SECOND);
    outcast = find_unreached(FIRST) + 1;
    crowd_disconnect(outcast);
    crowd_join(newcomer, "r");
    emit_number(&crowd.host, "r", THIRD);
    while (crowd.n_events < N - 1) {
        ck_assert(!crowd_got(newcomer, SECOND));
        ck_assert_int_eq(ws_manager_is_member(crowd.host.manager, leaver->id, "r"), 1);
        ck_assert(run_once());
    }
    run_in_turns(NULL);
    ck_assert_uint_eq(leaver->got, 1u << FIRST | 1u << SECOND);
    ck_assert_uint_eq(outcast->got, 1u << FIRST | 1u << SECOND);
    ck_assert_uint_eq(newcomer->got, 1u << SECOND | 1u << THIRD);
    expect_remaining(SECOND);
    ck_assert_uint_eq(crowd.n_events, 3 * (size_t)N - 3);
    end();
}
END_TEST

/* --- between the slices ---------------------------------------------------------------------- */

static void lose_if_there(size_t number)
{
    if (crowd.members[number % N].connected)
        crowd_lose(&crowd.members[number % N]);
}

/* Some members that were reached and some that were not, from both ends and the middle. */
static void lose_some(void)
{
    static const size_t distances[] = {1, 2, 3, 50, 51, 1000, 1017};

    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        lose_if_there(distances[i]);
        lose_if_there(N - distances[i]);
        lose_if_there(N / 2 + distances[i]);
    }
}

static void check_losses(const char *room)
{
    begin(room);
    emit_number(&crowd.host, room, FIRST);
    ck_assert_uint_eq(run_in_turns(lose_some), N_TURNS);
    expect_remaining(FIRST);
    ck_assert_uint_lt(crowd.n_events, N);
    end();
}

START_TEST(some_members_are_lost_between_the_slices)
{
    for_both(check_losses);
}
END_TEST

static void lose_nearly_all(void)
{
    for (size_t i = 0; i < N; i++)
        if (i % 1000 != 7)
            lose_if_there(i);
}

static void check_many_losses(const char *room)
{
    begin(room);
    emit_number(&crowd.host, room, FIRST);
    ck_assert(run_once());
    lose_nearly_all();
    ck_assert(!run_once());
    expect_remaining(FIRST);
    end();
}

START_TEST(nearly_all_members_are_lost_between_the_slices)
{
    for_both(check_many_losses);
}
END_TEST

static const char *room_of_newcomers;
static size_t step_of_exchange;

/* New connections take the slots of lost ones, reached or not. */
static void exchange(void)
{
    for (size_t i = 0; i < N; i += step_of_exchange)
        crowd_lose(&crowd.members[i]);
    for (size_t i = 0; i < N; i += step_of_exchange)
        crowd_connect(&crowd.members[i], room_of_newcomers);
}

static void check_newcomers(const char *room)
{
    begin(room);
    room_of_newcomers = room;
    emit_number(&crowd.host, room, FIRST);
    ck_assert(run_once());
    exchange();
    run_in_turns(NULL);
    for (size_t i = 0; i < N; i++)
        if (crowd_got(&crowd.members[i], FIRST) != (i % step_of_exchange != 0))
            ck_abort_msg("member %zu got it: %d", i, i % step_of_exchange == 0);
    /* Nor do the statistics count the event as dropped for them. */
    ck_assert_uint_eq(counter_read(&crowd.host.loop->counters, COUNTER_drop_gone), 0);
    emit_number(&crowd.host, room, SECOND);
    run_in_turns(NULL);
    expect_all(0, N, SECOND, true);
    end();
}

START_TEST(connections_between_the_slices_receive_later_events_only)
{
    step_of_exchange = 97;
    for_both(check_newcomers);
    step_of_exchange = 1;
    for_both(check_newcomers);
}
END_TEST

static void check_freed_loop(const char *room)
{
    begin(room);
    emit_number(&crowd.host, room, FIRST);
    emit_number(&crowd.host, NULL, SECOND);
    ck_assert(run_once());
    end();
}

START_TEST(the_loop_is_freed_between_the_slices)
{
    for_both(check_freed_loop);
}
END_TEST

/* --- within a slice -------------------------------------------------------------------------- */

static bool is_newcomer[N]; /* connected after the event was sent */

static void act(struct crowd_member *member)
{
    size_t number = (size_t)(member - crowd.members);
    size_t other_number = number * 7919 % N;
    struct crowd_member *other = &crowd.members[other_number];

    if (number % 7 == 0) {
        crowd_lose(member);
    } else if (number % 11 == 0 && other->connected) {
        crowd_lose(other);
    } else if (number % 13 == 0 && other->connected) {
        crowd_disconnect(other);
    } else if (number % 17 == 0 && !other->connected) {
        crowd_connect(other, room_of_newcomers);
        is_newcomer[other_number] = true;
    }
}

/* A transport that is closed has received the event: the disconnect takes its place after the
 * event. */
static void expect_event(struct crowd_member *member)
{
    if (crowd_got(member, FIRST) == is_newcomer[member - crowd.members])
        ck_abort_msg("member %zu was closed too early", (size_t)(member - crowd.members));
}

static void check_acts(const char *room)
{
    begin(room);
    room_of_newcomers = room;
    memset(is_newcomer, 0, sizeof is_newcomer);
    crowd.on_event = act;
    crowd.on_close = expect_event;
    emit_number(&crowd.host, room, FIRST);
    run_in_turns(NULL);
    for (size_t i = 0; i < N; i++)
        if (crowd.members[i].connected && crowd_got(&crowd.members[i], FIRST) == is_newcomer[i])
            ck_abort_msg("member %zu is a newcomer: %d", i, is_newcomer[i]);
    ck_assert_uint_gt(crowd.n_events, N / 2);
    ck_assert_uint_gt(crowd.n_closes, 100);
    end();
}

START_TEST(transports_end_and_open_connections_within_a_slice)
{
    for_both(check_acts);
}
END_TEST

/* --- draining -------------------------------------------------------------------------------- */

START_TEST(a_large_drain_takes_several_turns)
{
    begin(NULL);
    emit_number(&crowd.host, NULL, FIRST);
    ck_assert_int_eq(drain_with(crowd.host.manager, 1001, NULL), WS_OK);
    emit_number(&crowd.host, NULL, SECOND);
    ck_assert_uint_ge(run_in_turns(NULL), 2 * N_TURNS - 1);
    ck_assert_uint_eq(crowd.n_closes, N);
    ck_assert_uint_eq(ws_manager_connection_count(crowd.host.manager), 0);
    expect_all(0, N, FIRST, true);
    expect_all(0, N, SECOND, false);
    end();
}
END_TEST

static void lose_two_more(struct crowd_member *member)
{
    size_t number = (size_t)(member - crowd.members);

    if (number % 5 == 0)
        lose_if_there(number + 1);
    if (number % 7 == 0)
        lose_if_there(number + N / 2);
}

START_TEST(members_are_lost_during_a_drain)
{
    begin("r");
    crowd.on_close = lose_two_more;
    ck_assert_int_eq(drain_with(crowd.host.manager, 1001, NULL), WS_OK);
    run_in_turns(lose_some);
    ck_assert_uint_gt(crowd.n_closes, N / 2);
    ck_assert_uint_lt(crowd.n_closes, N);
    for (size_t i = 0; i < N; i++)
        ck_assert(!crowd.members[i].connected);
    ck_assert_uint_eq(ws_manager_connection_count(crowd.host.manager), 0);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_large_delivery_takes_several_turns,
        deliveries_of_about_one_turn_s_budget,
        several_large_deliveries_in_a_row,
        later_calls_wait_for_their_turn,
        some_members_are_lost_between_the_slices,
        nearly_all_members_are_lost_between_the_slices,
        connections_between_the_slices_receive_later_events_only,
        the_loop_is_freed_between_the_slices,
        transports_end_and_open_connections_within_a_slice,
        a_large_drain_takes_several_turns,
        members_are_lost_during_a_drain,
        NULL,
    };

    return suite_run("delivery", tests);
}
