/* limits_test.c: the rate of a client's messages, the number of rooms and the length of their
 * names. */
#include <stdio.h>
#include <string.h>

#include "base/token_bucket.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob;

#define RATE_LIMITED                                                                           \
    "\"data\":{\"code\":\"rate_limited\",\"message\":\"too many messages; send more "          \
    "slowly\"}}"

static void begin(uint32_t rate, uint32_t burst)
{
    host_init(&host);
    host.options.message_rate = rate;
    host.options.message_burst = burst;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
}

static unsigned count_taken(struct token_rate rate, uint32_t *bucket, uint64_t now_ms,
                            unsigned tries)
{
    unsigned taken = 0;

    while (tries-- > 0)
        taken += bucket_take(rate, bucket, now_ms);
    return taken;
}

START_TEST(a_bucket_holds_a_burst_and_fills_at_its_rate)
{
    static const uint64_t begins[] = {0, 1000, BUCKET_WRAP_MS - 400, BUCKET_WRAP_MS,
                                      UINT64_C(1) << 40};
    struct token_rate rate = token_rate_of(10, 5);

    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        uint64_t now_ms = begins[i];
        uint32_t bucket = 0;

        ck_assert_uint_eq(count_taken(rate, &bucket, now_ms, 20), 5);
        ck_assert_uint_eq(count_taken(rate, &bucket, now_ms + 99, 20), 0);
        ck_assert_uint_eq(count_taken(rate, &bucket, now_ms + 100, 20), 1);
        ck_assert_uint_eq(count_taken(rate, &bucket, now_ms + 300, 20), 2);
        ck_assert_uint_eq(count_taken(rate, &bucket, now_ms + 100000, 20), 5);
    }
}
END_TEST

/* Whatever time passes: never more than a burst, and after a second at least the rate. */
START_TEST(a_bucket_survives_the_wrap_of_its_clock)
{
    struct token_rate rate = token_rate_of(1, 3);
    uint32_t bucket = 0;
    uint64_t now_ms = 0;

    for (unsigned day = 0; day < 40; day++) {
        unsigned taken = count_taken(rate, &bucket, now_ms, 10);

        ck_assert_uint_le(taken, 3);
        taken += count_taken(rate, &bucket, now_ms + 3000, 10);
        ck_assert_uint_ge(taken, 3);
        now_ms += UINT64_C(7) * 3600 * 1000;
    }
}
END_TEST

/* However long a client is silent, and whenever it connects, its bucket is full. */
START_TEST(a_silent_or_new_client_has_a_full_bucket)
{
    static const char pong[] = "{\"type\":\"pong\",\"data\":{\"id\":\"E.0\"}}";

    begin(1, 3);
    for (int i = 0; i < 3; i++)
        client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    client_expect(&ann, pong, pong, pong, NULL);
    /* The host runs the loop at its deadline. */
    for (uint64_t until = host.now_ms + BUCKET_WRAP_MS; host.now_ms < until;) {
        uint64_t deadline = ws_loop_run(host.loop, host.now_ms);

        ck_assert_uint_gt(deadline, host.now_ms);
        host.now_ms = deadline < until ? deadline : until;
    }
    client_open(&host, &bob, "bob", NULL);
    for (int i = 0; i < 3; i++) {
        client_say(&ann, "{\"type\":\"ping\"}");
        client_say(&bob, "{\"type\":\"ping\"}");
    }
    host_run(&host);
    client_expect(&ann, pong, pong, pong, NULL);
    client_expect(&bob, pong, pong, pong, NULL);
    end();
}
END_TEST

START_TEST(a_rate_of_0_disables_the_limit)
{
    uint32_t bucket = 0;

    ck_assert_uint_eq(count_taken(token_rate_of(0, 1), &bucket, 5, 1000), 1000);
    ck_assert_uint_eq(count_taken(token_rate_of(64000, 1000), &bucket, 5, 1001), 1000);
}
END_TEST

START_TEST(messages_above_the_rate_are_refused_with_their_ref)
{
    begin(1, 2);
    for (int i = 1; i <= 3; i++) {
        char json[64];

        snprintf(json, sizeof json, "{\"type\":\"join_room\",\"room\":\"r%d\",\"ref\":%d}", i,
                 i);
        client_say(&ann, json);
    }
    client_say(&ann, "no JSON");
    host_run(&host);
    client_expect(
        &ann, "{\"type\":\"room_joined\",\"ref\":1,\"data\":{\"room\":\"r1\",\"id\":\"E.0\"}}",
        "{\"type\":\"room_joined\",\"ref\":2,\"data\":{\"room\":\"r2\",\"id\":\"E.0\"}}",
        "{\"type\":\"error\",\"ref\":3," RATE_LIMITED, "{\"type\":\"error\"," RATE_LIMITED,
        NULL);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r3"), 0);
    /* Other clients are not delayed, and a second later the client may send again. */
    client_open(&host, &bob, "bob", NULL);
    client_say(&bob, "{\"type\":\"ping\"}");
    host_run(&host);
    client_expect(&bob, "{\"type\":\"pong\",\"data\":{\"id\":\"E.0\"}}", NULL);
    host.now_ms += 1000;
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    client_expect(&ann, "{\"type\":\"pong\",\"data\":{\"id\":\"E.0\"}}", NULL);
    end();
}
END_TEST

START_TEST(a_client_that_stays_above_the_rate_is_closed)
{
    begin(1, 3);
    for (int i = 0; i < 6; i++)
        client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    ck_assert_int_eq(ann.n_closes, 0);
    host.now_ms += 1000;
    /* A message in time resets the count of messages that came too fast. */
    for (int i = 0; i < 4; i++)
        client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    ck_assert_int_eq(ann.n_closes, 0);
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    ck_assert_uint_eq(ann.close_code, 1008);
    ck_assert_str_eq(ann.close_reason, "too many messages; send more slowly");
    end();
}
END_TEST

START_TEST(a_raw_connection_above_the_rate_is_closed_at_once)
{
    begin(1, 2);
    ck_assert_int_eq(client_try(&host, &bob, "bob", NULL, WS_PROTOCOL_RAW), WS_OK);
    host_run(&host);
    host_forget_log(&host);
    for (int i = 0; i < 4; i++)
        client_say(&bob, "x");
    host_run(&host);
    ck_assert_uint_eq(bob.close_code, 1008);
    end();
}
END_TEST

START_TEST(the_number_of_rooms_is_limited)
{
    host_init(&host);
    host.options.max_rooms = 2;
    host_start(&host);
    client_open_in(&host, &ann, "ann", "first");
    client_open_in(&host, &bob, "bob", "second");
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"second\"}");
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"third\"}");
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "second"), 1);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "third"), 0);
    client_say(&ann, "{\"type\":\"leave_room\",\"room\":\"first\"}");
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"third\"}");
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "third"), 1);
    end();
}
END_TEST

static void join_named(const char *name, char *json, size_t size)
{
    snprintf(json, size, "{\"type\":\"join_room\",\"room\":\"%s\"}", name);
    client_say(&ann, json);
    host_run(&host);
}

START_TEST(a_room_s_name_has_at_most_128_bytes)
{
    char name[WS_NAME_MAX + 2];
    char json[200];

    begin(0, 1);
    memset(name, 'n', sizeof name);
    name[WS_NAME_MAX + 1] = '\0';
    join_named(name, json, sizeof json);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"bad_request\""));
    name[WS_NAME_MAX] = '\0';
    join_named(name, json, sizeof json);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"room_joined\""));
    end();
}
END_TEST

START_TEST(invalid_limits_are_refused)
{
    ws_manager_options options;
    ws_manager *manager;

    ws_manager_options_init(&options);
    options.message_burst = 0;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_ERR_INVALID);
    options.message_rate = 1;
    options.message_burst = 3601;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_ERR_INVALID);
    options.message_burst = 3599;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    ws_manager_free(manager);
    options.message_rate = 64001;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_ERR_INVALID);
    options.message_rate = 64000;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    ws_manager_free(manager);
    options.message_burst = UINT32_MAX;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_ERR_INVALID);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_bucket_holds_a_burst_and_fills_at_its_rate,
        a_bucket_survives_the_wrap_of_its_clock,
        a_silent_or_new_client_has_a_full_bucket,
        a_rate_of_0_disables_the_limit,
        messages_above_the_rate_are_refused_with_their_ref,
        a_client_that_stays_above_the_rate_is_closed,
        a_raw_connection_above_the_rate_is_closed_at_once,
        the_number_of_rooms_is_limited,
        a_room_s_name_has_at_most_128_bytes,
        invalid_limits_are_refused,
        NULL,
    };

    return suite_run("limits", tests);
}
