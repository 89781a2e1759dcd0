/* stop_test.c: what a server leaves to the process and to those who come after it. That its clients
 * receive what is queued for them is in server_test.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/suite.h"
#include "support/threads.h"

#include "running_server.h"

static char folder[sizeof "/tmp/server-stop-XXXXXX"];
static char path[64];
static char address[80];

static void listen_at_unix(void)
{
    strcpy(folder, "/tmp/server-stop-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    options.listen = address;
}

/* --- SIGPIPE ------------------------------------------------------------------------- */

enum { FILE_BYTES = 8 * 1024 * 1024 };

/* All by one thread: the client is gone after epoll has reported that its socket may be written
 * to. */
static struct {
    int client;
    int pipe[2];
    int n_unread; /* bytes, at the end of a turn */
    bool is_answered;
    bool is_gone;
} leaving;

static void answer_with_file(ws_server_request *request, void *user_data)
{
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    response.file = memfd_create("answer", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(response.file, FILE_BYTES), 0);
    response.file_length = FILE_BYTES;
    ck_assert_int_eq(ws_server_answer(request, &response), WS_OK);
    leaving.is_answered = true;
}

/* When the socket takes no more: the pipe is ready first, so that it is reported before the
 * socket. */
static uint64_t let_it_write(uint32_t thread, uint64_t now_ms, void *user_data)
{
    int n_unread = 0;

    (void)now_ms;
    (void)user_data;
    if (!leaving.is_gone)
        ck_assert_int_eq(ioctl(leaving.client, FIONREAD, &n_unread), 0);
    if (leaving.is_gone) {
        ws_server_drain(server);
    } else if (leaving.is_answered && n_unread == leaving.n_unread) {
        ck_assert_int_eq(write(leaving.pipe[1], "x", 1), 1);
        while (recv(leaving.client, answer, sizeof answer, MSG_DONTWAIT) > 0)
            continue;
    } else {
        leaving.n_unread = n_unread;
        ws_server_wake(server, thread);
    }
    return WS_NO_DEADLINE;
}

static void leave(void *user_data)
{
    char byte;

    (void)user_data;
    ck_assert_int_eq(read(leaving.pipe[0], &byte, 1), 1);
    close(leaving.client);
    leaving.is_gone = true;
}

START_TEST(a_client_that_is_gone_raises_no_signal)
{
    sigset_t mask;

    listen_at_unix();
    ck_assert_int_eq(pipe(leaving.pipe), 0);
    options.threads = 1;
    options.caller_runs = 1;
    options.fd = leaving.pipe[0];
    options.on_request = answer_with_file;
    options.run_timers = let_it_write;
    options.on_fd = leave;
    start();
    leaving.client = connect_unix(path);
    send_text(leaving.client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ws_server_run(server);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    ck_assert_int_eq(sigismember(&mask, SIGPIPE), 0);
    end();
    close(leaving.pipe[0]);
    close(leaving.pipe[1]);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* --- the listener -------------------------------------------------------------------- */

START_TEST(a_server_that_stops_does_not_listen)
{
    struct sockaddr_un unix_path;
    int websocket;
    int late;

    listen_at_unix();
    start();
    websocket = connect_unix(path);
    send_text(websocket, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    receive_until(websocket, "welcome");
    ws_server_drain(server);
    receive_until(websocket, "the server restarts");
    unix_path = unix_address(path);
    late = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_ne(connect(late, (struct sockaddr *)&unix_path, sizeof unix_path), 0);
    ck_assert_int_eq(errno, ENOENT);
    close(late);
    close(websocket);
    end();
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* --- fork() --------------------------------------------------------------------------- */

static unsigned n_lines;

static void count_errors(int level, const char *line, void *user_data)
{
    (void)line;
    (void)user_data;
    n_lines += level == WS_LOG_ERROR;
}

START_TEST(a_child_does_not_stop_the_server_of_its_parent)
{
    pid_t child;
    int status;

    listen_at_unix();
    options.log = count_errors;
    start();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        ws_server_drain(server);
        ws_server_stop(server);
        ws_server_free(server);
        _exit(n_lines == 3 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(begins(ask_at(connect_unix(path), "GET /", ""), "HTTP/1.1 404 "));
    end();
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_client_that_is_gone_raises_no_signal,
        a_server_that_stops_does_not_listen,
        a_child_does_not_stop_the_server_of_its_parent,
        NULL,
    };

    Suite *suite = suite_create("server-stop");
    TCase *test_case = tcase_create("server-stop");

    tcase_add_checked_fixture(test_case, running_server_set_up, NULL);
    for (size_t i = 0; tests[i] != NULL; i++)
        tcase_add_test(test_case, tests[i]);
    suite_add_tcase(suite, test_case);
    return suite_run_all(suite);
}
