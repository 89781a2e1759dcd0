/* base64_test.c: strict base64: the test vectors of RFC 4648 §10, and what is refused. */
#include "base/base64.h"

#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

static const char *const vectors[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
};

START_TEST(test_vectors_are_encoded_and_decoded)
{
    struct test_memory memory;

    test_memory_init(&memory);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *plain = vectors[i][0];
        struct buffer buffer;
        uint8_t decoded[16];
        size_t n;
        char *text;

        buffer_init(&buffer, &memory.allocator);
        base64_add(&buffer, plain, strlen(plain));
        text = buffer_take(&buffer, &n);
        ck_assert_str_eq(text, vectors[i][1]);
        ck_assert(base64_decode(text, n, decoded, &n));
        ck_assert_uint_eq(n, strlen(plain));
        ck_assert_mem_eq(decoded, plain, n);
        memory_free(&memory.allocator, text);
    }
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(text_is_decoded_in_its_place)
{
    char text[] = "Zm9vYmE=";
    size_t n;

    ck_assert(base64_decode(text, strlen(text), (uint8_t *)text, &n));
    ck_assert_uint_eq(n, 5);
    ck_assert_mem_eq(text, "fooba", 5);
}
END_TEST

START_TEST(anything_else_is_refused)
{
    static const char *const texts[] = {
        "Z",        "Zg",     "Zg=",      "=",        "====",
        "Zg==Zg==", "Zm9v\n", "Zm 9",     "Zh==",     /* unused bits */ "Zm9=",
        "Zm-_",     "Z===",   "Zm9vZ=g=", "Zm9v Zm9", "Zg\x80=",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t decoded[16];
        size_t n;

        ck_assert_msg(!base64_decode(texts[i], strlen(texts[i]), decoded, &n), "accepted: %s",
                      texts[i]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_vectors_are_encoded_and_decoded,
        text_is_decoded_in_its_place,
        anything_else_is_refused,
        NULL,
    };

    return suite_run("base64", tests);
}
