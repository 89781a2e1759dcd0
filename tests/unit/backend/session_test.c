/* session_test.c: clients that cannot be disconnected at first: those whose tokens have expired,
 * and others. The library's functions are replaced. */
#include "session.h"

#include <check.h>

#include "disconnects.h"
#include "support/suite.h"

enum { NOW_MS = 5000 };

static int result; /* of the next calls */
static unsigned n_calls;
static ws_conn_id last;

int ws_manager_disconnect(ws_manager *manager, ws_conn_id id, uint16_t code, const char *reason)
{
    (void)manager;
    (void)code;
    (void)reason;
    n_calls++;
    last = id;
    return result;
}

int ws_server_client_close(ws_server_client *client, uint16_t code, const char *reason)
{
    (void)client;
    (void)code;
    (void)reason;
    n_calls++;
    return result;
}

static void expect_calls(unsigned count)
{
    ck_assert_uint_eq(n_calls, count);
    n_calls = 0;
}

static void check_expiry(struct expiry_heap *heap, struct session *session)
{
    static const int failures[] = {WS_ERR_NO_MEMORY, WS_ERR_BACKPRESSURE};
    int64_t now_ms = NOW_MS;

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        result = failures[i];
        ck_assert(session_end_expired(heap, NULL, now_ms));
        ck_assert(!session_end_expired(heap, NULL, now_ms));
        expect_calls(1);
        ck_assert(expiry_is_set(&session->expiry));
        now_ms += DISCONNECTS_AGAIN_MS;
    }
    result = WS_OK;
    ck_assert(session_end_expired(heap, NULL, now_ms));
    ck_assert(!session_end_expired(heap, NULL, now_ms));
    expect_calls(1);
    ck_assert(!expiry_is_set(&session->expiry));
    session_free(session);
    expiry_heap_free(heap);
}

START_TEST(an_expired_token_ends_its_client_later)
{
    const struct token_claims claims = {.expires_ms = NOW_MS};
    struct expiry_heap heap = {0};
    int client;

    check_expiry(&heap, session_new_polled(&heap, 7, NOW_MS, false));
    check_expiry(&heap, session_new(&heap, (ws_server_client *)(void *)&client, &claims));
}
END_TEST

START_TEST(an_order_is_tried_again)
{
    static struct disconnects disconnects;
    const struct disconnect one = {.id = 1}, two = {.id = 2};

    result = WS_ERR_NO_MEMORY;
    ck_assert(!disconnects_order(&disconnects, NULL, &one));
    ck_assert(!disconnects_order(&disconnects, NULL, &two));
    expect_calls(2);
    ck_assert_uint_eq(disconnects_run(&disconnects, NULL, NOW_MS), NOW_MS + 1000);
    expect_calls(2);
    ck_assert_uint_eq(disconnects_run(&disconnects, NULL, NOW_MS + 999), NOW_MS + 1000);
    expect_calls(0);
    result = WS_ERR_NOT_FOUND; /* it has left */
    ck_assert(disconnects_run(&disconnects, NULL, NOW_MS + 1000) == WS_NO_DEADLINE);
    ck_assert_uint_eq(last, 2);
    expect_calls(2);
    ck_assert(disconnects_run(&disconnects, NULL, NOW_MS + 2000) == WS_NO_DEADLINE);
    ck_assert(disconnects_order(&disconnects, NULL, &one));
    expect_calls(1);
}
END_TEST

START_TEST(orders_that_wait_have_a_bound)
{
    static struct disconnects disconnects;
    const struct disconnect one = {.id = 1};

    result = WS_ERR_BACKPRESSURE;
    for (size_t i = 0; i < DISCONNECTS_MAX + 1; i++)
        ck_assert(!disconnects_order(&disconnects, NULL, &one));
    ck_assert_uint_eq(disconnects.count, DISCONNECTS_MAX);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_expired_token_ends_its_client_later,
        an_order_is_tried_again,
        orders_that_wait_have_a_bound,
        NULL,
    };

    return suite_run("session", tests);
}
