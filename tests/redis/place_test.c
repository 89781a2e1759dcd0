/* place_test.c: addresses as servers name them, and errors that redirect to another server. */
#include "cluster/redis/place.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static const struct place from = {"node.example", 6379};

START_TEST(redirections_are_parsed)
{
    static const struct {
        const char *text;
        enum redirect redirect;
        const char *place;
    } cases[] = {
        {"MOVED 3999 127.0.0.1:6381", REDIRECT_MOVED, "127.0.0.1:6381"},
        {"ASK 16383 127.0.0.1:1", REDIRECT_ASK, "127.0.0.1:1"},
        {"MOVED 0 redis_1.example.:65535", REDIRECT_MOVED, "redis_1.example.:65535"},
        {"MOVED 1 ::1:6381", REDIRECT_MOVED, "[::1]:6381"},
        {"MOVED 1 fe80::1%eth0:6381", REDIRECT_MOVED, "[fe80::1%eth0]:6381"},
        /* Without a host it is the host that answered. */
        {"MOVED 3999 :6381", REDIRECT_MOVED, "node.example:6381"},
        {"ASK 3999 :6381", REDIRECT_ASK, "node.example:6381"},
        {"MOVED 3999 ?:6381", REDIRECT_NONE, NULL},
        {"MOVED 3999 h:0", REDIRECT_NONE, NULL},
        {"MOVED 3999 h:65536", REDIRECT_NONE, NULL},
        {"MOVED 3999 h:100000", REDIRECT_NONE, NULL},
        {"MOVED 3999 h:18446744073709551617", REDIRECT_NONE, NULL},
        {"MOVED 3999 h:-1", REDIRECT_NONE, NULL},
        {"MOVED 3999 h:1 ", REDIRECT_NONE, NULL},
        {"MOVED 3999 h:", REDIRECT_NONE, NULL},
        {"MOVED 3999 h", REDIRECT_NONE, NULL},
        {"MOVED 3999 ", REDIRECT_NONE, NULL},
        {"MOVED 3999", REDIRECT_NONE, NULL},
        {"MOVED  h:1", REDIRECT_NONE, NULL},
        {"MOVED x h:1", REDIRECT_NONE, NULL},
        {"MOVED 163830 h:1", REDIRECT_NONE, NULL},
        {"MOVED 3999 a b:1", REDIRECT_NONE, NULL},
        {"MOVED 3999 /run/redis.sock:1", REDIRECT_NONE, NULL},
        {"MOVED 3999 user@h:1", REDIRECT_NONE, NULL},
        {"MOVED 3999 h\n:1", REDIRECT_NONE, NULL},
        {"MOVED 3999 :::1:6381", REDIRECT_NONE, NULL},
        {"moved 3999 h:1", REDIRECT_NONE, NULL},
        {"MOVED", REDIRECT_NONE, NULL},
        {"ASK", REDIRECT_NONE, NULL},
        {"ASKING 1 h:1", REDIRECT_NONE, NULL},
        {"ERR MOVED 3999 h:1", REDIRECT_NONE, NULL},
        {"", REDIRECT_NONE, NULL},
    };
    char text[PLACE_TEXT_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct place place = from;

        ck_assert_msg(place_read_redirect(&place, cases[i].text, &from) == cases[i].redirect,
                      "%s", cases[i].text);
        if (cases[i].place == NULL) {
            ck_assert(place_equal(&place, &from));
            continue;
        }
        place_write(&place, text);
        ck_assert_str_eq(text, cases[i].place);
    }
}
END_TEST

START_TEST(long_host_names)
{
    char host[PLACE_HOST_SIZE + 1];
    char text[PLACE_HOST_SIZE + 32];
    char written[PLACE_TEXT_SIZE];
    struct place place;

    memset(host, 'a', sizeof host);
    host[PLACE_HOST_SIZE] = '\0';
    ck_assert(!place_host_valid(host));
    ck_assert(!place_read(&place, host, "1"));
    snprintf(text, sizeof text, "MOVED 1 %s:1", host);
    ck_assert_int_eq(place_read_redirect(&place, text, &from), REDIRECT_NONE);
    host[PLACE_HOST_SIZE - 1] = '\0';
    ck_assert(place_read(&place, host, "65535"));
    place_write(&place, written);
    ck_assert_uint_eq(strlen(written), PLACE_HOST_SIZE - 1 + 6);
}
END_TEST

START_TEST(addresses_from_sentinels)
{
    static const char *const good[][3] = {
        {"10.0.0.1", "6379", "10.0.0.1:6379"},
        {"::1", "00001", "[::1]:1"},
        {"redis-1", "65535", "redis-1:65535"},
    };
    static const char *const bad[][2] = {
        {"", "1"},   {"h", ""},   {"h", "0"},   {"h", "65536"}, {"h", "000001"}, {"h", "1x"},
        {"h", " 1"}, {"h", "+1"}, {"h:1", "1"}, {"[::1]", "1"}, {"a/b", "1"},    {"::1%", "1"},
    };
    char text[PLACE_TEXT_SIZE];
    struct place place;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert(place_read(&place, good[i][0], good[i][1]));
        place_write(&place, text);
        ck_assert_str_eq(text, good[i][2]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!place_read(&place, bad[i][0], bad[i][1]), "%s %s", bad[i][0], bad[i][1]);
}
END_TEST

START_TEST(places_are_compared)
{
    struct place other = from;
    char text[PLACE_TEXT_SIZE];

    ck_assert(place_equal(&from, &other));
    other.port++;
    ck_assert(!place_equal(&from, &other));
    other = (struct place){"node.exampl", 6379};
    ck_assert(!place_equal(&from, &other));
    other = (struct place){"/run/a:b", 0};
    place_write(&other, text);
    ck_assert_str_eq(text, "/run/a:b");
}
END_TEST

int main(void)
{
    return suite_run("redis-place", (const TTest *const[]){
                                        redirections_are_parsed, long_host_names,
                                        addresses_from_sentinels, places_are_compared, NULL});
}
