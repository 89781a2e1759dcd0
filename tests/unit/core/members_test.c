/* members_test.c: the members of a large room are visited, some of which leave and come back
 * meanwhile. Not here: small rooms (room_test.c). */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/manager.h"
#include "support/crowd.h"
#include "support/suite.h"

enum { MEMBERS = 2500 /* read in three steps */ };

static struct crowd crowd;
static ws_allocator original;
static size_t leaving_every; /* such member; the others stay */
static bool is_visiting;
static unsigned n_changes;

static bool stays(size_t i)
{
    return i % leaving_every != 0;
}

/* Those that leave, or come back. */
static void change_members_now(void)
{
    for (size_t i = 0; i < MEMBERS; i += leaving_every) {
        if (n_changes % 2 == 0)
            crowd_leave(&crowd.members[i], "room");
        else
            crowd_join(&crowd.members[i], "room");
    }
    host_run(&crowd.host);
    n_changes++;
}

static void *change_on_thread(void *data)
{
    (void)data;
    change_members_now();
    return NULL;
}

/* The allocator itself must not call the library. */
static void on_another_thread(void *(*function)(void *data))
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, function, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* Between two steps memory is needed, without a lock held. */
static void *change_members(void *block, size_t size, void *user_data)
{
    if (is_visiting) {
        is_visiting = false;
        on_another_thread(change_on_thread);
        is_visiting = true;
    }
    return original.realloc(block, size, user_data);
}

/* The ids that were visited. */
struct visit {
    ws_conn_id ids[MEMBERS];
    size_t count;
};

static int note(ws_conn_id id, void *user_data)
{
    struct visit *visit = user_data;

    ck_assert_uint_lt(visit->count, MEMBERS);
    visit->ids[visit->count++] = id;
    return 0;
}

static int compare(const void *left, const void *right)
{
    ws_conn_id a = *(const ws_conn_id *)left;
    ws_conn_id b = *(const ws_conn_id *)right;

    return (a > b) - (a < b);
}

static void check(struct visit *visit)
{
    qsort(visit->ids, visit->count, sizeof *visit->ids, compare);
    for (size_t i = 1; i < visit->count; i++)
        ck_assert_uint_ne(visit->ids[i], visit->ids[i - 1]);
    for (size_t i = 0; i < MEMBERS; i++)
        if (stays(i))
            ck_assert_ptr_nonnull(bsearch(&crowd.members[i].id, visit->ids, visit->count,
                                          sizeof *visit->ids, compare));
}

static void visit_often(size_t every)
{
    enum { VISITS = 10 };
    static struct visit visit;

    leaving_every = every;
    n_changes = 0;
    crowd_open(&crowd, MEMBERS);
    crowd_connect_all(&crowd, "room");
    original = crowd.host.manager->memory;
    crowd.host.manager->memory.realloc = change_members;
    for (int i = 0; i < VISITS; i++) {
        visit.count = 0;
        is_visiting = true;
        ck_assert_int_eq(ws_manager_for_each_member(crowd.host.manager, "room", note, &visit),
                         WS_OK);
        is_visiting = false;
        check(&visit);
        if (n_changes % 2 != 0)
            change_members_now();
    }
    ck_assert_uint_eq(n_changes, 2 * VISITS);
    crowd_close(&crowd);
}

START_TEST(members_that_stay_are_visited_once)
{
    visit_often(3);
}
END_TEST

START_TEST(all_members_may_leave_meanwhile)
{
    visit_often(1);
}
END_TEST

static void *free_loop_on_thread(void *data)
{
    struct host *host = &crowd.host;

    (void)data;
    ws_loop_free(host->loop);
    ck_assert_ptr_null(registry_find(&host->manager->registry, GROUP_ROOM, "room"));
    emit_number(host, "room", 1);
    ck_assert_int_eq(ws_loop_new(host->manager, NULL, 0, &host->loop), WS_OK);
    return NULL;
}

/* Between two steps another thread frees the loop, then sends to the room. */
static void *free_loop(void *block, size_t size, void *user_data)
{
    if (is_visiting) {
        is_visiting = false;
        on_another_thread(free_loop_on_thread);
    }
    return original.realloc(block, size, user_data);
}

START_TEST(a_loop_may_end_meanwhile)
{
    static struct visit visit;

    visit.count = 0;
    crowd_open(&crowd, MEMBERS);
    crowd_connect_all(&crowd, "room");
    original = crowd.host.manager->memory;
    crowd.host.manager->memory.realloc = free_loop;
    is_visiting = true;
    ck_assert_int_eq(ws_manager_for_each_member(crowd.host.manager, "room", note, &visit),
                     WS_OK);
    ck_assert(!is_visiting);
    ck_assert_uint_ge(visit.count, 1000);
    crowd_close(&crowd);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {members_that_stay_are_visited_once,
                                  all_members_may_leave_meanwhile, a_loop_may_end_meanwhile,
                                  NULL};

    return suite_run("members", tests);
}
