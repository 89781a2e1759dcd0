/* recovery_test.c: a client that comes back with /ws?after=ID&rooms=A,B&connection_id=FORMER: its
 * query, and that it receives missed events as fast as it reads. Not here: which events these are
 * (core/recovery_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/events/ids.h"
#include "core/loop_state.h"
#include "websocket/host.h"

enum { PAYLOAD = 900, EVENT_MOST = PAYLOAD + 200, HIGH = 8 * EVENT_MOST, LOW = 2 * EVENT_MOST };

static struct host host;
static struct host_options options;

static void setup(void)
{
    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    options.endpoint.queue_high_bytes = HIGH;
    options.endpoint.queue_low_bytes = LOW;
}

static void teardown(void)
{
    host_close(&host);
}

/* Emits barely compressible events, numbered from `first` on; `room` NULL: for everyone. */
static void emit(const char *room, int first, int count)
{
    char data[PAYLOAD + 1];
    unsigned seed = (unsigned)first;

    for (int number = first; number < first + count; number++) {
        ws_event *event;
        int at = snprintf(data, sizeof data, "{\"n\":%d,\"filler\":\"", number);

        while (at < PAYLOAD - 2)
            data[at++] = (char)('0' + rand_r(&seed) % 64);
        for (int i = 0; i < at; i++)
            if (data[i] == '\\')
                data[i] = 'b';
        memcpy(data + at, "\"}", 3);
        ck_assert_int_eq(ws_event_new(host.manager, "stock_low", data, PAYLOAD, &event), WS_OK);
        ck_assert_int_eq(room != NULL
                             ? ws_manager_broadcast_to_room(host.manager, room, event, NULL, 0)
                             : ws_manager_broadcast(host.manager, event, NULL, 0),
                         WS_OK);
        ws_event_free(event);
    }
}

enum { NOWHERE = -1 };

/* A client that requests a target, to which the id of a position is appended unless it is
 * NOWHERE. */
static struct peer *come_back(const char *target, int position)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {0};
    char id[EVENT_ID_SIZE] = "";
    char whole[256];

    if (position != NOWHERE)
        event_id_write(host.manager->epoch, (uint64_t)position, id);
    snprintf(whole, sizeof whole, "%s%s", target, id);
    client_request(&request, whole, "");
    peer_send(peer, &request);
    bytes_free(&request);
    return peer;
}

/* The next message, in static memory, or NULL. */
static bool next_text(struct peer *peer, const char **text)
{
    static char copy[2048];
    struct frame frame;

    if (!peer_next(peer, &frame))
        return false;
    ck_assert_uint_eq(frame.opcode, TEXT);
    snprintf(copy, sizeof copy, "%.*s", (int)frame.length, (const char *)frame.payload);
    *text = copy;
    return true;
}

/* Reads events from `*next` on, and possibly `recovered`; returns whether that arrived. */
static bool read_events(struct peer *peer, int *next)
{
    const char *text;
    bool is_recovered = false;

    while (next_text(peer, &text)) {
        const char *number = strstr(text, "\"n\":");

        if (number == NULL) {
            ck_assert_ptr_nonnull(strstr(text, "\"recovered\",\"data\":{\"complete\":true"));
            is_recovered = true;
        } else {
            ck_assert_int_eq(atoi(number + 4), *next);
            ++*next;
        }
    }
    return is_recovered;
}

/* --- the query -------------------------------------------------------------------------------- */

static void expect_rooms(const char *query, const char *const names[])
{
    struct peer *peer = come_back(query, NOWHERE);

    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
    for (; *names != NULL; names++)
        ck_assert_msg(
            ws_manager_is_member(host.manager, ws_websocket_id(peer->websocket), *names),
            "%s: not in %s", query, *names);
    peer_free(peer);
}

START_TEST(rooms_are_decoded)
{
    host_open(&host, &options);
    expect_rooms("/ws?rooms=orders", (const char *const[]){"orders", NULL});
    expect_rooms("/ws?rooms=a,b+c,d%20e", (const char *const[]){"a", "b c", "d e", NULL});
    expect_rooms("/ws?rooms=%C3%A9t%C3%A9%2Ca%26b,%2B",
                 (const char *const[]){"\xc3\xa9t\xc3\xa9", "a&b", "+", NULL});
    expect_rooms("/ws?x=1&rooms=,a,,b,&after=b", (const char *const[]){"a", "b", NULL});
    expect_rooms("/ws?%72ooms=a", (const char *const[]){"a", NULL});
    expect_rooms("/ws?rooms=&after=&connection_id=", (const char *const[]){NULL});
    expect_rooms("/ws?rooms&after&connection_id", (const char *const[]){NULL});
}
END_TEST

START_TEST(an_invalid_name_is_reported_separately)
{
    struct peer *peer;
    const char *text;

    host_open(&host, &options);
    peer = come_back("/ws?rooms=a,b%01,%C2%80,c&after=", 0);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
    ck_assert(next_text(peer, &text));
    ck_assert_ptr_nonnull(
        strstr(text, "\"error\",\"ref\":\"b\\u0001\",\"data\":{\"code\":\"bad_request\""));
    ck_assert(next_text(peer, &text));
    ck_assert_ptr_nonnull(strstr(text, "\"code\":\"bad_request\""));
    peer_expect_type(peer, "recovered");
    peer_expect_nothing(peer);
    ck_assert(ws_manager_is_member(host.manager, ws_websocket_id(peer->websocket), "c"));
}
END_TEST

START_TEST(a_wrongly_encoded_query_is_400)
{
    static const char *const queries[] = {
        "/ws?rooms=%zz",    "/ws?rooms=a%2",         "/ws?after=%",   "/ws?after=a%00",
        "/ws?rooms=a%00,b", "/ws?connection_id=%00", "/ws?after=a%0", "/ws?connection_id=%",
        "/ws?rooms=a,%ff",  "/ws?rooms=%ED%A0%80",   "/ws?after=%80", "/ws?connection_id=%ff",
    };

    host_open(&host, &options);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct peer *peer = come_back(queries[i], NOWHERE);

        ck_assert_int_eq(peer_head(peer), 400);
        ck_assert(peer->ended || ws_websocket_id(peer->websocket) == 0);
    }
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
}
END_TEST

static unsigned n_asked;

static int count_joins(ws_manager *manager, const ws_connection_info *connection,
                       const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    n_asked++;
    return WS_ERR_FORBIDDEN;
}

/* A list of rooms, each with a name of one letter. */
static int ask_for_rooms(size_t n, bool differ)
{
    char target[8192] = "/ws?rooms=";
    struct peer *peer = host_peer(&host);
    struct bytes request = {0};

    for (size_t at = strlen(target), i = 0; i < n; i++) {
        target[at++] = (char)('a' + (differ ? i % 26 : 0));
        target[at++] = ',';
    }
    client_request(&request, target, "");
    peer_send(peer, &request);
    bytes_free(&request);
    return peer_head(peer);
}

START_TEST(long_lists_of_rooms_are_limited)
{
    options.manager.authorize_join = count_joins;
    host_open(&host, &options);
    n_asked = 0;
    ck_assert_int_eq(ask_for_rooms(1001, false), 400);
    ck_assert_uint_eq(n_asked, 0);
    ck_assert_int_eq(ask_for_rooms(1000, false), 101);
    ck_assert_uint_eq(n_asked, 1);
    ck_assert_int_eq(ask_for_rooms(1000, true), 101);
    ck_assert_uint_eq(n_asked, 27);
}
END_TEST

/* Without a history the answers for refused rooms pass through the loop's inbox, a few at a time,
 * and a client that does not read them is too slow. */
START_TEST(answers_for_refused_rooms_are_bounded)
{
    enum { LIMIT = 8000, MOST = 8 * LIMIT, N_ROOMS = 1000 };
    static char target[N_ROOMS * 6] = "/ws?rooms=";
    struct bytes request = {0};
    struct peer *peer;
    size_t before;

    for (size_t at = strlen(target), i = 0; i < N_ROOMS; i++)
        at += (size_t)sprintf(target + at, "r%zu,", i);
    options.manager.authorize_join = count_joins;
    options.manager.history_events = 0;
    options.endpoint.max_queue_bytes = LIMIT;
    options.endpoint.queue_high_bytes = options.endpoint.queue_low_bytes = 0;
    host_open(&host, &options);
    peer = host_peer(&host);
    peer->writable = 0;
    n_asked = 0;
    client_request(&request, target, "");
    before = host.memory.most_bytes = host.memory.bytes;
    peer_send(peer, &request);
    bytes_free(&request);
    ck_assert_uint_lt(host.memory.most_bytes - before, MOST);
    ck_assert_uint_lt(n_asked, N_ROOMS);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, WS_CLOSE_TRY_AGAIN_LATER);
}
END_TEST

START_TEST(without_a_limit_of_rooms_the_head_s_limit_applies)
{
    options.manager.max_rooms_per_connection = 0;
    host_open(&host, &options);
    ck_assert_int_eq(ask_for_rooms(4000, false), 101);
}
END_TEST

START_TEST(a_parsed_request_recovers)
{
    static const ws_header headers[] = {
        {"Host", "a"},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Key", CLIENT_KEY},
        {"Sec-WebSocket-Version", "13"},
    };
    struct peer *peer;
    char target[128];
    int next = 2;

    host_open(&host, &options);
    emit("r", 1, 3);
    snprintf(target, sizeof target, "/ws?after=%s.1&rooms=r", host.manager->epoch);
    peer = host_peer(&host);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, target, headers, 5),
                     WS_OK);
    host_turn(&host);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
    ck_assert(read_events(peer, &next));
    ck_assert_int_eq(next, 4);
}
END_TEST

/* --- slow readers ----------------------------------------------------------------------------- */

static size_t offered(struct peer *peer)
{
    struct iovec iov[64];
    size_t bytes = 0;

    for (int i = 0, n = ws_websocket_output(peer->websocket, iov, 64); i < n; i++)
        bytes += iov[i].iov_len;
    return bytes;
}

/* Reads everything, one write after the other, without running the loop. */
static bool read_all(struct peer *peer, int *next)
{
    bool is_recovered = false;

    peer->writable = SIZE_MAX;
    while (offered(peer) > 0) {
        ck_assert_uint_le(offered(peer), HIGH + EVENT_MOST);
        peer_write(peer);
        is_recovered |= read_events(peer, next);
    }
    return is_recovered;
}

static struct peer *come_back_slowly(const char *headers)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {0};
    char target[128];

    snprintf(target, sizeof target, "/ws?after=%s.0", host.manager->epoch);
    client_request(&request, target, headers);
    peer->writable = 0;
    peer_send(peer, &request);
    bytes_free(&request);
    return peer;
}

static void read_head(struct peer *peer)
{
    peer->writable = SIZE_MAX;
    peer_write(peer);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
}

START_TEST(the_queue_stays_between_its_marks)
{
    struct peer *peer;
    int next = 1;

    host_open(&host, &options);
    emit(NULL, 1, 500);
    peer = come_back_slowly("");
    ck_assert_uint_gt(offered(peer), HIGH);
    ck_assert_uint_le(offered(peer), HIGH + EVENT_MOST);
    host_turn(&host);
    ck_assert_uint_le(offered(peer), HIGH + EVENT_MOST);
    read_head(peer);
    ck_assert(read_all(peer, &next));
    ck_assert_int_eq(next, 501);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
}
END_TEST

/* Memory runs out while the host writes and has no reason to run the loop: the loop is woken, and
 * disconnects the client in that turn. */
START_TEST(without_memory_while_writing)
{
    unsigned n_ended = 0;

    for (size_t n = 0; n < 20; n++) {
        struct peer *peer;
        unsigned n_wakes;

        host_open(&host, &options);
        emit(NULL, 1, 12);
        peer = come_back_slowly("");
        n_wakes = host.n_wakes;
        host.memory.fail_at = host.memory.calls + n;
        peer->writable = SIZE_MAX;
        peer_write(peer);
        host.memory.fail_at = SIZE_MAX;
        if (host.loop->doomed != NULL) {
            n_ended++;
            ck_assert_uint_eq(host.n_wakes, n_wakes + 1);
            host_turn(&host);
            ck_assert_uint_eq(host.code, 1013);
        }
        host_close(&host);
    }
    ck_assert_uint_gt(n_ended, 0);
}
END_TEST

START_TEST(events_sent_during_the_recovery_are_in_order)
{
    struct peer *peer;
    int next = 1;
    int last = 200;

    host_open(&host, &options);
    emit(NULL, 1, last);
    peer = come_back_slowly("");
    read_head(peer);
    for (int i = 0; i < 40; i++) {
        peer->writable = 0;
        emit(NULL, last + 1, 3);
        last += 3;
        host_turn(&host);
        ck_assert_uint_le(offered(peer), HIGH + EVENT_MOST);
        peer->writable = (size_t)5 * PAYLOAD;
        peer_write(peer);
    }
    ck_assert(read_all(peer, &next));
    host_turn(&host);
    read_all(peer, &next);
    ck_assert_int_eq(next, last + 1);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    /* From here on the client is like any other: events that it does not read are queued, not left
     * in the history. */
    peer->writable = 0;
    emit(NULL, last + 1, 2000);
    host_turn(&host);
    ck_assert_uint_eq(host.code, 1013);
}
END_TEST

START_TEST(slow_clients_share_the_events)
{
    struct peer *slow[16];
    size_t before;

    host_open(&host, &options);
    emit(NULL, 1, 500);
    before = host.memory.bytes;
    for (size_t i = 0; i < 16; i++)
        slow[i] = come_back_slowly("");
    ck_assert_uint_le(host.memory.bytes - before, (size_t)16 * 2048);
    for (size_t i = 0; i < 16; i++)
        peer_free(slow[i]);
}
END_TEST

static const char offer[] = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

START_TEST(compressed_recovery)
{
    struct peer *peer;
    bool is_recovered;
    int next = 1;

    host_open(&host, &options);
    emit(NULL, 1, 300);
    peer = come_back_slowly(offer);
    ck_assert_uint_le(offered(peer), HIGH + EVENT_MOST);
    read_head(peer);
    ck_assert_int_gt(peer->window_bits, 0);
    is_recovered = read_all(peer, &next);
    while (!is_recovered) {
        host_turn(&host);
        is_recovered = read_events(peer, &next);
    }
    ck_assert_int_eq(next, 301);
    emit(NULL, 301, 1);
    host_turn(&host);
    read_events(peer, &next);
    ck_assert_int_eq(next, 302);
}
END_TEST

/* Compressing an event of this length costs as much as 150 deliveries or more. */
enum { MANY = 500, MOST_COMPRESSED_IN_A_TURN = 8192 / 150 };

START_TEST(a_turn_compresses_a_bounded_number_of_missed_events)
{
    struct bytes request = {0};
    struct peer *peer;
    char target[128];

    options.endpoint.queue_high_bytes = options.endpoint.max_queue_bytes;
    host_open(&host, &options);
    emit(NULL, 1, MANY);
    snprintf(target, sizeof target, "/ws?after=%s.0", host.manager->epoch);
    client_request(&request, target, offer);
    peer = host_peer(&host);
    ck_assert_int_eq(peer_feed(peer, request.data, request.length, WHOLE), WS_OK);
    bytes_free(&request);
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_gt(counter_read(&host.loop->counters, COUNTER_deliveries), 1);
    ck_assert_uint_le(counter_read(&host.loop->counters, COUNTER_deliveries),
                      MOST_COMPRESSED_IN_A_TURN);
}
END_TEST

/* A client that reads as fast as the host writes gets a bounded number of events in a turn. For the
 * rest the loop is woken. */
START_TEST(writing_compresses_a_bounded_number_of_missed_events)
{
    struct peer *peer;
    unsigned n_wakes;
    int next = 1;

    host_open(&host, &options);
    emit(NULL, 1, MANY);
    peer = come_back_slowly(offer);
    read_head(peer);
    n_wakes = host.n_wakes;
    ck_assert(!read_all(peer, &next));
    ck_assert_int_le(next, MOST_COMPRESSED_IN_A_TURN + 2 * HIGH / PAYLOAD);
    ck_assert_uint_eq(host.n_wakes, n_wakes + 1);
}
END_TEST

START_TEST(recovery_on_another_loop)
{
    ws_loop *first;
    ws_loop *second;
    struct peer *peer;
    int next = 3;

    host_open(&host, &options);
    first = host.loop;
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, host.now, &second), WS_OK);
    host_client(&host);
    emit("r", 1, 4);
    host_turn(&host);
    host.loop = second;
    peer = come_back("/ws?rooms=r&after=", 2);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
    ck_assert(read_events(peer, &next));
    emit("r", 5, 1);
    host_turn(&host);
    read_events(peer, &next);
    ck_assert_int_eq(next, 6);
    peer_free(peer);
    host.loop = first;
    ws_loop_free(second);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-recovery");
    TCase *tests = tcase_create("recovery");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rooms_are_decoded);
    tcase_add_test(tests, an_invalid_name_is_reported_separately);
    tcase_add_test(tests, a_wrongly_encoded_query_is_400);
    tcase_add_test(tests, long_lists_of_rooms_are_limited);
    tcase_add_test(tests, answers_for_refused_rooms_are_bounded);
    tcase_add_test(tests, without_a_limit_of_rooms_the_head_s_limit_applies);
    tcase_add_test(tests, a_parsed_request_recovers);
    tcase_add_test(tests, the_queue_stays_between_its_marks);
    tcase_add_test(tests, without_memory_while_writing);
    tcase_add_test(tests, events_sent_during_the_recovery_are_in_order);
    tcase_add_test(tests, slow_clients_share_the_events);
    tcase_add_test(tests, compressed_recovery);
    tcase_add_test(tests, a_turn_compresses_a_bounded_number_of_missed_events);
    tcase_add_test(tests, writing_compresses_a_bounded_number_of_missed_events);
    tcase_add_test(tests, recovery_on_another_loop);
    suite_add_tcase(suite, tests);
    return suite;
}
