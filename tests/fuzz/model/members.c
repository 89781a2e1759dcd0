/* members.c: the model of presence: which users are in the rooms and in the service. */
#include "fuzz/model/members.h"

#include <check.h>

void members_enter(struct members *members, unsigned place, unsigned user, uint64_t now_ms)
{
    struct member *member = &members->of[place][user];

    if (member->connections == 0 && member->is_leaving)
        member->may_have_none |= !members_must_have(members, place, user, now_ms);
    member->connections++;
    member->is_leaving &= !members->is_exact;
}

/* A connection that leaves on purpose may be lost before that is carried out. */
void members_leave(struct members *members, unsigned place, unsigned user, bool is_lost,
                   uint64_t now_ms)
{
    struct member *member = &members->of[place][user];
    bool may_be_lost = is_lost || !members->is_exact;

    ck_assert_uint_gt(member->connections--, 0);
    if (members->grace_ms > 0 && may_be_lost && member->connections == 0) {
        member->is_leaving = true;
        member->lost_ms = now_ms;
    }
    if (member->connections == 0 && !member->is_leaving)
        member->state = NO_STATE;
}

int members_make_state(unsigned place, unsigned user, int number)
{
    return (number * N_PLACES + (int)place) * N_USERS + (int)user;
}

void members_set_state(struct members *members, unsigned place, unsigned user, int made)
{
    members->of[place][user].state = made;
    members->of[place][user].may_have_none = false;
}

void members_settle(struct members *members)
{
    for (unsigned place = 0; place < N_PLACES; place++)
        for (unsigned user = 0; user < N_USERS; user++) {
            struct member *member = &members->of[place][user];

            member->is_leaving = false;
            if (member->connections == 0)
                member->state = NO_STATE;
        }
}

/* The clock of presence stands still between two beats, and counts up to two beats at once. */
bool members_must_have(const struct members *members, unsigned place, unsigned user,
                       uint64_t now_ms)
{
    const struct member *member = &members->of[place][user];

    if (member->connections > 0)
        return true;
    return member->is_leaving && members->is_exact && members->declared[place] &&
           now_ms - member->lost_ms + 2 * MEMBERS_BATCH_MS < members->grace_ms;
}

bool members_may_have(const struct members *members, unsigned place, unsigned user)
{
    return members->of[place][user].connections > 0 || members->of[place][user].is_leaving;
}

static void check_state(struct members *members, unsigned place, unsigned user, int found)
{
    struct member *member = &members->of[place][user];

    if (found != NO_STATE) {
        ck_assert_uint_eq((unsigned)found % N_USERS, user);
        ck_assert_uint_eq((unsigned)found / N_USERS % N_PLACES, place);
    }
    if (!members->is_exact)
        return;
    ck_assert(found == member->state || (found == NO_STATE && member->may_have_none));
    member->state = found;
    member->may_have_none = false;
}

/* A user whose grace time runs counts as one connection. */
static void check_user(const struct members *members, unsigned place, unsigned user,
                       int connections, uint64_t now_ms)
{
    unsigned wanted = members->of[place][user].connections;

    if (wanted > 0)
        ck_assert_int_eq(connections, (int)wanted);
    else if (connections > 0)
        ck_assert(connections == 1 && members_may_have(members, place, user));
    else
        ck_assert(!members_must_have(members, place, user, now_ms));
}

void members_check(struct members *members, unsigned place, const struct belief *found,
                   uint64_t now_ms)
{
    unsigned least = 0, most = 0, count = 0;

    for (unsigned user = 1; user < N_USERS; user++) {
        least += members_must_have(members, place, user, now_ms);
        most += members_may_have(members, place, user);
    }
    ck_assert_uint_ge(found->count, least);
    ck_assert_uint_le(found->count, most);
    ck_assert_int_eq(found->has_list, found->count <= members->max_list);
    for (unsigned user = 1; found->has_list && user < N_USERS; user++) {
        check_user(members, place, user, found->connections[user], now_ms);
        if (found->connections[user] > 0)
            check_state(members, place, user, found->state[user]);
        count += found->connections[user] > 0;
    }
    if (found->has_list)
        ck_assert_uint_eq(count, found->count);
}
