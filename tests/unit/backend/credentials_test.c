/* credentials_test.c: where a request may carry its token. Not here: whether the token is valid
 * (token_test.c). */
#include "credentials.h"

#include <string.h>

#include "support/suite.h"

static struct credentials found;

static enum token_result find(const char *authorization, const char *protocols,
                              const char *query)
{
    credentials_init(&found);
    credentials_add_authorization(&found, authorization);
    credentials_add_protocols(&found, protocols);
    credentials_add_query(&found, query);
    return found.result;
}

START_TEST(a_token_in_each_place)
{
    static const char *const places[][3] = {
        {"Bearer abc", NULL, ""},
        {"bearer   abc", NULL, NULL},
        {NULL, "bearer, abc", ""},
        {NULL, "bearer,abc", ""},
        {NULL, "chat, bearer, abc", ""},
        {NULL, "bearer, abc, chat", ""},
        {NULL, NULL, "token=abc"},
        {NULL, NULL, "user_id=bob&token=abc"},
        {NULL, NULL, "token=%61bc&x"},
        {"Bearer abc", "bearer, abc", "token=abc"},
        {"Basic eDp5", NULL, "token=abc"},
        {NULL, "bearer", "token=abc"},
        {NULL, NULL, "token=abc&token=abc"},
    };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (find(places[i][0], places[i][1], places[i][2]) != TOKEN_OK)
            ck_abort_msg("the token in row %zu was not found", i);
        ck_assert_str_eq(found.token, "abc");
    }
}
END_TEST

START_TEST(no_token)
{
    static const char *const places[][3] = {
        {NULL, NULL, NULL},           {NULL, NULL, ""},
        {"Basic eDp5", NULL, ""},     {"BearerX abc", NULL, ""},
        {"", "chat", "token"},        {NULL, "bearer", "tokens=abc"},
        {NULL, "Bearer, abc", ""},    {NULL, "abc", "Token=abc"},
        {NULL, "xbearer, abc", "&&"}, {"Bear", "", "user_id=token"},
    };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (find(places[i][0], places[i][1], places[i][2]) != TOKEN_MISSING)
            ck_abort_msg("a token was found in row %zu", i);
}
END_TEST

START_TEST(two_different_tokens)
{
    ck_assert_int_eq(find("Bearer abc", NULL, "token=abd"), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find("Bearer abc", NULL, "token=ab"), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find("Bearer abc", "bearer, abcd", ""), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find(NULL, "bearer, abc", "token=x"), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find(NULL, NULL, "token=abc&token=x"), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find(NULL, NULL, "token=abc&token=x&token=abc"), TOKEN_AMBIGUOUS);
}
END_TEST

START_TEST(values_that_are_no_token)
{
    static char query[sizeof "token=" + TOKEN_MAX_BYTES + 1] = "token=";

    ck_assert_int_eq(find("Bearer", NULL, ""), TOKEN_MALFORMED);
    ck_assert_int_eq(find("Bearer ", NULL, "token=abc"), TOKEN_MALFORMED);
    ck_assert_int_eq(find(NULL, "bearer, ", ""), TOKEN_MALFORMED);
    ck_assert_int_eq(find(NULL, NULL, "token="), TOKEN_MALFORMED);
    ck_assert_int_eq(find(NULL, NULL, "token=%zz"), TOKEN_MALFORMED);
    ck_assert_int_eq(find(NULL, NULL, "token=a%00"), TOKEN_MALFORMED);
    memset(query + strlen("token="), 'a', TOKEN_MAX_BYTES);
    ck_assert_int_eq(find(NULL, NULL, query), TOKEN_OK);
    ck_assert_uint_eq(strlen(found.token), TOKEN_MAX_BYTES);
    strcat(query, "a");
    ck_assert_int_eq(find(NULL, NULL, query), TOKEN_MALFORMED);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_token_in_each_place, no_token, two_different_tokens,
                                  values_that_are_no_token, NULL};

    return suite_run("credentials", tests);
}
