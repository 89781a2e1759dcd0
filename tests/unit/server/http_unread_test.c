/* http_unread_test.c: which connections count as not reading their answers, in which order,
 * and which give way. */
#include "server/connection/http_unread.h"

#include <fcntl.h>
#include <stdlib.h>

#include "server/connection/connection.h"
#include "support/suite.h"

enum { N_CONNECTIONS = 3 };

static struct loop *loop;
static struct connection connections[N_CONNECTIONS];
static struct http_exchange exchanges[N_CONNECTIONS];

static void set_up(void)
{
    loop = calloc(1, sizeof *loop);
    ck_assert_ptr_nonnull(loop);
    for (size_t i = 0; i < N_CONNECTIONS; i++) {
        exchanges[i] = (struct http_exchange){.file = -1};
        connections[i] = (struct connection){.loop = loop, .http = &exchanges[i]};
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < N_CONNECTIONS; i++) {
        http_unread_forget(&connections[i]);
        byte_buffer_free(&exchanges[i].out);
        byte_buffer_free(&exchanges[i].held);
    }
    ck_assert_ptr_null(loop->blocked.first);
    ck_assert_uint_eq(loop->blocked.bytes, 0);
    free(loop);
}

static void expect_order(size_t first, size_t second, size_t third)
{
    const size_t places[N_CONNECTIONS] = {first, second, third};
    const struct connection *connection = loop->blocked.first;

    for (size_t i = 0; i < N_CONNECTIONS; i++) {
        ck_assert_ptr_eq(connection, &connections[places[i]]);
        connection = connection->http->unread.next;
    }
    ck_assert_ptr_null(connection);
}

START_TEST(the_one_that_has_not_read_for_longest_is_first)
{
    set_up();
    for (size_t i = 0; i < N_CONNECTIONS; i++)
        http_unread_note(&connections[i], true);
    expect_order(0, 1, 2);
    http_unread_note(&connections[0], true);
    http_unread_count(&connections[1], 0);
    expect_order(0, 1, 2);
    http_unread_count(&connections[0], 1);
    expect_order(1, 2, 0);
    http_unread_count(&connections[2], 1);
    expect_order(1, 0, 2);
    tear_down();
}
END_TEST

START_TEST(only_what_is_left_counts)
{
    struct byte_buffer *out = &exchanges[0].out;
    struct byte_buffer *held = &exchanges[0].held;

    set_up();
    ck_assert(byte_buffer_append(out, "abc", 3));
    ck_assert(byte_buffer_append(held, "def", 3));
    http_unread_note(&connections[0], true);
    ck_assert_uint_eq(loop->blocked.bytes, out->capacity + held->capacity);
    byte_buffer_consume(out, 3);
    http_unread_note(&connections[0], true);
    ck_assert_uint_eq(loop->blocked.bytes, held->capacity);
    byte_buffer_consume(held, 3);
    http_unread_note(&connections[0], false);
    ck_assert_uint_eq(loop->blocked.bytes, 0);
    tear_down();
}
END_TEST

static struct connection *open_blocked(void)
{
    struct connection *connection = calloc(1, sizeof *connection);

    ck_assert_ptr_nonnull(connection);
    connection->loop = loop;
    connection->http = calloc(1, sizeof *connection->http);
    ck_assert_ptr_nonnull(connection->http);
    connection->http->file = -1;
    connection->stream.fd = open("/dev/null", O_RDONLY);
    connection_link(connection);
    http_unread_note(connection, true);
    return connection;
}

/* So the loop can do something else in between. */
START_TEST(one_gives_way_at_a_time)
{
    struct connection *clients[N_CONNECTIONS];
    struct ws_server *server = calloc(1, sizeof *server);

    set_up();
    ck_assert_ptr_nonnull(server);
    loop->server = server;
    for (size_t i = 0; i < N_CONNECTIONS; i++)
        clients[i] = open_blocked();
    ck_assert(!http_unread_limit(loop));
    loop->blocked.bytes = HTTP_UNREAD_BYTES + 1;
    for (size_t i = 0; i < N_CONNECTIONS; i++) {
        ck_assert(http_unread_limit(loop));
        for (size_t k = 0; k < N_CONNECTIONS; k++)
            ck_assert_int_eq(clients[k]->phase == PHASE_DEAD, k <= i);
    }
    ck_assert(!http_unread_limit(loop)); /* there is none left */
    loop->blocked.bytes = 0;
    for (size_t i = 0; i < N_CONNECTIONS; i++)
        free(clients[i]);
    free(server);
    tear_down();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_one_that_has_not_read_for_longest_is_first,
        only_what_is_left_counts,
        one_gives_way_at_a_time,
        NULL,
    };

    return suite_run("http_unread", tests);
}
