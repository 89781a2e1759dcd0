/* http_unread_test.c: which connections count as not reading their answers, and in which order. */
#include "server/connection/http_unread.h"

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
        exchanges[i] = (struct http_exchange){0};
        connections[i] = (struct connection){.loop = loop, .http = &exchanges[i], .file = -1};
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < N_CONNECTIONS; i++) {
        http_unread_forget(&connections[i]);
        byte_buffer_free(&connections[i].out);
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
    struct byte_buffer *out = &connections[0].out;
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

int main(void)
{
    const TTest *const tests[] = {
        the_one_that_has_not_read_for_longest_is_first,
        only_what_is_left_counts,
        NULL,
    };

    return suite_run("http_unread", tests);
}
