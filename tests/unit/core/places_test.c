/* places_test.c: answers that are waited for have places, of which no client and no user takes
 * all. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

enum { N_PLACES_OF_ALL = 32, OF_USER = 4, ANONYMOUS = 16, N_CLIENTS = 40 };

static struct host host;
static struct client clients[N_CLIENTS];
static struct client ann;

static int answer_now(ws_manager *manager, const ws_connection_info *connection,
                      const ws_client_message *message, void *user_data)
{
    (void)connection;
    (void)user_data;
    return ws_manager_answer(manager, message->answer, "1", 1);
}

static int answer_later(ws_manager *manager, const ws_connection_info *connection,
                        const ws_client_message *message, void *user_data)
{
    ws_answer *answer = user_data;

    (void)manager;
    (void)connection;
    *answer = message->answer;
    return WS_DEFERRED;
}

static ws_answer last;

static void begin(void)
{
    host_init(&host);
    host.options.max_waiting_answers = 2;
    host.options.max_waiting_requests = 2;
    host.options.max_waiting = N_PLACES_OF_ALL;
    host.options.answer_timeout_ms = 1000;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    ck_assert_int_eq(ws_manager_register_method(host.manager, "now", answer_now, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_register_method(host.manager, "later", answer_later, &last),
                     WS_OK);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static void say(struct client *client, const char *json)
{
    client_say(client, json);
    host_run(&host);
}

#define LATER "{\"type\":\"request\",\"method\":\"later\",\"ref\":1}"
#define NOW "{\"type\":\"request\",\"method\":\"now\",\"ref\":2}"
#define ANSWERED "{\"type\":\"response\",\"ref\":2,\"data\":1}"

/* How many of the clients get no answer, or error, to a request whose answer comes later. */
static int take_places(const char *user_id)
{
    int n_taken = 0;

    for (int i = 0; i < N_CLIENTS; i++) {
        client_open(&host, &clients[i], "other", user_id);
        say(&clients[i], LATER);
        n_taken += client_count(&clients[i]) == 0;
    }
    return n_taken;
}

static void lose_all(void)
{
    for (int i = 0; i < N_CLIENTS; i++) {
        client_lose(&clients[i]);
        client_free(&clients[i]);
    }
}

/* The others find places, and so does the user whose answers have come. */
static void check_part(const char *user_id, int expected)
{
    begin();
    ck_assert_int_eq(take_places(user_id), expected);
    for (int i = 0; i < N_CLIENTS; i++) {
        say(&clients[i], NOW); /* it needs no place */
        client_expect(&clients[i], ANSWERED, NULL);
    }
    say(&ann, LATER);
    client_expect(&ann, NULL);
    ck_assert_int_eq(ws_manager_answer(host.manager, last, "7", 1), WS_OK);
    host_run(&host);
    client_expect(&ann, "{\"type\":\"response\",\"ref\":1,\"data\":7}", NULL);
    lose_all();
    ck_assert_uint_eq(host.manager->places[PLACE_ANSWER].total, 0);
    ck_assert_uint_eq(host.manager->places[PLACE_ANSWER].anonymous, 0);
    ck_assert_int_eq(take_places(user_id), expected);
    host.now_ms += 1300;
    host_run(&host); /* too late */
    ck_assert_uint_eq(host.manager->places[PLACE_ANSWER].total, 0);
    lose_all();
    end();
}

START_TEST(one_user_takes_a_part)
{
    check_part("bob", OF_USER);
}
END_TEST

START_TEST(clients_without_a_user_take_a_part)
{
    check_part(NULL, ANONYMOUS);
}
END_TEST

/* It is not known before it is carried out that the first one needs a place. */
START_TEST(without_a_place_nothing_is_carried_out_but_the_first)
{
    begin();
    atomic_store(&host.manager->places[PLACE_ANSWER].total, N_PLACES_OF_ALL);
    say(&ann, LATER);
    client_expect(&ann,
                  "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"timeout\",\"message\":"
                  "\"too many messages wait for their answers; this one may have been "
                  "carried out\"}}",
                  NULL);
    ck_assert_uint_ne(last.connection, 0);
    last = (ws_answer){0};
    say(&ann, LATER);
    client_expect(&ann,
                  "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"failed\",\"message\":"
                  "\"too many messages wait for their answers; send it again later\"}}",
                  NULL);
    ck_assert_uint_eq(last.connection, 0);
    say(&ann, NOW);
    client_expect(&ann, ANSWERED, NULL);
    atomic_store(&host.manager->places[PLACE_ANSWER].total, 0);
    say(&ann, LATER);
    ck_assert_uint_ne(last.connection, 0);
    end();
}
END_TEST

static void on_response(ws_manager *manager, ws_conn_id connection, const ws_response *response,
                        void *user_data)
{
    (void)manager;
    (void)connection;
    *(int *)user_data = response->result;
}

START_TEST(requests_to_clients_have_places_of_their_own)
{
    ws_request request;
    int result = 1;

    begin();
    atomic_store(&host.manager->places[PLACE_ANSWER].total, N_PLACES_OF_ALL);
    ws_request_init(&request);
    request.method = "m";
    request.timeout_ms = 1000;
    request.on_response = on_response;
    request.user_data = &result;
    ck_assert_int_eq(ws_manager_request(host.manager, ann.id, &request), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 1);
    ck_assert_uint_eq(host.manager->places[PLACE_RESPONSE].total, 1);
    say(&ann, "{\"type\":\"response\",\"ref\":\"1\",\"data\":1}");
    ck_assert_int_eq(result, WS_OK);
    ck_assert_uint_eq(host.manager->places[PLACE_RESPONSE].total, 0);
    end();
}
END_TEST

/* A child of fork() that does not run the parent's loop has all places for its own; if it does,
 * what waits there counts. */
START_TEST(a_child_counts_what_waits_on_its_loops)
{
    struct places *places;
    pid_t child;
    int status;

    begin();
    places = &host.manager->places[PLACE_ANSWER];
    say(&ann, LATER);
    ck_assert_uint_eq(places->total, 1);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        ws_manager_connection_count(host.manager);
        if (places->total != 0)
            _exit(1);
        host_run(&host);
        if (places->total != 1)
            _exit(2);
        client_lose(&ann);
        _exit(places->total == 0 ? 0 : 3);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    child = fork();
    if (child == 0) {
        client_lose(&ann); /* a copy of the parent's */
        host_run(&host);
        _exit(places->total == 0 ? 0 : 4);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(places->total, 1);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_user_takes_a_part,
        clients_without_a_user_take_a_part,
        without_a_place_nothing_is_carried_out_but_the_first,
        requests_to_clients_have_places_of_their_own,
        a_child_counts_what_waits_on_its_loops,
        NULL,
    };

    return suite_run("places", tests);
}
