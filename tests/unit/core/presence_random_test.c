/* presence_random_test.c: what each watcher of a room believes, by its list and the changes
 * after it, is what is, while users come and go at random on several loops. Not here: single
 * cases (presence_list_test.c). For one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/belief.h"
#include "support/host.h"
#include "support/suite.h"

enum { LOOPS = 3, CLIENTS = 16, STEPS = 300, ROUNDS = 40 };

struct watcher {
    struct client client;
    struct belief belief;
    size_t loop;
    bool is_open;
    bool is_watching;
};

static struct host host;
static ws_loop *loops[LOOPS];
static struct watcher watchers[CLIENTS];
static unsigned random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
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

/* --- what happens ---------------------------------------------------------------------------- */

static void read_messages(struct watcher *watcher)
{
    const char *text;

    while ((text = client_next(&watcher->client)) != NULL) {
        if (strstr(text, "\"room_left\"") != NULL)
            watcher->is_watching = false;
        if (strstr(text, "{\"type\":\"presence") == NULL)
            continue;
        if (strstr(text, "\"ref\"") != NULL) { /* the answer to a question */
            if (watcher->is_watching)
                belief_take(&watcher->belief, text);
            continue;
        }
        if (strstr(text, "\"presence_changed\"") == NULL)
            watcher->is_watching = true;
        ck_assert(watcher->is_watching);
        belief_take(&watcher->belief, text);
    }
}

static void run(size_t loop)
{
    host.loop = loops[loop];
    host_run(&host);
}

static void pass(uint64_t ms)
{
    for (uint64_t until = host.now_ms + ms; host.now_ms < until;) {
        host.now_ms += 50;
        for (size_t i = 0; i < LOOPS; i++)
            run(i);
    }
}

static void open_client(struct watcher *watcher)
{
    char user[16];

    snprintf(user, sizeof user, "u%u", pick(BELIEF_USERS));
    client_free(&watcher->client);
    watcher->loop = pick(LOOPS);
    host.loop = loops[watcher->loop];
    watcher->is_open =
        client_try(&host, &watcher->client, "w", user, WS_PROTOCOL_JSON) == WS_OK;
    watcher->is_watching = false;
}

static void act(struct watcher *watcher)
{
    char text[96];

    if (!watcher->is_open || watcher->client.n_closes > 0) {
        open_client(watcher);
        return;
    }
    switch (pick(10)) {
    case 8:
    case 9:
        client_say(&watcher->client, "{\"type\":\"presence\",\"room\":\"r\",\"ref\":1}");
        break;
    case 0:
        client_lose(&watcher->client);
        watcher->is_open = false;
        break;
    case 1:
        client_say(&watcher->client, "{\"type\":\"leave_room\",\"room\":\"r\"}");
        break;
    case 2:
        client_say(&watcher->client, "{\"type\":\"join_room\",\"room\":\"r\"}");
        break;
    case 3:
        snprintf(text, sizeof text, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":%u}",
                 pick(9));
        client_say(&watcher->client, text);
        break;
    case 4:
        run(watcher->loop);
        ws_manager_leave_room(host.manager, watcher->client.id, "r");
        run(watcher->loop);
        read_messages(watcher);
        watcher->is_watching = false; /* it learns nothing of that */
        break;
    default:
        client_say(&watcher->client,
                   "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
        break;
    }
}

static void random_step(void)
{
    act(&watchers[pick(CLIENTS)]);
    if (pick(3) == 0)
        run(pick(LOOPS));
    if (pick(20) == 0)
        pass(UINT64_C(50) * pick(10));
}

static void check_all(void)
{
    struct belief truth = {0};
    char *text;

    ck_assert_int_eq(ws_manager_get_presence(host.manager, "r", &text, NULL), WS_OK);
    belief_take(&truth, text);
    ws_manager_free_text(host.manager, text);
    for (size_t i = 0; i < CLIENTS; i++) {
        struct watcher *watcher = &watchers[i];

        if (!watcher->is_open || watcher->client.n_closes > 0)
            continue;
        read_messages(watcher);
        if (watcher->is_watching && ws_manager_is_member(host.manager, watcher->client.id, "r"))
            ck_assert(belief_is(&watcher->belief, &truth));
    }
}

static void play(unsigned seed, uint32_t max_list)
{
    random_state = seed;
    host_init(&host);
    host_without_callbacks(&host);
    host.options.authorize_presence = allow;
    host.options.presence_grace_ms = 300;
    host.options.presence_batch_ms = 100;
    host.options.max_presence_list = max_list;
    host_start(&host);
    loops[0] = host.loop;
    for (size_t i = 1; i < LOOPS; i++)
        ck_assert_int_eq(ws_loop_new(host.manager, NULL, host.now_ms, &loops[i]), WS_OK);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < STEPS; i++)
            random_step();
        pass(2000);
        check_all();
    }
    for (size_t i = 1; i < LOOPS; i++)
        ws_loop_free(loops[i]);
    host.loop = loops[0];
    host_close(&host);
    for (size_t i = 0; i < CLIENTS; i++) {
        client_free(&watchers[i].client);
        watchers[i] = (struct watcher){.is_open = false};
    }
}

START_TEST(each_watcher_has_the_right_members)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++)
        play(seed, 1000);
}
END_TEST

/* The room is bigger than the limit now and then. */
START_TEST(each_watcher_of_a_big_room_knows_how_many_are_there)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++)
        play(seed, 5);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_watcher_has_the_right_members,
        each_watcher_of_a_big_room_knows_how_many_are_there,
        NULL,
    };

    return suite_run("presence_random", tests);
}
