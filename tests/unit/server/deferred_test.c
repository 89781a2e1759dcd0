/* deferred_test.c: what requests that are answered later cost a server, and what they leave
 * when they are refused. */
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/suite.h"
#include "support/threads.h"

#include "running_server.h"

enum {
    MOST_TICKETS = 512,
    N_BODIES = 16, /* as many as a thread receives at once */
    N_HEADS = 260, /* of 32 KiB in memory: more than may wait */
    HALF_HEAD = 7500,
    HALF_OUT = 32 * 1024 /* of what may be unsent when the next request is served */
};

static struct {
    ws_server_ticket *list[MOST_TICKETS];
    _Atomic size_t count;
} tickets;

static char *large;
static size_t large_length;

/* "/large" is answered, and what begins with "/later" is not; others have no content. */
static void on_request(ws_server_request *request, void *user_data)
{
    const char *path = ws_server_request_path(request);
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    if (begins(path, "/later") &&
        ws_server_defer(request, &tickets.list[tickets.count]) == WS_OK) {
        tickets.count++;
        return;
    }
    if (strcmp(path, "/large") == 0) {
        response.body = large;
        response.length = large_length;
    }
    ws_server_answer(request, &response);
}

static void await_tickets(size_t count)
{
    while (tickets.count < count)
        sched_yield();
}

static void end_all(void)
{
    end();
    for (size_t i = 0; i < tickets.count; i++)
        ws_server_answer_later(tickets.list[i], NULL);
    tickets.count = 0;
}

static void begin(void)
{
    tickets.count = 0;
    options.threads = 1;
    options.stop_timeout_ms = 0;
    options.on_request = on_request;
}

/* --- bodies -------------------------------------------------------------------------- */

static void post(int fd, const char *target, size_t length)
{
    char head[256];
    char *body = calloc(1, length + 1);

    memset(body, 'b', length);
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
             target, length);
    send_text(fd, head);
    send_text(fd, body);
    free(body);
}

START_TEST(a_body_is_not_kept_until_the_answer)
{
    int fds[N_BODIES];
    int last;

    begin();
    start();
    for (size_t i = 0; i < N_BODIES; i++) {
        fds[i] = connect_tcp(ws_server_url(server));
        post(fds[i], "/later", WS_SERVER_BODY_MAX);
        await_tickets(i + 1);
    }
    last = connect_tcp(ws_server_url(server));
    post(last, "/now", WS_SERVER_BODY_MAX);
    ck_assert(begins(receive_until(last, "\r\n\r\n"), "HTTP/1.1 200 "));
    close(last);
    for (size_t i = 0; i < N_BODIES; i++)
        close(fds[i]);
    end_all();
}
END_TEST

/* --- refused ------------------------------------------------------------------------- */

/* How much the socket of a client takes that does not read. */
static size_t socket_room(void)
{
    char *bytes = calloc(1, 1 << 23);
    size_t room = 0;
    ssize_t part;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    while ((part = send(pair[0], bytes, 1 << 23, 0)) > 0)
        room += (size_t)part;
    close(pair[0]);
    close(pair[1]);
    free(bytes);
    return room;
}

/* Receives and drops everything up to a text. */
static void skip_to(int fd, const char *text)
{
    size_t kept = 0; /* the text may come in two parts */
    bool found = false;

    while (!found) {
        ssize_t part = recv(fd, answer + kept, sizeof answer - kept, 0);

        ck_assert_int_gt(part, 0);
        found = memmem(answer, kept + (size_t)part, text, strlen(text)) != NULL;
        kept += (size_t)part;
        if (kept > strlen(text)) {
            memmove(answer, answer + kept - strlen(text), strlen(text));
            kept = strlen(text);
        }
    }
}

static void ask_with_long_head(int fd)
{
    char *request = NULL;
    char filler[HALF_HEAD + 1];

    memset(filler, 'h', HALF_HEAD);
    filler[HALF_HEAD] = '\0';
    ck_assert_int_gt(
        asprintf(&request, "GET /later%s HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n", filler, filler),
        0);
    send_text(fd, request);
    free(request);
}

START_TEST(a_connection_is_served_on_after_a_deferred_request_was_refused)
{
    const struct timeval patience = {.tv_sec = 20};
    char folder[] = "/tmp/server-deferred-XXXXXX";
    char path[64];
    char address[80];
    int fds[N_HEADS];
    int slow;

    begin();
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    options.listen = address;
    large_length = socket_room() + HALF_OUT;
    large = calloc(1, large_length);
    start();
    slow = connect_unix(path);
    setsockopt(slow, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send_text(slow, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    ask_with_long_head(slow);
    await_tickets(1);
    for (size_t i = 0; i < N_HEADS; i++) {
        fds[i] = connect_unix(path);
        ask_with_long_head(fds[i]);
    }
    await_tickets(1 + N_HEADS);
    skip_to(slow, "too many requests at once");
    send_text(slow, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n");
    skip_to(slow, "HTTP/1.1 200 ");
    close(slow);
    for (size_t i = 0; i < N_HEADS; i++)
        close(fds[i]);
    end_all();
    free(large);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_body_is_not_kept_until_the_answer,
        a_connection_is_served_on_after_a_deferred_request_was_refused,
        NULL,
    };

    Suite *suite = suite_create("server-deferred");
    TCase *test_case = tcase_create("server-deferred");

    tcase_add_checked_fixture(test_case, running_server_set_up, NULL);
    for (size_t i = 0; tests[i] != NULL; i++)
        tcase_add_test(test_case, tests[i]);
    suite_add_tcase(suite, test_case);
    return suite_run_all(suite);
}
