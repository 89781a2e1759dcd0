/* raw_test.c: connections with WS_PROTOCOL_RAW: their messages are passed to on_raw, and they
 * receive raw messages only. */
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann;

static void begin(void)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

START_TEST(raw_messages_are_passed_to_on_raw)
{
    struct client raw;

    begin();
    ck_assert_int_eq(client_try(&host, &raw, "raw", "ann", WS_PROTOCOL_RAW), WS_OK);
    client_say(&raw, "{\"type\":\"ping\"}");
    ck_assert_int_eq(ws_manager_receive(host.manager, raw.id, "bytes", 5, 0), WS_OK);
    emit_number(&host, NULL, 1);
    host_run(&host);
    host_expect_log(&host, "on_connect raw ann\non_raw raw text {\"type\":\"ping\"}\n"
                           "on_raw raw binary bytes\n");
    client_expect(&raw, NULL);
    ck_assert_int_eq(ws_manager_send_text(host.manager, raw.id, "hi", 2), WS_OK);
    host_run(&host);
    client_expect(&raw, "hi", NULL);
    end();
    client_free(&raw);
}
END_TEST

/* "No rooms, no events" (connection.h). */
START_TEST(raw_connections_get_no_events_by_user_or_room)
{
    struct client raw;

    begin();
    ck_assert_int_eq(client_try(&host, &raw, "raw", "ann", WS_PROTOCOL_RAW), WS_OK);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", "ann", "info"), WS_OK);
    ws_manager_join_room(host.manager, raw.id, "r");
    emit_number(&host, "r", 1);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 1);
    client_expect(&raw, NULL);
    end();
    client_free(&raw);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        raw_messages_are_passed_to_on_raw,
        raw_connections_get_no_events_by_user_or_room,
        NULL,
    };

    return suite_run("raw", tests);
}
