/* threads_test.c: two loops, each on a thread of its own, and clients whose requests arrive now
 * on one of them and now on the other: nothing is lost or reordered, and ThreadSanitizer sees
 * it. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include <ws_manager/ws_manager.h>

#include "support/threads.h"

enum { N_LOOPS = 2, N_CLIENTS = 4, N_MESSAGES = 40 };

/* A request that a client's thread hands to a loop's, and its response. */
struct job {
    struct job *next;
    const char *method;
    const char *target;
    const char *body;
    bool is_given_up; /* the client breaks its connection off at once */
    ws_http *http;
    char response[8192];
    size_t length;
    bool is_done;
};

struct worker {
    ws_loop *loop;
    int event;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct job *jobs; /* under the lock */
    _Atomic bool stops;
};

static ws_manager *manager;
static ws_endpoint *endpoint;
static struct worker workers[N_LOOPS];

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void wake(void *user_data)
{
    const struct worker *worker = user_data;
    uint64_t one = 1;

    ck_assert_int_eq(write(worker->event, &one, sizeof one), sizeof one);
}

static void echo(ws_manager *of, const ws_connection_info *connection, const void *data,
                 size_t length, int is_text, void *user_data)
{
    (void)is_text;
    (void)user_data;
    ws_manager_send_text(of, connection->id, data, length);
}

/* --- a loop's thread ------------------------------------------------------------------------- */

static void finish(struct worker *worker, struct job *job)
{
    ws_http_free(job->http);
    pthread_mutex_lock(&worker->lock);
    job->is_done = true;
    pthread_cond_broadcast(&worker->done);
    pthread_mutex_unlock(&worker->lock);
}

static void begin(struct worker *worker, struct job *job)
{
    static const ws_header host = {"Host", "localhost"};
    ws_http_request request;

    ws_http_request_init(&request);
    request.method = job->method;
    request.target = job->target;
    request.headers = &host;
    request.n_headers = 1;
    ck_assert_int_eq(ws_http_new(worker->loop, endpoint, job, &request, &job->http), WS_OK);
    if (job->body != NULL)
        ws_http_receive(job->http, job->body, strlen(job->body));
    ws_http_end(job->http);
    if (job->is_given_up)
        finish(worker, job);
}

static void begin_all(struct worker *worker)
{
    struct job *jobs;

    pthread_mutex_lock(&worker->lock);
    jobs = worker->jobs;
    worker->jobs = NULL;
    pthread_mutex_unlock(&worker->lock);
    while (jobs != NULL) {
        struct job *next = jobs->next;

        begin(worker, jobs);
        jobs = next;
    }
}

static void write_response(struct worker *worker, ws_http *http)
{
    struct job *job = ws_http_user_data(http);
    struct iovec pieces[8];
    int count;

    while ((count = ws_http_output(http, pieces, 8)) > 0) {
        size_t n = 0;

        for (int i = 0; i < count; i++) {
            ck_assert_uint_lt(job->length + pieces[i].iov_len, sizeof job->response);
            memcpy(job->response + job->length, pieces[i].iov_base, pieces[i].iov_len);
            job->length += pieces[i].iov_len;
            n += pieces[i].iov_len;
        }
        ws_http_sent(http, n);
    }
    if (ws_http_ended(http))
        finish(worker, job);
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    while (!atomic_load(&worker->stops)) {
        struct pollfd event = {.fd = worker->event, .events = POLLIN};
        uint64_t deadline_ms;
        uint64_t count;
        ws_http *http;

        begin_all(worker);
        deadline_ms = ws_loop_run(worker->loop, now_ms());
        while ((http = ws_loop_next_http(worker->loop)) != NULL)
            write_response(worker, http);
        if (deadline_ms > now_ms())
            poll(&event, 1, 100);
        if (event.revents != 0)
            ck_assert_int_eq(read(worker->event, &count, sizeof count), sizeof count);
    }
    return NULL;
}

/* --- a client's thread ----------------------------------------------------------------------- */

static const char *request(int loop, struct job *job)
{
    struct worker *worker = &workers[loop];
    const char *body;

    pthread_mutex_lock(&worker->lock);
    job->next = worker->jobs;
    worker->jobs = job;
    pthread_mutex_unlock(&worker->lock);
    wake(worker);
    pthread_mutex_lock(&worker->lock);
    while (!job->is_done)
        pthread_cond_wait(&worker->done, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
    job->response[job->length] = '\0';
    body = strstr(job->response, "\r\n\r\n");
    return body != NULL ? body + 4 : "";
}

/* Polls on this loop and the other in turn until the message has come; each poll brings the next
 * ones, in order. */
static void await_message(const char *target, int number, int *loop)
{
    char expected[16];

    snprintf(expected, sizeof expected, "4%d", number);
    for (;;) {
        struct job poll = {.method = "GET", .target = target};
        const char *packets = request(*loop, &poll);

        *loop = !*loop;
        if (strcmp(packets, "2") == 0)
            continue;
        ck_assert_str_eq(packets, expected);
        return;
    }
}

static void *live(void *argument)
{
    int first = (int)(intptr_t)argument % N_LOOPS;
    struct job open = {.method = "GET", .target = "/?EIO=4&transport=polling"};
    struct job given_up = {.method = "GET", .is_given_up = true};
    char target[160];
    char sid[100];
    int loop = !first;

    ck_assert_int_eq(sscanf(request(first, &open), "0{\"sid\":\"%99[^\"]\"", sid), 1);
    snprintf(target, sizeof target, "/?EIO=4&transport=polling&sid=%s", sid);
    ck_assert_ptr_eq(ws_manager_session_loop(manager, target), workers[first].loop);
    for (int i = 0; i < N_MESSAGES; i++) {
        struct job post = {.method = "POST", .target = target};
        char body[16];

        snprintf(body, sizeof body, "4%d", i);
        post.body = body;
        ck_assert_str_eq(request(i / 2 % N_LOOPS, &post), "ok");
        await_message(target, i, &loop);
    }
    given_up.target = target;
    request(!first, &given_up);
    for (;;) {
        struct job poll = {.method = "GET", .target = target};

        if (strstr(request(first, &poll), "\"code\"") != NULL)
            return NULL;
    }
}

/* --------------------------------------------------------------------------------------------- */

START_TEST(requests_arrive_on_any_loop)
{
    ws_manager_options manager_options;
    ws_endpoint_options options;
    pthread_t clients[N_CLIENTS];

    ws_manager_options_init(&manager_options);
    manager_options.on_raw = echo;
    manager_options.presence_events = WS_PRESENCE_OFF;
    ck_assert_int_eq(ws_manager_new(&manager_options, &manager), WS_OK);
    ws_endpoint_options_init(&options);
    options.protocol = WS_PROTOCOL_ENGINEIO;
    ck_assert_int_eq(ws_endpoint_new(manager, &options, &endpoint), WS_OK);
    for (int i = 0; i < N_LOOPS; i++) {
        ws_loop_options loop_options;

        ws_loop_options_init(&loop_options);
        loop_options.wake = wake;
        loop_options.user_data = &workers[i];
        workers[i].event = eventfd(0, 0);
        ck_assert_int_ge(workers[i].event, 0);
        pthread_mutex_init(&workers[i].lock, NULL);
        pthread_cond_init(&workers[i].done, NULL);
        ck_assert_int_eq(ws_loop_new(manager, &loop_options, now_ms(), &workers[i].loop),
                         WS_OK);
    }
    for (int i = 0; i < N_LOOPS; i++)
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (intptr_t i = 0; i < N_CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, live, (void *)i), 0);
    for (int i = 0; i < N_CLIENTS; i++)
        pthread_join(clients[i], NULL);
    for (int i = 0; i < N_LOOPS; i++) {
        atomic_store(&workers[i].stops, true);
        wake(&workers[i]);
        pthread_join(workers[i].thread, NULL);
    }
    for (int i = 0; i < N_LOOPS; i++) {
        ws_loop_free(workers[i].loop);
        close(workers[i].event);
        pthread_mutex_destroy(&workers[i].lock);
        pthread_cond_destroy(&workers[i].done);
    }
    ws_endpoint_free(endpoint);
    ws_manager_free(manager);
}
END_TEST

/* --- a request that ends while its session answers it ---------------------------------------- */

static void do_nothing(void *user_data)
{
    (void)user_data;
}

/* A request that is complete. */
static ws_http *make_request(ws_loop *loop, const char *target)
{
    static const ws_header host = {"Host", "localhost"};
    ws_http_request made;
    ws_http *http;

    ws_http_request_init(&made);
    made.method = "GET";
    made.target = target;
    made.headers = &host;
    made.n_headers = 1;
    ck_assert_int_eq(ws_http_new(loop, endpoint, NULL, &made, &http), WS_OK);
    ws_http_end(http);
    return http;
}

/* Reads the id of the session that a request has opened. */
static void read_target(ws_http *http, char target[160])
{
    char text[1024] = "";
    struct iovec pieces[8];
    const char *at;
    int count = ws_http_output(http, pieces, 8);

    for (int i = 0; i < count; i++)
        strncat(text, pieces[i].iov_base, pieces[i].iov_len);
    at = strstr(text, "\"sid\":\"");
    ck_assert_ptr_nonnull(at);
    snprintf(target, 160, "/?EIO=4&transport=polling&sid=%.*s", (int)strcspn(at + 7, "\""),
             at + 7);
}

static ws_conn_id opened;
static _Atomic bool has_answered;

static void note_opened(ws_manager *of, const ws_connection_info *connection, void *user_data)
{
    (void)of;
    (void)user_data;
    opened = connection->id;
}

/* The order is that of time alone: nothing else makes one thread wait for the other. */
static void *answer_poll(void *loop)
{
    ws_loop_run(loop, 0);
    atomic_store_explicit(&has_answered, true, memory_order_relaxed);
    return NULL;
}

START_TEST(a_poll_that_has_expired_is_freed_while_it_is_answered)
{
    ws_manager_options manager_options;
    ws_endpoint_options options;
    ws_loop_options loop_options;
    ws_loop *loops[N_LOOPS];
    ws_http *open;
    ws_http *waiting;
    struct iovec piece;
    pthread_t thread;
    char target[160];

    ws_manager_options_init(&manager_options);
    manager_options.on_connect = note_opened;
    ck_assert_int_eq(ws_manager_new(&manager_options, &manager), WS_OK);
    ws_endpoint_options_init(&options);
    options.protocol = WS_PROTOCOL_ENGINEIO;
    ck_assert_int_eq(ws_endpoint_new(manager, &options, &endpoint), WS_OK);
    ws_loop_options_init(&loop_options);
    loop_options.wake = do_nothing;
    for (int i = 0; i < N_LOOPS; i++)
        ck_assert_int_eq(ws_loop_new(manager, &loop_options, 0, &loops[i]), WS_OK);
    open = make_request(loops[1], "/?EIO=4&transport=polling");
    ws_loop_run(loops[1], 0);
    read_target(open, target);
    ws_http_free(open);
    waiting = make_request(loops[0], target);
    ws_loop_run(loops[0], 0);
    ws_loop_run(loops[0],
                3600000); /* the session's loop, which answers, has not looked at it */
    ck_assert_int_eq(ws_http_output(waiting, &piece, 1), 0);
    ws_manager_send_text(manager, opened, "x", 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, answer_poll, loops[1]), 0);
    while (!atomic_load_explicit(&has_answered, memory_order_relaxed))
        continue;
    ws_http_free(waiting);
    pthread_join(thread, NULL);
    for (int i = 0; i < 2; i++) { /* the session has ended */
        ws_loop_run(loops[0], 3600000);
        ws_loop_run(loops[1], 0);
    }
    ck_assert_int_ne(ws_manager_send_text(manager, opened, "x", 1), WS_OK);
    for (int i = 0; i < N_LOOPS; i++)
        ws_loop_free(loops[i]);
    ws_endpoint_free(endpoint);
    ws_manager_free(manager);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("polling-threads");
    TCase *tests = tcase_create("threads");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, requests_arrive_on_any_loop);
    tcase_add_test(tests, a_poll_that_has_expired_is_freed_while_it_is_answered);
    suite_add_tcase(suite, tests);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
