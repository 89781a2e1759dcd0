/* kept_notes_test.c: how notes of kept answers are read. Not here: what becomes of them
 * (kept_cluster_test.c). */
#include "core/kept/kept_notes.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

#define DIGEST "00112233445566778899aabbccddeeff"
#define KEY_57 "a01234567012345670123456701234567012345670123456701234567" /* too long */

START_TEST(notes_are_checked)
{
    static const char *const texts[] = {
        "",
        "1 ",
        "1 ann",
        "2 ann\n" DIGEST " 1 a 1\n1\n",
        "1 anna\n" DIGEST " 1 a 1\n1\n",
        "1 ann\n",
        "1 ann\n" DIGEST,
        "1 ann\n" DIGEST " 1 a 1\n1",
        "1 ann\n" DIGEST " 1 a 2\n1\n",
        "1 ann\n" DIGEST " 1 a 1\nx\n",
        "1 ann\n" DIGEST " 1 x 1\n1\n",
        "1 ann\n" DIGEST " x a 1\n1\n",
        "1 ann\n" DIGEST " 1 a 99999999999999999999999999\n1\n",
        "1 ann\n" DIGEST " 1 a 999999999999999\n1\n",
        "1 ann\n0011223344556677889XaabbCcddeeff 1 a 1\n1\n",
        "1 ann\n" DIGEST " 1 p 57\n" KEY_57 "\n",
    };
    struct kept_note_reader reader;
    struct kept_entry entry;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i]);
        char *copy = malloc(length > 0 ? length : 1); /* so that a sanitizer sees the end */

        memcpy(copy, texts[i], length);
        ck_assert(!kept_note_begin(&reader, "a0", copy, length, "ann") ||
                  !kept_note_next(&reader, &entry));
        free(copy);
    }
    ck_assert(kept_note_begin(&reader, "a0", texts[5], strlen(texts[5]), "ann"));
}
END_TEST

START_TEST(a_note_is_read_as_it_is_written)
{
    static const char text[] =
        "1 ann\n" DIGEST " 12 e 2\n[]\n" DIGEST " 0 p 0\n\n" DIGEST " 0 p 3\na12\n";
    struct kept_note_reader reader;
    struct kept_entry entry;

    ck_assert(kept_note_begin(&reader, "a0", text, sizeof text - 1, "ann"));
    ck_assert(kept_note_next(&reader, &entry));
    ck_assert(entry.is_answered && entry.is_error && entry.length == 2);
    ck_assert_uint_eq(entry.age_ms, 12);
    ck_assert_uint_eq(entry.digest.bytes[1], 0x11);
    ck_assert_int_eq(memcmp(entry.data, "[]", 2), 0);
    ck_assert(kept_note_next(&reader, &entry));
    ck_assert(!entry.is_answered && entry.length == 2);
    ck_assert_int_eq(memcmp(entry.data, "a0", 2), 0); /* it will be in the same note */
    ck_assert(kept_note_next(&reader, &entry));
    ck_assert(!entry.is_answered && entry.length == 3);
    ck_assert_int_eq(memcmp(entry.data, "a12", 3), 0);
    ck_assert(!kept_note_next(&reader, &entry));
}
END_TEST

START_TEST(a_note_may_name_a_former_one)
{
    static const char *const bad[] = {
        "1 ann\ncontinues ",
        "1 ann\ncontinues \n",
        "1 ann\ncontinues a1",
        "1 ann\ncontinued a1\n",
        "1 ann\n",
    };
    static const char text[] = "1 ann\ncontinues a1\n";
    char large[KEPT_KEY_SIZE + 32] = "1 ann\ncontinues ";
    char key[KEPT_KEY_SIZE];
    struct kept_note_reader reader;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert(kept_note_begin(&reader, "a0", bad[i], strlen(bad[i]), "ann"));
        ck_assert(!kept_note_read_former(&reader, key));
    }
    ck_assert(kept_note_begin(&reader, "a0", text, sizeof text - 1, "ann"));
    ck_assert(kept_note_read_former(&reader, key));
    ck_assert_str_eq(key, "a1");
    memset(large + 16, 'a', KEPT_KEY_SIZE);
    large[16 + KEPT_KEY_SIZE] = '\n';
    ck_assert(kept_note_begin(&reader, "a0", large, 17 + KEPT_KEY_SIZE, "ann"));
    ck_assert(!kept_note_read_former(&reader, key));
    large[15 + KEPT_KEY_SIZE] = '\n';
    ck_assert(kept_note_begin(&reader, "a0", large, 16 + KEPT_KEY_SIZE, "ann"));
    ck_assert(kept_note_read_former(&reader, key));
    ck_assert_uint_eq(strlen(key), KEPT_KEY_SIZE - 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        notes_are_checked,
        a_note_is_read_as_it_is_written,
        a_note_may_name_a_former_one,
        NULL,
    };

    return suite_run("kept-notes", tests);
}
