/* delivery_random_test.c: deliveries that are cut into slices at any member while connections are
 * opened and lost and enter and leave rooms, compared with a simple model: a connection that is a
 * member when an event's turn comes, and does not end before the delivery reaches it, receives the
 * event exactly once. */
#include <stdlib.h>
#include <string.h>

#include "support/crowd.h"
#include "support/suite.h"

/* Filler calls use up a turn's budget except for a rest, so that the event after them is cut. */
enum { BUDGET = 8192, CALL = 8 };

enum { N = 100, FILLER = N /* this one stays, and makes those calls */, N_ROUNDS = 8 };

/* What the calls that were made so far will have done to a connection. Only the order in which they
 * are made counts; a connection that is lost merely receives less. */
struct model {
    bool open;
    bool in_room;
    uint64_t gets; /* a bit for each event */
};

static struct crowd crowd;
static struct model models[N + 1];
static int n_emitted;
static unsigned acts_of_1000; /* how often, of 1,000 calls, a transport acts on a connection */

static struct model *model_of(const struct crowd_member *member)
{
    return &models[member - crowd.members];
}

static void check_got(const struct crowd_member *member)
{
    if (member->got != model_of(member)->gets)
        ck_abort_msg("member %zu received %llx instead of %llx",
                     (size_t)(member - crowd.members), (unsigned long long)member->got,
                     (unsigned long long)model_of(member)->gets);
}

/* --- actions --------------------------------------------------------------------------------- */

static void emit(bool to_room)
{
    if (++n_emitted == CROWD_EVENTS)
        ck_abort_msg("too many events");
    emit_number(&crowd.host, to_room ? "r" : NULL, n_emitted);
    for (size_t i = 0; i <= N; i++)
        if (models[i].open && (models[i].in_room || !to_room))
            models[i].gets |= UINT64_C(1) << n_emitted;
}

static void connect_anew(struct crowd_member *member)
{
    crowd_connect(member, NULL);
    *model_of(member) = (struct model){.open = true};
}

static void lose(struct crowd_member *member)
{
    if ((member->got & ~model_of(member)->gets) != 0)
        ck_abort_msg("a lost member received too much");
    crowd_lose(member);
    model_of(member)->open = false;
}

/* `other` is lost half of the time, so that new connections keep coming. */
static void act_on(struct crowd_member *other)
{
    struct model *model = model_of(other);

    if (!other->connected) {
        connect_anew(other);
        return;
    }
    switch (random() % 8) {
    case 0:
    case 1:
        lose(other);
        break;
    case 2:
        if (model->open)
            crowd_disconnect(other);
        model->open = false;
        break;
    case 3:
        crowd_leave(other, "r");
        model->in_room = false;
        break;
    default:
        crowd_join(other, "r");
        model->in_room = true;
        break;
    }
}

static void act(void)
{
    act_on(&crowd.members[(size_t)random() % N]);
}

/* The transport that was called may be its own victim. */
static void act_within(struct crowd_member *member)
{
    if ((unsigned)random() % 1000 >= acts_of_1000)
        return;
    if (random() % 4 == 0 && member != &crowd.members[FILLER])
        act_on(member);
    else
        act();
}

/* The member was disconnected: it has received all that was sent to it before. */
static void act_on_close(struct crowd_member *member)
{
    check_got(member);
    act_within(member);
}

/* Leaves so much of the turn's budget that the next event is cut within its first deliveries, or
 * just not cut. */
static void fill_turn(void)
{
    unsigned rest = (unsigned)random() % (N + 4 * CALL);

    for (unsigned i = 0; i < (BUDGET - rest) / CALL; i++)
        crowd_leave(&crowd.members[FILLER], "nowhere");
}

/* --- the test -------------------------------------------------------------------------------- */

static void play_round(void)
{
    for (long i = random() % 50; i > 0; i--)
        act();
    host_run(&crowd.host);
    for (long i = 1 + random() % 2; i > 0; i--) {
        fill_turn();
        emit(random() % 3 > 0);
        for (long j = random() % 10; j > 0; j--)
            act();
    }
    emit(random() % 2 == 0);
    while (ws_loop_run(crowd.host.loop, crowd.host.now_ms) == crowd.host.now_ms)
        for (long i = random() % 30; i > 0; i--)
            act();
    for (size_t i = 0; i <= N; i++)
        if (crowd.members[i].connected)
            check_got(&crowd.members[i]);
}

static void play(unsigned seed)
{
    srandom(seed);
    n_emitted = 0;
    crowd_open(&crowd, N + 1);
    for (size_t i = 0; i <= N; i++)
        connect_anew(&crowd.members[i]);
    host_run(&crowd.host);
    crowd.on_event = act_within;
    crowd.on_close = act_on_close;
    for (int round = 0; round < N_ROUNDS; round++)
        play_round();
    ck_assert_uint_gt(crowd.n_events, N);
    ck_assert_uint_gt(crowd.n_closes, 0);
    crowd_close(&crowd);
}

START_TEST(random_calls_between_the_slices)
{
    acts_of_1000 = 0;
    for (unsigned seed = 1; seed <= 40; seed++)
        play(seed);
}
END_TEST

START_TEST(random_calls_between_and_within_the_slices)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        acts_of_1000 = 5 * seed;
        play(seed);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        random_calls_between_the_slices,
        random_calls_between_and_within_the_slices,
        NULL,
    };

    return suite_run("delivery_random", tests);
}
