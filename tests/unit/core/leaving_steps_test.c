/* leaving_steps_test.c: a connection in many rooms leaves them in steps when it ends, and others
 * come and go between two steps: the manager's lock is never held for all of them. For one
 * thread. */
#include <stdio.h>
#include <string.h>

#include "core/presence/state.h"
#include "support/host.h"
#include "support/suite.h"

enum {
    ROOMS = 300,
    AT_ONCE = 64 /* rooms in a step */
};

static struct host host;
static ws_loop *loops[2];
static struct client ann, eve, other;

static void (*between)(void); /* what others do before the lock is taken; NULL: nothing */
static bool is_between;
static size_t rooms_before; /* that had members at the last step */
static size_t n_steps;

/* The linker's names (--wrap). */
void real_lock(ws_manager *manager) __asm__("__real_manager_lock");
void wrapped_lock(ws_manager *manager) __asm__("__wrap_manager_lock");

/* Other threads have had the lock. */
void wrapped_lock(ws_manager *manager)
{
    if (between != NULL && !is_between) {
        is_between = true;
        between();
        is_between = false;
    }
    real_lock(manager);
}

static int allow(ws_manager *manager, const ws_connection_info *connection, const char *room,
                 void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

static void run_both(void)
{
    for (size_t i = 0; i < 2; i++) {
        host.loop = loops[i];
        host_run(&host);
    }
    host.loop = loops[0];
}

static void enter(struct client *client, size_t loop, int room)
{
    char json[80];

    snprintf(json, sizeof json,
             "{\"type\":\"join_room\",\"room\":\"room-%d\",\"presence\":true}", room);
    client_say(client, json);
    ws_loop_run(loops[loop], host.now_ms);
}

/* Eve is in all rooms, on the first loop; ann is on the second one. */
static void begin(void)
{
    host_init(&host);
    host_without_callbacks(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host.options.presence_grace_ms = 0;
    host.options.authorize_presence = allow;
    host_start(&host);
    loops[0] = host.loop;
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, host.now_ms, &loops[1]), WS_OK);
    client_open(&host, &eve, "eve", "eve");
    host.loop = loops[1];
    client_open(&host, &ann, "ann", "ann");
    run_both();
    for (int i = 0; i < ROOMS; i++)
        enter(&eve, 0, i);
    run_both();
    client_count(&ann);
    rooms_before = host.manager->registry.n_occupied[GROUP_ROOM];
    ck_assert_uint_eq(rooms_before, ROOMS);
    n_steps = 0;
}

static void end(void)
{
    between = NULL;
    run_both();
    ws_loop_free(loops[1]);
    host_close(&host);
    client_free(&ann);
    client_free(&eve);
    client_free(&other);
}

static void lose_eve(void (*meanwhile)(void))
{
    between = meanwhile;
    client_lose(&eve);
    between = NULL;
    run_both();
}

static void count_step(void)
{
    size_t rooms = host.manager->registry.n_occupied[GROUP_ROOM];

    ck_assert_uint_le(rooms_before - rooms, AT_ONCE);
    n_steps += rooms < rooms_before;
    rooms_before = rooms;
}

START_TEST(the_lock_is_given_back_in_between)
{
    begin();
    lose_eve(count_step);
    ck_assert_uint_ge(n_steps, ROOMS / AT_ONCE);
    ck_assert_uint_eq(host.manager->registry.n_occupied[GROUP_ROOM], 0);
    ck_assert_uint_eq(host.manager->presence->n_members, 0);
    client_open(&host, &other, "other", NULL);
    end();
}
END_TEST

static void come_again(void)
{
    size_t rooms = host.manager->registry.n_occupied[GROUP_ROOM];

    if (rooms == ROOMS || n_steps++ > 0)
        return;
    host.loop = loops[1];
    client_open(&host, &other, "other", "eve");
    host.loop = loops[0];
}

/* The user was never away. */
START_TEST(the_user_connects_to_another_loop_in_between)
{
    begin();
    lose_eve(come_again);
    ck_assert_uint_ge(n_steps, 1);
    client_expect(&ann, NULL);
    ck_assert_int_eq(other.n_closes, 0);
    client_lose(&other);
    run_both();
    ck_assert_uint_eq(client_count(&ann), 1);
    end();
}
END_TEST

static void meet(void)
{
    int result = ws_manager_join_room(host.manager, eve.id, "late");

    ck_assert(result == WS_OK || result == WS_ERR_NOT_FOUND);
    for (int i = 0; i < 5; i++)
        enter(&ann, 1, (int)(n_steps++ * 37 % ROOMS));
}

static bool lists(const char *room, const char *user)
{
    bool result;
    char *text;

    ck_assert_int_eq(ws_manager_get_presence(host.manager, room, &text, NULL), WS_OK);
    result = strstr(text, user) != NULL;
    ws_manager_free_text(host.manager, text);
    return result;
}

/* Another one enters rooms that the connection has left, or will leave. */
START_TEST(others_enter_the_rooms_in_between)
{
    char room[20];

    begin();
    lose_eve(meet);
    ck_assert_uint_ge(n_steps, 5 * (ROOMS / AT_ONCE));
    for (int i = 0; i < ROOMS; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        ck_assert(!lists(room, "eve"));
        ck_assert_int_eq(lists(room, "ann"), ws_manager_is_member(host.manager, ann.id, room));
    }
    ck_assert(!lists("late", "eve"));
    client_open(&host, &other, "other", NULL);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_lock_is_given_back_in_between,
        the_user_connects_to_another_loop_in_between,
        others_enter_the_rooms_in_between,
        NULL,
    };

    return suite_run("leaving_steps", tests);
}
