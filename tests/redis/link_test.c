/* link_test.c: how long one connection waits for replies while a large request leaves slowly,
 * on a clock of the test. Not here: whole sessions on slow lines (impostor_test.c). */
#include "cluster/redis/link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ws_manager/redis.h>

#include "support/suite.h"

enum { TIMEOUT_MS = 1000, BYTES = 200000, STEP = 32768, MAX_REPLY = 1 << 20 };

static struct link slow;
static int events; /* that the link waits for */

static void watch(int fd, int wanted, void *user_data)
{
    (void)fd;
    (void)user_data;
    events = wanted;
}

/* It takes little that nobody reads. */
static int listen_narrowly(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int few = 4096;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &few, sizeof few), 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static int connect_link(void)
{
    static struct uri uri = {.timeout_ms = TIMEOUT_MS};
    struct place place = {.host = "127.0.0.1"};
    int listener = listen_narrowly(&place.port);
    int many = BYTES;
    int peer;

    link_init(&slow, watch, NULL, NULL, MAX_REPLY);
    ck_assert(link_open(&slow, &uri, &place, place.host));
    ck_assert_int_eq(setsockopt(slow.fd, SOL_SOCKET, SO_SNDBUF, &many, sizeof many), 0);
    peer = accept(listener, NULL, NULL);
    ck_assert_int_ge(peer, 0);
    close(listener);
    return peer;
}

static void send_two(void)
{
    static char large[BYTES];
    static struct command command;

    command.count = 0;
    command_add_text(&command, "PING");
    ck_assert(link_send(&slow, REQUEST_HEARTBEAT, &command, 0));
    command.count = 0;
    command_add(&command, large, sizeof large);
    ck_assert(link_send(&slow, REQUEST_APPEND, &command, 0));
    link_may_take_long(&slow);
    do {
        struct pollfd polled = {.fd = slow.fd, .events = POLLOUT};

        ck_assert_int_eq(poll(&polled, 1, -1), 1);
        link_ready(&slow, WS_REDIS_WRITE);
        ck_assert_ptr_nonnull(slow.context);
    } while ((events & WS_REDIS_WRITE) != 0);
}

static void take_one_reply(int peer)
{
    struct pollfd polled = {.fd = slow.fd, .events = POLLIN};
    enum request_kind kind;
    redisReply *reply;

    ck_assert_int_eq(send(peer, "+PONG\r\n", 7, MSG_NOSIGNAL), 7);
    ck_assert_int_eq(poll(&polled, 1, -1), 1);
    link_ready(&slow, WS_REDIS_READ);
    reply = link_take_reply(&slow, &kind);
    ck_assert_ptr_nonnull(reply);
    freeReplyObject(reply);
}

/* The system has taken the whole request before the reply to the one before it came. */
START_TEST(a_request_in_the_buffer_of_the_system_is_on_its_way)
{
    static char bytes[STEP];
    int peer = connect_link();
    uint64_t now_ms = 0;

    send_two();
    take_one_reply(peer);
    ck_assert(link_check(&slow, now_ms));
    for (int i = 0; i < BYTES / STEP - 1; i++) {
        ck_assert_int_eq(recv(peer, bytes, STEP, MSG_WAITALL), STEP);
        now_ms += TIMEOUT_MS;
        ck_assert(link_check(&slow, now_ms));
    }
    ck_assert(!link_check(&slow, now_ms + TIMEOUT_MS)); /* nothing moves any more */
    link_close(&slow);
    close(peer);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_request_in_the_buffer_of_the_system_is_on_its_way, NULL};

    return suite_run("redis-link", tests);
}
