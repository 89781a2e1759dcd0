/* stream_test.c: what is read from a client's socket only to be thrown away. */
#include "server/parts/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/suite.h"

static int client;
static struct stream stream;

static void connect_over_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length), 0);
    stream = (struct stream){.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)};
    ck_assert_int_ge(stream.fd, 0);
    close(listener);
}

static void disconnect(void)
{
    close(client);
    close(stream.fd);
}

static void await_input(void)
{
    struct pollfd input = {.fd = stream.fd, .events = POLLIN};

    ck_assert_int_eq(poll(&input, 1, 60000), 1);
}

START_TEST(discarded_bytes_are_not_copied)
{
    static const char zeros[100];
    char bytes[100] = "";

    connect_over_tcp();
    ck_assert_int_eq(write(client, "abcdef", 6), 6);
    await_input();
    ck_assert_int_eq(stream_discard(&stream, bytes, 4), 4);
    ck_assert_mem_eq(bytes, zeros, sizeof bytes);
    ck_assert_int_eq(stream_read(&stream, bytes, sizeof bytes), 2);
    ck_assert_mem_eq(bytes, "ef", 2);
    disconnect();
}
END_TEST

START_TEST(the_end_is_seen)
{
    char bytes[100];

    connect_over_tcp();
    ck_assert_int_eq(stream_discard(&stream, bytes, sizeof bytes), -1);
    ck_assert_int_eq(errno, EAGAIN);
    shutdown(client, SHUT_WR);
    await_input();
    ck_assert_int_eq(stream_discard(&stream, bytes, sizeof bytes), 0);
    disconnect();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        discarded_bytes_are_not_copied,
        the_end_is_seen,
        NULL,
    };

    return suite_run("stream", tests);
}
