/* credentials_test.c: where a request may carry its token. Not here: whether the token is valid
 * (token_test.c). */
#include "credentials.h"

#include <stdio.h>
#include <string.h>

#include "server/parts/http_feed.h"
#include "server/parts/request.h"
#include "support/suite.h"

static struct credentials found;

static bool no_other_protocol(const struct http_request *request, void *user_data)
{
    (void)request;
    (void)user_data;
    return false;
}

/* Of a request with these headers, each with its line's end, and this query. */
static enum token_result find_in(const char *headers, const char *protocols, const char *query)
{
    static char text[2 * TOKEN_MAX_BYTES];
    struct http_request request;
    const ws_server_request shown = {.http = &request};
    int length =
        snprintf(text, sizeof text, "GET /?%s HTTP/1.1\r\nHost: h\r\n%s\r\n", query, headers);

    http_request_init(&request, no_other_protocol, NULL);
    http_request_feed(&request, text, (size_t)length);
    ck_assert_int_eq(request.state, HTTP_COMPLETE);
    credentials_init(&found);
    credentials_add_request(&found, &shown);
    credentials_add_protocols(&found, protocols);
    http_request_free(&request);
    return found.result;
}

static enum token_result find(const char *authorization, const char *protocols,
                              const char *query)
{
    char header[64] = "";

    if (authorization != NULL)
        snprintf(header, sizeof header, "Authorization: %s\r\n", authorization);
    return find_in(header, protocols, query);
}

START_TEST(a_token_in_each_place)
{
    static const char *const places[][3] = {
        {"Bearer abc", NULL, ""},
        {"bearer   abc", NULL, ""},
        {NULL, "bearer, abc", ""},
        {NULL, "bearer,abc", ""},
        {NULL, "chat, bearer, abc", ""},
        {NULL, "bearer, abc, chat", ""},
        {NULL, NULL, "token=abc"},
        {NULL, NULL, "user_id=bob&token=abc"},
        {NULL, NULL, "token=%61bc&x"},
        {NULL, NULL, "%74oken=abc"},
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
        {NULL, NULL, ""},
        {"Basic eDp5", NULL, ""},
        {"BearerX abc", NULL, ""},
        {"", "chat", ""},
        {NULL, "bearer", "tokens=abc"},
        {NULL, "Bearer, abc", ""},
        {NULL, "abc", "Token=abc"},
        {NULL, "xbearer, abc", "&&"},
        {"Bear", "", "user_id=token"},
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

#define FIRST "Authorization: Bearer abc\r\n"

START_TEST(several_authorization_headers)
{
    ck_assert_int_eq(find_in(FIRST FIRST, NULL, ""), TOKEN_OK);
    ck_assert_int_eq(find_in(FIRST "authorization: Bearer abd\r\n", NULL, ""), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find_in(FIRST "Authorization: Basic eDp5\r\n", NULL, ""), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find_in("Authorization: Basic eDp5\r\n" FIRST, NULL, ""), TOKEN_AMBIGUOUS);
    ck_assert_int_eq(find_in("Authorization: a\r\nAuthorization: b\r\n", NULL, "token=abc"),
                     TOKEN_AMBIGUOUS);
}
END_TEST

/* Of a client of Socket.IO. */
static enum token_result find_in_auth(const char *authorization, const char *query,
                                      const char *auth)
{
    cJSON *json = cJSON_Parse(auth);

    ck_assert_ptr_nonnull(json);
    credentials_init(&found);
    credentials_add_handshake(&found, query, authorization);
    credentials_add_auth(&found, json);
    cJSON_Delete(json);
    return found.result;
}

START_TEST(tokens_of_socketio)
{
    static const struct {
        const char *authorization;
        const char *query;
        const char *auth;
        enum token_result result;
    } clients[] = {
        {NULL, "", "{}", TOKEN_MISSING},
        {NULL, "", "{\"Token\":\"abc\",\"a\":{\"token\":\"abc\"}}", TOKEN_MISSING},
        {NULL, "", "{\"token\":\"abc\"}", TOKEN_OK},
        {NULL, "token=abc", "{}", TOKEN_OK},
        {"Bearer abc", "", "{}", TOKEN_OK},
        {"Bearer abc", "token=abc", "{\"token\":\"abc\"}", TOKEN_OK},
        {"Basic eDp5", "", "{\"token\":\"abc\"}", TOKEN_OK},
        {"Basic eDp5, Bearer abc", "", "{\"token\":\"abc\"}", TOKEN_AMBIGUOUS},
        {"Bearer abc, Bearer abc", "", "{}", TOKEN_AMBIGUOUS},
        {"Bearer abd", "", "{\"token\":\"abc\"}", TOKEN_AMBIGUOUS},
        {NULL, "token=abd", "{\"token\":\"abc\"}", TOKEN_AMBIGUOUS},
        {NULL, "", "{\"token\":\"abc\",\"token\":\"abd\"}", TOKEN_AMBIGUOUS},
        {NULL, "", "{\"token\":\"\"}", TOKEN_MALFORMED},
        {NULL, "token=abc", "{\"token\":7}", TOKEN_MALFORMED},
        {NULL, "", "{\"token\":null}", TOKEN_MALFORMED},
    };

    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        enum token_result result =
            find_in_auth(clients[i].authorization, clients[i].query, clients[i].auth);

        ck_assert_msg(result == clients[i].result, "row %zu: %d", i, (int)result);
        if (result == TOKEN_OK)
            ck_assert_str_eq(found.token, "abc");
    }
}
END_TEST

START_TEST(invalid_tokens)
{
    static char query[sizeof "token=" + TOKEN_MAX_BYTES + 1] = "token=";

    ck_assert_int_eq(find("Bearer", NULL, ""), TOKEN_MALFORMED);
    ck_assert_int_eq(find("Bearer ", NULL, "token=abc"), TOKEN_MALFORMED);
    ck_assert_int_eq(find(NULL, "bearer, ", ""), TOKEN_MALFORMED);
    ck_assert_int_eq(find(NULL, NULL, "token="), TOKEN_MALFORMED);
    ck_assert_int_eq(find(NULL, NULL, "token"), TOKEN_MALFORMED);
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
    const TTest *const tests[] = {a_token_in_each_place,
                                  no_token,
                                  two_different_tokens,
                                  several_authorization_headers,
                                  invalid_tokens,
                                  tokens_of_socketio,
                                  NULL};

    return suite_run("credentials", tests);
}
