/* uri_test.c: which URIs of Redis are valid, and the errors for invalid ones. */
#include "cluster/redis/uri.h"

#include <string.h>

#include <ws_manager/redis.h>

#include "support/suite.h"
#include "support/test_memory.h"

static struct test_memory memory;

struct expected {
    const char *text;
    const char *host;
    int port;
    const char *user;
    const char *password;
    const char *database;
    uint64_t timeout_ms;
};

static void expect(const struct expected *expected)
{
    struct uri uri;
    const char *error;

    test_memory_init(&memory);
    error = uri_read(&uri, &memory.allocator, expected->text);
    ck_assert_msg(error == NULL, "%s: %s", expected->text, error);
    ck_assert_str_eq(uri.hosts[0].host, expected->host);
    ck_assert_int_eq(uri.hosts[0].port, expected->port);
    ck_assert_pstr_eq(uri.user, expected->user);
    ck_assert_pstr_eq(uri.password, expected->password);
    ck_assert_pstr_eq(uri.database, expected->database);
    ck_assert_uint_eq(uri.timeout_ms, expected->timeout_ms != 0 ? expected->timeout_ms : 5000);
    uri_free(&uri, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
}

START_TEST(valid_uris)
{
    static const struct expected good[] = {
        {"redis://h", "h", 6379, NULL, NULL, NULL, 0},
        {"redis://h/", "h", 6379, NULL, NULL, NULL, 0},
        {"redis://h:", "h", 6379, NULL, NULL, NULL, 0},
        {"redis://h:/?", "h", 6379, NULL, NULL, NULL, 0},
        {"REDIS://Redis_1.example.:00080", "Redis_1.example.", 80, NULL, NULL, NULL, 0},
        {"redis://xn--bcher-kva.ex%61mple", "xn--bcher-kva.example", 6379, NULL, NULL, NULL, 0},
        {"redis://127.0.0.1:1/0", "127.0.0.1", 1, NULL, NULL, "0", 0},
        /* IPv6 addresses are in brackets; a zone begins with %25 (RFC 6874). */
        {"redis://[::1]", "::1", 6379, NULL, NULL, NULL, 0},
        {"redis://[::1]:/3", "::1", 6379, NULL, NULL, "3", 0},
        {"redis://[::ffff:127.0.0.1]:7", "::ffff:127.0.0.1", 7, NULL, NULL, NULL, 0},
        {"redis://[fe80::1%25eth0]:65535/15", "fe80::1%eth0", 65535, NULL, NULL, "15", 0},
        {"redis://u:p@[::1]:7", "::1", 7, "u", "p", NULL, 0},
        /* Decoded once, after the parts were separated. */
        {"redis://:secret@h", "h", 6379, NULL, "secret", NULL, 0},
        {"redis://u:@h", "h", 6379, "u", "", NULL, 0},
        {"redis://u:p%40%3A%2f@h:7?timeout_ms=1", "h", 7, "u", "p@:/", NULL, 1},
        {"redis://u:p%2540@h", "h", 6379, "u", "p%40", NULL, 0},
        {"redis://u%3a:a:b@h/2?timeout_ms=3600000", "h", 6379, "u:", "a:b", "2", 3600000},
        {"redis://:%5B%23%3f+@h", "h", 6379, NULL, "[#?+", NULL, 0},
        /* The credentials end at the last @ of the authority. */
        {"redis://u:p@q@h:7", "h", 7, "u", "p@q", NULL, 0},
        {"redis://:@@h", "h", 6379, NULL, "@", NULL, 0},
        {"redis+unix:///run/redis.sock", "/run/redis.sock", 0, NULL, NULL, NULL, 0},
        {"redis+unix:///run/a@b:c.sock", "/run/a@b:c.sock", 0, NULL, NULL, NULL, 0},
        {"redis+unix://:p@/run/a@b.sock", "/run/a@b.sock", 0, NULL, "p", NULL, 0},
        {"redis+unix://u:p@/a%20b?timeout_ms=9", "/a b", 0, "u", "p", NULL, 9},
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        expect(&good[i]);
}
END_TEST

START_TEST(uris_with_tls)
{
    struct uri uri;

    test_memory_init(&memory);
    ck_assert_ptr_null(
        uri_read(&uri, &memory.allocator,
                 "rediss://u:p@h:7/1?ca=/a%26b.pem&key=k@/?&timeout_ms=9&cert=c"));
    ck_assert(uri.is_tls);
    ck_assert_int_eq(uri.hosts[0].port, 7);
    ck_assert_str_eq(uri.database, "1");
    ck_assert_str_eq(uri.ca, "/a&b.pem");
    ck_assert_str_eq(uri.cert, "c");
    ck_assert_str_eq(uri.key, "k@/?");
    ck_assert_uint_eq(uri.timeout_ms, 9);
    uri_free(&uri, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(uris_with_several_hosts)
{
    struct uri uri;

    test_memory_init(&memory);
    ck_assert_ptr_null(uri_read(&uri, &memory.allocator, "redis://u:p@a,b:7,[::1]:8/2"));
    ck_assert(!uri.is_sentinel);
    ck_assert_uint_eq(uri.n_hosts, 3);
    ck_assert_str_eq(uri.hosts[0].host, "a");
    ck_assert_int_eq(uri.hosts[0].port, 6379);
    ck_assert_str_eq(uri.hosts[1].host, "b");
    ck_assert_int_eq(uri.hosts[1].port, 7);
    ck_assert_str_eq(uri.hosts[2].host, "::1");
    ck_assert_int_eq(uri.hosts[2].port, 8);
    ck_assert_str_eq(uri.database, "2");
    uri_free(&uri, &memory.allocator);
    ck_assert_ptr_null(
        uri_read(&uri, &memory.allocator, "redis://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"));
    ck_assert_uint_eq(uri.n_hosts, 16);
    uri_free(&uri, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(uris_with_sentinels)
{
    struct uri uri;

    test_memory_init(&memory);
    ck_assert_ptr_null(uri_read(&uri, &memory.allocator, "redis+sentinel://h/my%2Fmaster"));
    ck_assert(uri.is_sentinel && !uri.is_tls);
    ck_assert_uint_eq(uri.n_hosts, 1);
    ck_assert_int_eq(uri.hosts[0].port, 26379);
    ck_assert_str_eq(uri.master, "my/master");
    ck_assert_ptr_null(uri.database);
    ck_assert_ptr_null(uri.sentinel_user);
    ck_assert_ptr_null(uri.sentinel_password);
    uri_free(&uri, &memory.allocator);
    ck_assert_ptr_null(
        uri_read(&uri, &memory.allocator,
                 "rediss+sentinel://u:p@a:1,b/m/3?sentinel_password=s%26&ca=/ca&sentinel_user="
                 "v&timeout_ms=9"));
    ck_assert(uri.is_sentinel && uri.is_tls);
    ck_assert_uint_eq(uri.n_hosts, 2);
    ck_assert_int_eq(uri.hosts[0].port, 1);
    ck_assert_int_eq(uri.hosts[1].port, 26379);
    ck_assert_str_eq(uri.user, "u");
    ck_assert_str_eq(uri.password, "p");
    ck_assert_str_eq(uri.master, "m");
    ck_assert_str_eq(uri.database, "3");
    ck_assert_str_eq(uri.sentinel_user, "v");
    ck_assert_str_eq(uri.sentinel_password, "s&");
    ck_assert_str_eq(uri.ca, "/ca");
    ck_assert_uint_eq(uri.timeout_ms, 9);
    uri_free(&uri, &memory.allocator);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(invalid_uris)
{
    static const char *const bad[][2] = {
        {"", "must begin with"},
        {"http://h", "must begin with"},
        {"redis:/h", "must begin with"},
        {"redis:h", "must begin with"},
        {"redis ://h", "must begin with"},
        {"redis", "must begin with"},
        {"redis+sentinel+unix:///a", "must begin with"},
        {"rediss+unix:///a", "must begin with"},
        {"redis+tls://h", "must begin with"},
        {"redis://", "host is missing"},
        {"redis://,", "host is missing"},
        {"redis://h,", "host is missing"},
        {"redis://,h", "host is missing"},
        {"redis://h,,i", "host is missing"},
        {"redis://h,i:x", "port"},
        {"redis://h, i", "letters"},
        {"redis://h%2Ci", "letters"},
        {"redis://[::1],[x]", "not an IPv6"},
        {"redis://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16"},
        {"redis+sentinel://h", "master's name"},
        {"redis+sentinel://h/", "master's name"},
        {"redis+sentinel://h//0", "master's name"},
        {"redis+sentinel://h/m/x", "database"},
        {"redis+sentinel://h/m/0/", "database"},
        {"redis+sentinel://h/m%0a", "control"},
        {"redis+sentinel:///m", "host is missing"},
        {"redis+sentinel://h/m?sentinel_password=", "empty"},
        {"redis+sentinel://h/m?sentinel_password=secret&sentinel_password=a", "twice"},
        {"redis+sentinel://h/m?sentinel_user=secret", "requires"},
        {"redis+sentinel://h/m?ca=a", "with rediss"},
        {"redis://h?sentinel_password=secret", "with +sentinel"},
        {"redis://:1", "host is missing"},
        {"redis://?timeout_ms=1", "host is missing"},
        {"redis:///0", "host is missing"},
        {"redis://:secret@", "host is missing"},
        {"redis://:secret@:6379", "host is missing"},
        {"redis://h:0", "port"},
        {"redis://h:65536", "port"},
        {"redis://h:18446744073709551617", "port"},
        {"redis://h:6x", "port"},
        {"redis://h:+6", "port"},
        {"redis://h:-6", "port"},
        {"redis://h: 6", "port"},
        {"redis://h:%36", "port"},
        {"redis://h:1:2", "more than one ':'"},
        {"redis://::1", "brackets"},
        {"redis://fe80::1:6379", "brackets"},
        {"redis://[::1", "]"},
        {"redis://[::1/]", "]"},
        {"redis://[::1]6", "follow"},
        {"redis://[::1]:66666", "port"},
        {"redis://[]", "not an IPv6"},
        {"redis://[h]", "not an IPv6"},
        {"redis://[127.0.0.1]", "not an IPv6"},
        {"redis://[v1.a]", "not an IPv6"},
        {"redis://[:::1]", "not an IPv6"},
        {"redis://[fe80::1%25]", "not an IPv6"},
        {"redis://[fe80::1%25a%25b]", "not an IPv6"},
        {"redis://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", "not an IPv6"},
        {"redis://[fe80::1%eth0]", "%"},
        {"redis://h h", "letters"},
        {"redis://h%2F", "letters"},
        {"redis://h%40b", "letters"},
        {"redis://h]", "letters"},
        {"redis://b\303\274cher", "letters"},
        {"redis://h\\", "letters"},
        {"redis://h/x", "database"},
        {"redis://h//", "database"},
        {"redis://h/0/", "database"},
        {"redis://h/00", "database"},
        {"redis://h/-1", "database"},
        {"redis://h/99999999999", "database"},
        /* After the authority there are no credentials. */
        {"redis://host:6379/0?x=a@b", "unknown parameter"},
        {"redis://host:6379?timeout_ms=1@b", "1 to"},
        {"redis://host:6379/0@b", "%2F"},
        {"redis://:sec/secret@h", "%2F"},
        {"redis://:sec?secret@h", "host is missing"},
        {"redis://h:6379#a@b", "%23"},
        {"redis://:sec#secret@h", "%23"},
        {"redis://h/0#", "%23"},
        {"redis://h?timeout_ms=1#x", "%23"},
        {"redis+unix:///run/redis.sock#x", "%23"},
        {"redis://secret@h", "before the password"},
        {"redis://@h", "before the password"},
        {"redis://:@h", "neither"},
        {"redis://:%4@h", "%"},
        {"redis://:%zz@h", "%"},
        {"redis://:%@h", "%"},
        {"redis://h%", "%"},
        {"redis://:%00@h", "control"},
        {"redis://%7f:secret@h", "control"},
        {"redis://:secret\x7f@h", "control"},
        {"redis://h\n", "control"},
        {"redis://h?db=1", "timeout_ms"},
        {"redis://h?Timeout_ms=1", "unknown parameter"},
        {"redis://h?timeout_ms", "unknown parameter"},
        {"redis://h?ca=/ca.pem", "rediss"},
        {"redis://h?timeout_ms=0", "1 to"},
        {"redis://h?timeout_ms=3600001", "1 to"},
        {"redis://h?timeout_ms=", "1 to"},
        {"redis://h?timeout_ms=1&", "unknown parameter"},
        {"redis://h?&timeout_ms=1", "unknown parameter"},
        {"redis://h?timeout_ms=1&timeout_ms=1", "twice"},
        {"redis://h?timeout_ms=1?", "1 to"},
        {"rediss://h?ca=", "empty"},
        {"rediss://h?ca=a&ca=a", "twice"},
        {"rediss://h?cert=a", "together"},
        {"rediss://h?timeout_ms=1&key=a", "together"},
        {"rediss://h?key=%0a&cert=a", "control"},
        {"redis+unix://run", "no host"},
        {"redis+unix://localhost/run/redis.sock", "no host"},
        {"redis+unix://", "absolute"},
        {"redis+unix://?timeout_ms=1", "absolute"},
        {"redis+unix://rediss:///run/redis.sock", "no host"},
        {"redis+unix:///0123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456",
         "longer"},
    };
    char text[128];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int result = ws_redis_check_uri(bad[i][0], text, sizeof text);

        ck_assert_msg(result == WS_ERR_INVALID, "%s", bad[i][0]);
        ck_assert_msg(strstr(text, bad[i][1]) != NULL, "%s: %s", bad[i][0], text);
        ck_assert_ptr_null(strstr(text, "secret"));
    }
    /* Whether this build has TLS or not. */
    ck_assert_int_eq(ws_redis_check_uri("rediss://h?ca=/nonexistent.pem", text, sizeof text),
                     WS_ERR_INVALID);
    ck_assert_msg(strstr(text, "no TLS") != NULL ||
                      strstr(text, "ca cannot be used: No such") == text,
                  "%s", text);
    ck_assert_int_eq(ws_redis_check_uri(NULL, text, sizeof text), WS_ERR_INVALID);
    ck_assert_int_eq(ws_redis_check_uri("x", text, 3), WS_ERR_INVALID);
    ck_assert_str_eq(text, "th");
}
END_TEST

START_TEST(every_allocation_fails)
{
    struct uri uri;
    int n = 0;

    do {
        test_memory_init(&memory);
        test_memory_fail(&memory, n++, false);
        if (uri_read(&uri, &memory.allocator,
                     "rediss+sentinel://u:p@h,i/m/1?ca=a&cert=b&key=c&sentinel_user=d&"
                     "sentinel_password=e") == NULL)
            ck_assert(!memory.failed);
        uri_free(&uri, &memory.allocator);
        ck_assert_int_eq(memory.n_blocks, 0);
    } while (memory.failed);
    ck_assert_int_eq(n, 12);
}
END_TEST

int main(void)
{
    return suite_run("redis-uri",
                     (const TTest *const[]){valid_uris, uris_with_tls, uris_with_several_hosts,
                                            uris_with_sentinels, invalid_uris,
                                            every_allocation_fails, NULL});
}
