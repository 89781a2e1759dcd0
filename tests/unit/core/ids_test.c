/* ids_test.c: event ids and connection names, written and read. */
#include "core/events/ids.h"

#include <string.h>

#include "support/suite.h"

static const char *const epoch = "abcdefgh27";

static void check_event_id(uint64_t position, const char *text)
{
    char id[EVENT_ID_SIZE];
    char read_epoch[EPOCH_SIZE];
    uint64_t read_position;

    ck_assert_uint_eq(event_id_write(epoch, position, id), strlen(text));
    ck_assert_str_eq(id, text);
    ck_assert(event_id_read(id, read_epoch, &read_position));
    ck_assert_str_eq(read_epoch, epoch);
    ck_assert_uint_eq(read_position, position);
}

START_TEST(event_ids_are_written_and_read)
{
    check_event_id(0, "abcdefgh27.0");
    check_event_id(1042, "abcdefgh27.1042");
    check_event_id(UINT64_MAX, "abcdefgh27.18446744073709551615");
}
END_TEST

START_TEST(connection_names_are_written_and_read)
{
    char name[CONNECTION_NAME_SIZE];
    char process[EPOCH_SIZE];
    ws_conn_id id;

    connection_name_write(epoch, 0xfedcba9876543210, name);
    ck_assert_str_eq(name, "abcdefgh27-fedcba9876543210");
    ck_assert(connection_name_read(name, process, &id));
    ck_assert_str_eq(process, epoch);
    ck_assert_uint_eq(id, 0xfedcba9876543210);
}
END_TEST

START_TEST(invalid_event_ids_are_refused)
{
    static const char *const bad[] = {
        "",
        "a",
        ".",
        "abcdefgh27",
        "abcdefgh27.",
        "abcdefgh2.7",
        "abcdefgh27.01",
        "abcdefgh27.-1",
        "abcdefgh27.+1",
        "abcdefgh27. 1",
        "abcdefgh27.1 ",
        "abcdefgh27.1a",
        "abcdefgh27.18446744073709551616",
        "abcdefgh27.99999999999999999999999999",
        "abcdefgh18.1",
        "ABCDEFGH27.1",
        "abcdefgh27-1",
        "abcdefgh271.1",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char read_epoch[EPOCH_SIZE] = "untouched";
        uint64_t position = 7;

        ck_assert_msg(!event_id_read(bad[i], read_epoch, &position), "%s", bad[i]);
        ck_assert_str_eq(read_epoch, "untouched");
        ck_assert_uint_eq(position, 7);
    }
}
END_TEST

START_TEST(invalid_connection_names_are_refused)
{
    static const char *const bad[] = {
        "",
        "abcdefgh27-",
        "abcdefgh27.1",
        "abcdefgh27-0a",
        "abcdefgh27-A",
        "abcdefgh27-g",
        "abcdefgh27-10000000000000000",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char process[EPOCH_SIZE];
        ws_conn_id id;

        ck_assert_msg(!connection_name_read(bad[i], process, &id), "%s", bad[i]);
    }
}
END_TEST

START_TEST(epochs_are_random)
{
    char one[EPOCH_SIZE];
    char other[EPOCH_SIZE];

    ck_assert(epoch_draw(one));
    ck_assert(epoch_draw(other));
    ck_assert(epoch_valid(one));
    ck_assert_str_ne(one, other);
    ck_assert(!epoch_valid("abcdefgh2"));
    ck_assert(!epoch_valid("abcdefgh277"));
    ck_assert(!epoch_valid("abcdefgh21"));
}
END_TEST

START_TEST(parts_of_a_connection_id)
{
    static const struct {
        uint32_t loop, slot, generation;
        ws_conn_id id;
    } ids[] = {
        {0, 0, 1, 1},
        {255, 0, 0, UINT64_C(0xff00000000000000)},
        {0, 0xffffff, 0, UINT64_C(0x00ffffff00000000)},
        {0x12, 0x345678, 0x9abcdef0, UINT64_C(0x123456789abcdef0)},
        {255, 0xffffff, UINT32_MAX, UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        ck_assert_uint_eq(conn_id_make(ids[i].loop, ids[i].slot, ids[i].generation), ids[i].id);
        ck_assert_uint_eq(conn_id_loop(ids[i].id), ids[i].loop);
        ck_assert_uint_eq(conn_id_slot(ids[i].id), ids[i].slot);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        event_ids_are_written_and_read,
        connection_names_are_written_and_read,
        invalid_event_ids_are_refused,
        invalid_connection_names_are_refused,
        epochs_are_random,
        parts_of_a_connection_id,
        NULL,
    };

    return suite_run("ids", tests);
}
