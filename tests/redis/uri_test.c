/* uri_test.c: what a URI of Redis may be, and what is said of one that is not. */
#include "cluster/redis/uri.h"

#include <string.h>

#include <ws_manager/redis.h>

#include "support/suite.h"
#include "support/test_memory.h"

static struct test_memory memory;

static void expect(const char *text, const char *host, int port, const char *user,
                   const char *password, const char *database, uint64_t timeout_ms)
{
    struct uri uri;
    const char *error;

    test_memory_init(&memory);
    error = uri_read(&uri, &memory.allocator, text);
    ck_assert_msg(error == NULL, "%s: %s", text, error);
    ck_assert_str_eq(uri.host, host);
    ck_assert_int_eq(uri.port, port);
    ck_assert_pstr_eq(uri.user, user);
    ck_assert_pstr_eq(uri.password, password);
    ck_assert_pstr_eq(uri.database, database);
    ck_assert_uint_eq(uri.timeout_ms, timeout_ms);
    uri_free(&uri, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
}

START_TEST(good_ones)
{
    expect("redis://h", "h", 6379, NULL, NULL, NULL, 5000);
    expect("redis://h/", "h", 6379, NULL, NULL, NULL, 5000);
    expect("redis://127.0.0.1:1/0", "127.0.0.1", 1, NULL, NULL, "0", 5000);
    expect("redis://[::1]", "::1", 6379, NULL, NULL, NULL, 5000);
    expect("redis://[fe80::1%25eth0]:65535/15", "fe80::1%eth0", 65535, NULL, NULL, "15", 5000);
    expect("redis://:secret@h", "h", 6379, NULL, "secret", NULL, 5000);
    expect("redis://u:p%40%3A%2f@h:7?timeout_ms=1", "h", 7, "u", "p@:/", NULL, 1);
    expect("redis://u%3a:a:b@h/2?timeout_ms=3600000", "h", 6379, "u:", "a:b", "2", 3600000);
    expect("redis+unix:///run/redis.sock", "/run/redis.sock", 0, NULL, NULL, NULL, 5000);
    expect("redis+unix://u:p@/a%20b?timeout_ms=9", "/a b", 0, "u", "p", NULL, 9);
}
END_TEST

START_TEST(by_tls)
{
    struct uri uri;

    test_memory_init(&memory);
    ck_assert_ptr_null(uri_read(&uri, &memory.allocator,
                                "rediss://u:p@h:7/1?ca=/a%26b.pem&key=k&timeout_ms=9&cert=c"));
    ck_assert(uri.is_tls);
    ck_assert_int_eq(uri.port, 7);
    ck_assert_str_eq(uri.database, "1");
    ck_assert_str_eq(uri.ca, "/a&b.pem");
    ck_assert_str_eq(uri.cert, "c");
    ck_assert_str_eq(uri.key, "k");
    ck_assert_uint_eq(uri.timeout_ms, 9);
    uri_free(&uri, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(bad_ones)
{
    static const char *const bad[][2] = {
        {"", "none of"},
        {"http://h", "none of"},
        {"redis://", "no host"},
        {"redis://:1", "no host"},
        {"redis://h:", NULL},
        {"redis://h:0", "port"},
        {"redis://h:65536", "port"},
        {"redis://h:6x", "port"},
        {"redis://[::1", "]"},
        {"redis://[::1]6", "follow"},
        {"redis://h/x", "database"},
        {"redis://h/99999999999", "database"},
        {"redis://secret@h", "before the password"},
        {"redis://:%4@h", "%"},
        {"redis://:%zz@h", "%"},
        {"redis://:%00@h", "control"},
        {"redis://h\n", "control"},
        {"redis://h?db=1", "timeout_ms"},
        {"redis://h?ca=/ca.pem", "rediss"},
        {"redis://h?timeout_ms=0", "1 to"},
        {"redis://h?timeout_ms=3600001", "1 to"},
        {"redis://h?timeout_ms=", "1 to"},
        {"redis://h?timeout_ms=1&", "not timeout_ms"},
        {"rediss://h?ca=", "empty"},
        {"rediss://h?ca=a&ca=a", "twice"},
        {"rediss://h?cert=a", "together"},
        {"rediss://h?timeout_ms=1&key=a", "together"},
        {"rediss://h?key=%0a&cert=a", "control"},
        {"redis+unix://run", "absolute"},
        {"redis+unix://", "absolute"},
        {"redis+unix://rediss:///run/redis.sock", "absolute"},
    };
    char text[128];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int result = ws_redis_check_uri(bad[i][0], text, sizeof text);

        if (bad[i][1] == NULL) {
            ck_assert_int_eq(result, WS_OK);
            continue;
        }
        ck_assert_int_eq(result, WS_ERR_INVALID);
        ck_assert_msg(strstr(text, bad[i][1]) != NULL, "%s: %s", bad[i][0], text);
        ck_assert_ptr_null(strstr(text, "secret"));
    }
    /* Whether this build has TLS or not. */
    ck_assert_int_eq(ws_redis_check_uri("rediss://h?ca=/nonexistent.pem", text, sizeof text),
                     WS_ERR_INVALID);
    ck_assert_msg(strstr(text, "no TLS") != NULL || strstr(text, "ca: No such") == text, "%s",
                  text);
    ck_assert_int_eq(ws_redis_check_uri(NULL, text, sizeof text), WS_ERR_INVALID);
    ck_assert_int_eq(ws_redis_check_uri("x", text, 3), WS_ERR_INVALID);
    ck_assert_str_eq(text, "it");
}
END_TEST

START_TEST(no_memory)
{
    struct uri uri;
    int n = 0;

    do {
        test_memory_init(&memory);
        test_memory_fail(&memory, n++, false);
        if (uri_read(&uri, &memory.allocator, "rediss://u:p@h/1?ca=a&cert=b&key=c") == NULL)
            ck_assert(!memory.failed);
        uri_free(&uri, &memory.allocator);
        ck_assert_int_eq(memory.n_blocks, 0);
    } while (memory.failed);
    ck_assert_int_eq(n, 8);
}
END_TEST

int main(void)
{
    return suite_run("redis-uri",
                     (const TTest *const[]){good_ones, by_tls, bad_ones, no_memory, NULL});
}
