/* presence_steps_test.c: very many connections are counted in steps when the presence of a room
 * begins, and others come and go between two steps: the manager's lock is never held for all of
 * them. Not here: what observers receive then (presence_random_test.c). For one thread. */
#include <stdio.h>
#include <string.h>

#include "core/presence/state.h"
#include "support/stream.h"
#include "support/suite.h"

enum {
    LOOPS = 3,
    CLIENTS = 2400,
    USERS = 900,
    LIMIT = 500,   /* users, where they are too many */
    AT_ONCE = 512, /* connections or members in a step */
    ACTIONS = 8,   /* of clients between two steps */
    ROUNDS = 6
};

struct guest {
    struct client client;
    size_t loop;
    unsigned user;
    bool is_open;
    bool is_inside; /* the room "r" */
};

static struct process process;
static struct host *const host = &process.host;
static ws_loop *loops[LOOPS];
static struct guest guests[CLIENTS];
static unsigned random_state;
static unsigned n_users; /* of guests that come */

static size_t n_holds;        /* of the manager's lock */
static void (*between)(void); /* what others do before the lock is taken; NULL: nothing */
static bool is_between;

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
    n_holds += !is_between;
    real_lock(manager);
}

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
}

/* --- guests ---------------------------------------------------------------------------------- */

static void run(size_t loop)
{
    ws_loop_run(loops[loop], host->now_ms);
}

static void run_all(void)
{
    for (size_t i = 0; i < LOOPS; i++) {
        host->loop = loops[i];
        host_run(host);
    }
}

static void open_guest(struct guest *guest, size_t loop)
{
    static const char *const rooms[] = {"r"};
    ws_connect_options options;
    char user[16];

    client_free(&guest->client);
    guest->user = pick(n_users);
    guest->loop = loop;
    guest->is_inside = pick(4) != 0;
    guest->client = (struct client){.host = host, .name = "guest"};
    client_options(&guest->client, &options);
    snprintf(user, sizeof user, "u%u", guest->user);
    options.user_id = user;
    options.rooms = rooms;
    options.n_rooms = guest->is_inside;
    ck_assert_int_eq(
        ws_manager_connect(host->manager, loops[loop], &options, &guest->client.id), WS_OK);
    guest->is_open = true;
}

static void close_guest(struct guest *guest)
{
    if (guest->is_open)
        client_lose(&guest->client);
    guest->is_open = guest->is_inside = false;
}

/* Something that a guest of a loop does, which runs then. */
static void act(struct guest *guest)
{
    if (!guest->is_open) {
        open_guest(guest, guest->loop);
        return;
    }
    switch (pick(3)) {
    case 0:
        close_guest(guest);
        break;
    case 1:
        ck_assert_int_eq(ws_manager_join_room(host->manager, guest->client.id, "r"), WS_OK);
        guest->is_inside = true;
        break;
    default:
        ck_assert_int_eq(ws_manager_leave_room(host->manager, guest->client.id, "r"), WS_OK);
        guest->is_inside = false;
    }
}

static void act_on_a_loop(void)
{
    size_t loop = pick(LOOPS);

    for (int i = 0; i < ACTIONS; i++) {
        struct guest *guest = &guests[pick(CLIENTS)];

        if (guest->loop == loop)
            act(guest);
    }
    run(loop);
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

/* --- the host -------------------------------------------------------------------------------- */

static void begin(bool has_cluster, uint32_t max_members)
{
    n_users = USERS;
    host_init(host);
    host_without_callbacks(host);
    host->options.presence_events = WS_PRESENCE_EVERYONE;
    host->options.max_presence_deliveries = 1;
    host->options.presence_grace_ms = 0;
    host->options.max_presence_members = max_members;
    host->options.max_presence_list = 10;
    host->options.authorize_presence = allow;
    ck_assert_int_eq(ws_manager_new(&host->options, &host->manager), WS_OK);
    if (has_cluster)
        ck_assert_int_eq(ws_manager_set_cluster(host->manager, &stream_carrier, &process),
                         WS_OK);
    for (size_t i = 0; i < LOOPS; i++)
        ck_assert_int_eq(ws_loop_new(host->manager, NULL, host->now_ms, &loops[i]), WS_OK);
    host->loop = loops[0];
    if (has_cluster)
        process_start(&process, 0);
    for (size_t i = 0; i < CLIENTS; i++)
        open_guest(&guests[i], i % LOOPS);
    run_all();
}

static void end(void)
{
    between = NULL;
    for (size_t i = 0; i < CLIENTS; i++)
        close_guest(&guests[i]);
    run_all();
    for (size_t i = 1; i < LOOPS; i++)
        ws_loop_free(loops[i]);
    host->loop = loops[0];
    host_close(host);
    for (size_t i = 0; i < CLIENTS; i++) {
        client_free(&guests[i].client);
        guests[i] = (struct guest){.is_open = false};
    }
    stream_reset();
}

/* --- what is counted ------------------------------------------------------------------------- */

static uint32_t counted(const char *room, unsigned user)
{
    const struct presence *presence = host->manager->presence;
    const struct presence_room *found = presence_find_room(presence, room);
    const struct presence_member *member = NULL;
    char name[16];

    snprintf(name, sizeof name, "u%u", user);
    if (found != NULL)
        member = presence_find_member(presence, found, name);
    return member != NULL ? member->n_connections : 0;
}

/* All connections are counted; or none, or in a room that is followed none of some users. */
static void check(const char *room, bool is_listed, bool is_followed)
{
    static uint32_t there[USERS];

    memset(there, 0, sizeof there);
    for (size_t i = 0; i < CLIENTS; i++)
        there[guests[i].user] +=
            *room != '\0' ? guests[i].is_open && guests[i].is_inside : guests[i].is_open;
    for (unsigned user = 0; user < USERS; user++) {
        uint32_t found = counted(room, user);

        if (is_listed || (is_followed && found > 0))
            ck_assert_uint_eq(found, there[user]);
        else
            ck_assert_uint_eq(found, 0);
    }
}

static int enable(const char *room)
{
    return ws_manager_enable_presence(host->manager, *room != '\0' ? room : NULL);
}

/* Users leave until a limit has room for the others. */
static void make_room(void)
{
    n_users = LIMIT / 2;
    for (size_t i = 0; i < CLIENTS; i++)
        if (guests[i].user >= n_users)
            close_guest(&guests[i]);
    run_all();
}

static void play(unsigned seed, const char *room, bool has_cluster, uint32_t max_members)
{
    bool is_followed = has_cluster && *room == '\0';
    int result;

    random_state = seed;
    begin(has_cluster, max_members);
    between = act_on_a_loop;
    result = enable(room);
    between = NULL;
    run_all();
    ck_assert_int_eq(result, max_members > 0 ? WS_ERR_LIMIT : WS_OK);
    check(room, result == WS_OK, is_followed);
    if (result != WS_OK) {
        make_room();
        between = act_on_a_loop;
        result = enable(room);
        between = NULL;
        run_all();
        check(room, result == WS_OK, is_followed);
    }
    for (int i = 0; i < 100; i++)
        act_on_a_loop();
    run_all();
    check(room, result == WS_OK, is_followed);
    end();
}

START_TEST(the_members_of_a_room)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++)
        play(seed, "r", seed % 2 == 0, 0);
}
END_TEST

START_TEST(everyone)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++)
        play(seed, PRESENCE_SERVICE, seed % 2 == 0, 0);
}
END_TEST

START_TEST(too_many)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++)
        play(seed, seed % 2 == 0 ? "r" : PRESENCE_SERVICE, seed % 3 == 0, LIMIT);
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    begin(false, 0);
    for (long n = 0; n < 2000; n += 37) {
        int result;

        between = act_on_a_loop;
        test_memory_fail(&host->memory, n, false);
        is_between = true; /* nobody does anything for which memory could run out */
        result = enable("r");
        is_between = false;
        test_memory_fail(&host->memory, NEVER_FAIL, false);
        between = NULL;
        check("r", result == WS_OK, false);
        if (result == WS_OK)
            break;
    }
    check("r", true, false);
    end();
}
END_TEST

static const struct client *first_pong;

static void note_pong(struct client *client, const char *message)
{
    if (first_pong == NULL && strstr(message, "\"pong\"") != NULL)
        first_pong = client;
}

/* Others on its loop have their turns before it goes on. */
START_TEST(a_client_that_asks_is_charged)
{
    struct client *asking = &guests[0].client;
    struct client *other = &guests[LOOPS].client;

    random_state = 1;
    first_pong = NULL;
    begin(false, 0);
    asking->on_send = other->on_send = note_pong;
    client_say(asking, "{\"type\":\"presence\",\"room\":\"r\"}");
    client_say(asking, "{\"type\":\"ping\"}");
    client_say(other, "{\"type\":\"ping\"}");
    run_all();
    ck_assert_ptr_eq(first_pong, other);
    end();
}
END_TEST

/* --- the lock -------------------------------------------------------------------------------- */

START_TEST(the_lock_is_given_back_in_between)
{
    random_state = 1;
    begin(false, 0);
    n_holds = 0;
    ck_assert_int_eq(enable("r"), WS_OK);
    ck_assert_uint_ge(n_holds, CLIENTS / 2 / AT_ONCE);
    n_holds = 0;
    ck_assert_int_eq(enable(PRESENCE_SERVICE), WS_OK);
    ck_assert_uint_ge(n_holds, CLIENTS / AT_ONCE);
    end();
}
END_TEST

/* How often the lock is taken when another process says that it needs a room. */
static size_t holds_for(const char *room)
{
    static uint64_t number;
    char command[128];
    ws_cluster_event event = {
        .size = sizeof event, .scope = WS_SCOPE_PROCESSES, .text = command};

    event.length = (size_t)snprintf(command, sizeof command,
                                    "{\"order\":\"presence_wanted\",\"process\":\"ccccbbbb22\","
                                    "\"number\":%d,\"generation\":1,\"rooms\":[\"%s\"]}",
                                    (int)++number, room);
    ck_assert_int_eq(stream_carrier.publish(&event, NULL, &process), WS_OK);
    n_holds = 0;
    process_read_all(&process);
    return n_holds;
}

START_TEST(another_process_needs_the_members)
{
    size_t for_nobody;

    random_state = 1;
    begin(true, 0);
    ck_assert_int_eq(enable("r"), WS_OK);
    process_read_all(&process);
    for_nobody = holds_for("empty");
    ck_assert_uint_gt(holds_for("r"), for_nobody);
    end();
}
END_TEST

/* How often the lock is taken when another process tells of users. */
static size_t holds_for_users(int n)
{
    static char command[16384];
    static uint64_t number;
    size_t length = (size_t)snprintf(command, sizeof command,
                                     "{\"order\":\"presence\",\"process\":\"ccccbbbb22\","
                                     "\"number\":%d,\"generation\":1,\"members\":[",
                                     (int)++number);
    ws_cluster_event event = {
        .size = sizeof event, .scope = WS_SCOPE_PROCESSES, .text = command};

    for (int i = 0; i < n; i++)
        length += (size_t)snprintf(command + length, sizeof command - length,
                                   "%s{\"room\":\"r\",\"user\":\"other%d\",\"n\":1}",
                                   i > 0 ? "," : "", i);
    event.length = length + (size_t)snprintf(command + length, sizeof command - length, "]}");
    ck_assert_int_eq(stream_carrier.publish(&event, NULL, &process), WS_OK);
    n_holds = 0;
    process_read_all(&process);
    return n_holds;
}

START_TEST(another_process_has_many_users)
{
    size_t for_one;

    random_state = 1;
    begin(true, 0);
    ck_assert_int_eq(enable("r"), WS_OK);
    process_read_all(&process);
    for_one = holds_for_users(1);
    ck_assert_uint_ge(holds_for_users(300), for_one + 4);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_members_of_a_room,
        everyone,
        too_many,
        any_allocation_may_fail,
        a_client_that_asks_is_charged,
        the_lock_is_given_back_in_between,
        another_process_needs_the_members,
        another_process_has_many_users,
        NULL,
    };

    return suite_run("presence_steps", tests);
}
