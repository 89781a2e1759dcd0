/* content_coding_test.c: which codings of a file a client accepts. Not here: the coded files
 * themselves (e2e/test_files.py). */
#include "content_coding.h"

#include <string.h>

#include "support/suite.h"

/* As letters: b, g and, at the end, i. */
static const char *order_of(const char *first, const char *second)
{
    static const char letters[N_CODINGS] = {
        [CODING_IDENTITY] = 'i', [CODING_GZIP] = 'g', [CODING_BROTLI] = 'b'};
    static char order[N_CODINGS + 1];
    enum content_coding list[N_CODINGS];
    struct content_codings codings;
    size_t count = 0;

    content_codings_init(&codings);
    if (first != NULL)
        content_codings_take(&codings, first);
    if (second != NULL)
        content_codings_take(&codings, second);
    content_codings_order(&codings, list);
    do
        order[count] = letters[list[count]];
    while (list[count++] != CODING_IDENTITY);
    order[count] = '\0';
    return order;
}

START_TEST(codings_that_a_client_accepts)
{
    static const char *const pairs[][2] = {
        {"gzip, deflate, br", "bgi"},
        {"gzip, deflate, br, zstd", "bgi"},
        {"BR", "bi"},
        {"gzip", "gi"},
        {"x-gzip", "gi"},
        {"", "i"},
        {"identity", "i"},
        {"*", "bgi"},
        {"br;q=0, gzip", "gi"},
        {"br;q=0.0,gzip;q=0.000", "i"},
        {"*;q=0", "i"},
        {"identity;q=0, *;q=0", "i"},
        {"*, br;q=0", "gi"},
        {"*;q=0.5, gzip;q=1", "gbi"},
        {"gzip;q=1.0, br;q=0.999", "gbi"},
        {"gzip;q=0.5, br;q=0.5", "bgi"},
        {"identity, gzip;q=0.5", "i"},
        {"identity;q=0.5, gzip;q=0.5, br;q=0.4", "gi"},
        {"gzip ; q=0.2 , br\t;\tQ=0.1 ", "gbi"},
        {"identity;q=0, br;q=0.001", "bi"},
        {" , ,gzip,, ", "gi"},
        {"gzip;q=", "i"},
        {"gzip;q=2", "i"},
        {"gzip;q=1.001", "i"},
        {"gzip;q=0.0001", "i"},
        {"gzip;q=0,5", "i"},
        {"gzip;q=-1", "i"},
        {"gzip;level=9", "i"},
        {"gzip br", "i"},
        {"gzipped", "i"},
        {"gzip;q=1.", "gi"},
        {"br;q", "i"},
        {";q=1", "i"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(order_of(pairs[i][0], NULL), pairs[i][1]) != 0)
            ck_abort_msg("'%s' is %s", pairs[i][0], order_of(pairs[i][0], NULL));
    ck_assert_str_eq(order_of(NULL, NULL), "i");
    ck_assert_str_eq(order_of("gzip", "br"), "bgi");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {codings_that_a_client_accepts, NULL};

    return suite_run("content-coding", tests);
}
