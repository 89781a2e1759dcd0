/* packet_test.c: packets of Socket.IO 5: what is read and written, and what is refused. */
#include "protocol/socketio/packet.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

static struct test_memory memory;

static struct json_slice slice(const char *text)
{
    return (struct json_slice){text, text != NULL ? strlen(text) : 0};
}

static const char *read_packet(const char *text, struct socketio_packet *packet)
{
    return socketio_packet_read(text, strlen(text), 32, packet);
}

static void assert_slice(struct json_slice found, const char *wanted)
{
    if (wanted == NULL) {
        ck_assert_ptr_null(found.text);
        return;
    }
    ck_assert_ptr_nonnull(found.text);
    ck_assert_uint_eq(found.length, strlen(wanted));
    ck_assert_mem_eq(found.text, wanted, found.length);
}

static const struct {
    const char *text;
    enum socketio_type type;
    uint32_t n_attachments;
    const char *space;
    int64_t id;
    const char *data;
} packets[] = {
    /* The examples of the protocol's specification. */
    {"0", SOCKETIO_CONNECT, 0, NULL, -1, NULL},
    {"0{\"token\":\"123\"}", SOCKETIO_CONNECT, 0, NULL, -1, "{\"token\":\"123\"}"},
    {"0/admin,", SOCKETIO_CONNECT, 0, "/admin", -1, NULL},
    {"0/admin", SOCKETIO_CONNECT, 0, "/admin", -1, NULL},
    {"0/admin,{\"a\":1}", SOCKETIO_CONNECT, 0, "/admin", -1, "{\"a\":1}"},
    {"1", SOCKETIO_DISCONNECT, 0, NULL, -1, NULL},
    {"1/admin,", SOCKETIO_DISCONNECT, 0, "/admin", -1, NULL},
    {"2[\"foo\"]", SOCKETIO_EVENT, 0, NULL, -1, "[\"foo\"]"},
    {"2/admin,[\"bar\"]", SOCKETIO_EVENT, 0, "/admin", -1, "[\"bar\"]"},
    {"212[\"foo\"]", SOCKETIO_EVENT, 0, NULL, 12, "[\"foo\"]"},
    {"3/admin,13[\"bar\"]", SOCKETIO_ACK, 0, "/admin", 13, "[\"bar\"]"},
    {"30[]", SOCKETIO_ACK, 0, NULL, 0, "[]"},
    {"51-[\"baz\",{\"_placeholder\":true,\"num\":0}]", SOCKETIO_BINARY_EVENT, 1, NULL, -1,
     "[\"baz\",{\"_placeholder\":true,\"num\":0}]"},
    {"52-/admin,7[\"baz\",{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]",
     SOCKETIO_BINARY_EVENT, 2, "/admin", 7,
     "[\"baz\",{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]"},
    {"61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]", SOCKETIO_BINARY_ACK, 1, NULL, 15,
     "[\"bar\",{\"_placeholder\":true,\"num\":0}]"},
    /* The default namespace by its name; a name that is a number; white space. */
    {"0/,{}", SOCKETIO_CONNECT, 0, NULL, -1, "{}"},
    {"2[5,\"x\"]", SOCKETIO_EVENT, 0, NULL, -1, "[5,\"x\"]"},
    {"2 [ \"foo\" , 1 ] ", SOCKETIO_EVENT, 0, NULL, -1, " [ \"foo\" , 1 ] "},
    {"29007199254740991[\"foo\"]", SOCKETIO_EVENT, 0, NULL, 9007199254740991, "[\"foo\"]"},
    {"50-[\"foo\"]", SOCKETIO_BINARY_EVENT, 0, NULL, -1, "[\"foo\"]"},
};

START_TEST(packets_of_clients_are_read)
{
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        struct socketio_packet packet;
        const char *problem = read_packet(packets[i].text, &packet);

        ck_assert_msg(problem == NULL, "%s: %s", packets[i].text, problem);
        ck_assert_int_eq(packet.type, packets[i].type);
        ck_assert_uint_eq(packet.n_attachments, packets[i].n_attachments);
        assert_slice(packet.space, packets[i].space);
        ck_assert_int_eq(packet.id, packets[i].id);
        assert_slice(packet.data, packets[i].data);
    }
}
END_TEST

START_TEST(packets_that_are_read_can_be_written)
{
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        struct socketio_packet packet;
        struct socketio_packet again;
        struct buffer buffer;
        size_t length;
        char *text;

        ck_assert_ptr_null(read_packet(packets[i].text, &packet));
        buffer_init(&buffer, &memory.allocator);
        socketio_packet_begin(&buffer, packet.type, packet.n_attachments, packet.space,
                              packet.id);
        buffer_add(&buffer, packet.data.text, packet.data.length);
        text = buffer_take(&buffer, &length);
        ck_assert_ptr_null(socketio_packet_read(text, length, 32, &again));
        ck_assert_int_eq(again.type, packet.type);
        ck_assert_uint_eq(again.n_attachments, packet.n_attachments);
        ck_assert_int_eq(again.id, packet.id);
        assert_slice(again.space, packets[i].space);
        assert_slice(again.data, packets[i].data);
        memory_free(&memory.allocator, text);
    }
}
END_TEST

START_TEST(packets_that_clients_must_not_send_are_refused)
{
    static const char *const texts[] = {
        "",
        "7",
        "abc",
        " 0",
        /* data of another kind than the type demands */
        "0[]",
        "0null",
        "0\"x\"",
        "0{",
        "1{}",
        "1/admin,[]",
        "2",
        "2{}",
        "2[]",
        "2[null]",
        "2[{}]",
        "2[true]",
        "2[\"foo\"",
        "2[\"foo\"]x",
        "2abc[\"foo\"]",
        "3[]",
        "31",
        "31{}",
        "4{\"message\":\"no\"}",
        /* names that scripts use for what happens to the connection */
        "2[\"connect\"]",
        "2[\"connect_error\"]",
        "2[\"disconnect\"]",
        "2[\"disconnecting\"]",
        "2[\"newListener\"]",
        "2[\"removeListener\"]",
        "2[\"\\u0063onnect\"]",
        /* ids */
        "01{}",
        "11",
        "29007199254740992[\"foo\"]",
        "2999999999999999999999999999999[\"foo\"]",
        /* attachments */
        "5[\"foo\"]",
        "5-[\"foo\"]",
        "51[\"foo\"]",
        "5x-[\"foo\"]",
        "5-1-[\"foo\"]",
        "599999999999-[\"foo\"]",
        "51-",
        "51-[\"foo\",{\"_placeholder\":true,\"num\":1}]",
        "51-[\"foo\",{\"_placeholder\":true,\"num\":-1}]",
        "51-[\"foo\",{\"_placeholder\":true,\"num\":0.5}]",
        "51-[\"foo\",{\"_placeholder\":true,\"num\":\"0\"}]",
        "51-[\"foo\",{\"_placeholder\":true,\"num\":[0]}]",
        "51-[\"foo\",{\"_placeholder\":true}]",
        "51-[\"foo\",{\"num\":7,\"_placeholder\":true}]",
        "51-[\"foo\",{\"a\":[{\"\\u005fplaceholder\":true,\"num\":9}]}]",
        "60-1{}",
        /* namespaces */
        "2/a\nb,[\"foo\"]",
        "2/a[\"foo\"]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct socketio_packet packet;

        ck_assert_msg(read_packet(texts[i], &packet) != NULL, "accepted: %s", texts[i]);
    }
}
END_TEST

START_TEST(a_namespace_has_a_longest_name)
{
    char text[SOCKETIO_NAMESPACE_MAX + 8];
    struct socketio_packet packet;

    memset(text, 'a', sizeof text);
    memcpy(text, "0/", 2);
    ck_assert_ptr_null(socketio_packet_read(text, 1 + SOCKETIO_NAMESPACE_MAX, 32, &packet));
    ck_assert_uint_eq(packet.space.length, SOCKETIO_NAMESPACE_MAX);
    ck_assert_ptr_nonnull(socketio_packet_read(text, 2 + SOCKETIO_NAMESPACE_MAX, 32, &packet));
}
END_TEST

START_TEST(data_has_a_greatest_depth)
{
    struct socketio_packet packet;

    ck_assert_ptr_null(socketio_packet_read("2[\"a\",[[]]]", 11, 3, &packet));
    ck_assert_ptr_nonnull(socketio_packet_read("2[\"a\",[[]]]", 11, 2, &packet));
}
END_TEST

START_TEST(placeholders_are_found_at_any_depth)
{
    static const char *const valid[] = {
        "[]",
        "[{\"_placeholder\":false,\"num\":9}]",
        "[{\"_placeholder\":1,\"num\":9},{\"num\":9}]",
        "[\"_placeholder\",true,\"num\",9]",
        "[{\"a\":\"_placeholder\",\"b\":{\"num\":9}}]",
        "[{\"_placeholder\":true,\"num\":1,\"more\":[{\"_placeholder\":true,\"num\":0}]}]",
        "[{\"_placeholder\":true,\"num\":9,\"num\":1}]",
        "[{\"\\\"_placeholder\":true,\"num\":9}]",
        "[ { \"_placeholder\" : true , \"num\" : 1 } ]",
    };

    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        ck_assert_msg(socketio_placeholders_valid(valid[i], strlen(valid[i]), 2), "refused: %s",
                      valid[i]);
    ck_assert(!socketio_placeholders_valid(valid[5], strlen(valid[5]), 1));
    ck_assert(!socketio_placeholders_valid(valid[8], strlen(valid[8]), 1));
}
END_TEST

START_TEST(the_deepest_data_is_scanned)
{
    char text[2 * JSON_MAX_DEPTH];

    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    ck_assert(json_valid(text, sizeof text, JSON_MAX_DEPTH));
    ck_assert(socketio_placeholders_valid(text, sizeof text, 0));
}
END_TEST

START_TEST(an_event_is_split_into_name_and_arguments)
{
    static const char *const events[][3] = {
        {"[\"a\"]", "\"a\"", "[]"},
        {"[1]", "1", "[]"},
        {"[1,2]", "1", "[2]"},
        {"[\"\",2]", "\"\"", "[2]"},
        {" [ \"a\" , {\"b\":[1]} , 2 ] ", "\"a\"", "[{\"b\":[1]} , 2 ]"},
        {"[\"join_room\",\"orders\"]", "\"join_room\"", "[\"orders\"]"},
    };

    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        char *text = strdup(events[i][0]);
        size_t length;

        assert_slice(socketio_event_name(slice(text)), events[i][1]);
        length = socketio_event_args(text, strlen(text));
        ck_assert_str_eq(text, events[i][2]);
        ck_assert_uint_eq(length, strlen(text));
        free(text);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        packets_of_clients_are_read,
        packets_that_are_read_can_be_written,
        packets_that_clients_must_not_send_are_refused,
        a_namespace_has_a_longest_name,
        data_has_a_greatest_depth,
        placeholders_are_found_at_any_depth,
        the_deepest_data_is_scanned,
        an_event_is_split_into_name_and_arguments,
        NULL,
    };

    test_memory_init(&memory);
    return suite_run("socketio-packet", tests);
}
