/* token_test.c: valid and hostile tokens, against one secret. Not here: tokens that are signed with
 * a key pair (token_key_test.c). */
#include "token.h"

#include <stdio.h>
#include <string.h>

#include "signer.h"
#include "support/suite.h"

#define NOW_MS INT64_C(1700000000000)
#define HEAD "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define IN_TIME "\"exp\":1700000060"
#define ANA "{\"sub\":\"ana\"," IN_TIME "}"
#define CLAIMS(more) "{\"sub\":\"ana\"," IN_TIME "," more "}"
#define NAME_OF_32 "abcdefghijklmnopqrstuvwxyz012345"
#define NAME_OF_128 NAME_OF_32 NAME_OF_32 NAME_OF_32 NAME_OF_32

static unsigned char secret[] = "a secret of more than 32 bytes, \0 among them";
static const struct token_key key = {
    .algorithm = "HS256", .secret = secret, .secret_length = sizeof secret};
static char token[SIGNER_TOKEN_BYTES];
static struct token_claims claims;

static enum token_result judge_for(const char *audience)
{
    memset(&claims, 0, sizeof claims);
    return token_check(&key, audience, token, NOW_MS, &claims);
}

/* Signed correctly. */
static enum token_result judge(const char *head, const char *body)
{
    signer_write(token, head, body);
    signer_sign_hmac(token, secret, sizeof secret);
    return judge_for("orders");
}

struct expectation {
    const char *head;
    const char *claims;
    enum token_result result;
};

static void check_table(const struct expectation *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum token_result result = judge(table[i].head, table[i].claims);

        if (result != table[i].result)
            ck_abort_msg("%s %s: %s", table[i].head, table[i].claims,
                         token_result_text(result));
    }
}

#define CHECK_TABLE(table) check_table(table, sizeof(table) / sizeof *(table))

START_TEST(valid_tokens_are_accepted)
{
    static const struct expectation table[] = {
        {HEAD, CLAIMS("\"aud\":\"orders\""), TOKEN_OK},
        {HEAD, CLAIMS("\"aud\":[\"stock\",\"orders\"]"), TOKEN_OK},
        {HEAD, CLAIMS("\"aud\":[7,\"orders\"]"), TOKEN_OK},
        {"{\"alg\":\"HS256\"}", CLAIMS("\"aud\":\"orders\""), TOKEN_OK},
        {"{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", CLAIMS("\"aud\":\"orders\""),
         TOKEN_OK},
        {HEAD, CLAIMS("\"aud\":\"orders\",\"nbf\":1700000000"), TOKEN_OK},
        {HEAD, "{\"sub\":\"ana\",\"exp\":1700000001,\"aud\":\"orders\"}", TOKEN_OK},
        {HEAD, "{\"sub\":\"ana\",\"exp\":1700000000.5,\"aud\":\"orders\"}", TOKEN_OK},
        {HEAD, "{\"sub\":\"" NAME_OF_128 "\"," IN_TIME ",\"aud\":\"orders\"}", TOKEN_OK},
        {HEAD, "{\"sub\":\"J\\u00e9r\\u00f4me\"," IN_TIME ",\"aud\":\"orders\"}", TOKEN_OK},
    };

    CHECK_TABLE(table);
    ck_assert_str_eq(claims.user_id, "J\xC3\xA9r\xC3\xB4me");
    ck_assert_int_eq(claims.expires_ms, INT64_C(1700000060000));
}
END_TEST

START_TEST(heads_cannot_choose_how_they_are_verified)
{
    static const struct expectation table[] = {
        {"{\"alg\":\"none\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"None\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"hs256\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"HS256 \"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"HS384\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"HS512\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"RS256\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"ES256\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":[\"HS256\"]}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":null}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":1}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"ALG\":\"HS256\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"typ\":\"JWT\"}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{}", ANA, TOKEN_WRONG_ALGORITHM},
        {"{\"alg\":\"HS256\",\"alg\":\"none\"}", ANA, TOKEN_MALFORMED},
        {"{\"alg\":\"none\",\"alg\":\"HS256\"}", ANA, TOKEN_MALFORMED},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", ANA, TOKEN_MALFORMED},
        {"{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", ANA, TOKEN_MALFORMED},
        {"{\"alg\":\"HS256\\u0000\"}", ANA, TOKEN_MALFORMED},
        {"{\"alg\":\"HS256\"} x", ANA, TOKEN_MALFORMED},
        {"{\"alg\":\"HS256\"", ANA, TOKEN_MALFORMED},
        {"[\"HS256\"]", ANA, TOKEN_MALFORMED},
        {"\"HS256\"", ANA, TOKEN_MALFORMED},
        {"{\"alg\":\"HS256\",\"typ\":\"JWE\"}", ANA, TOKEN_MALFORMED},
    };

    CHECK_TABLE(table);
}
END_TEST

START_TEST(claims_that_are_not_fulfilled)
{
    static const struct expectation table[] = {
        {HEAD, "{\"sub\":\"ana\"}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"ana\",\"exp\":\"1700000060\"}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"ana\",\"exp\":null}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"ana\",\"exp\":true}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"ana\",\"exp\":-1}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"ana\",\"exp\":1,\"exp\":1700000060}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"ana\",\"exp\":1700000060,\"exp\":1}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"ana\",\"exp\":0}", TOKEN_EXPIRED},
        {HEAD, "{\"sub\":\"ana\",\"exp\":1700000000}", TOKEN_EXPIRED},
        {HEAD, "{\"sub\":\"ana\",\"exp\":1699999999.999}", TOKEN_EXPIRED},
        {HEAD, CLAIMS("\"nbf\":1700000001"), TOKEN_NOT_YET_VALID},
        {HEAD, CLAIMS("\"nbf\":1700000000.5"), TOKEN_NOT_YET_VALID},
        {HEAD, CLAIMS("\"nbf\":1e300"), TOKEN_NOT_YET_VALID},
        {HEAD, CLAIMS("\"nbf\":\"1\""), TOKEN_BAD_CLAIM},
        {HEAD, CLAIMS("\"nbf\":1,\"nbf\":1"), TOKEN_BAD_CLAIM},
        {HEAD, ANA, TOKEN_WRONG_AUDIENCE},
        {HEAD, CLAIMS("\"aud\":\"stock\""), TOKEN_WRONG_AUDIENCE},
        {HEAD, CLAIMS("\"aud\":\"Orders\""), TOKEN_WRONG_AUDIENCE},
        {HEAD, CLAIMS("\"aud\":[]"), TOKEN_WRONG_AUDIENCE},
        {HEAD, CLAIMS("\"aud\":[[\"orders\"]]"), TOKEN_WRONG_AUDIENCE},
        {HEAD, CLAIMS("\"aud\":{\"orders\":\"orders\"}"), TOKEN_WRONG_AUDIENCE},
        {HEAD, CLAIMS("\"aud\":\"orders\",\"aud\":\"stock\""), TOKEN_WRONG_AUDIENCE},
        {HEAD, "{\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, CLAIMS("\"aud\":\"orders\",\"sub\":\"bob\""), TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"\",\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":7,\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":[\"ana\"],\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"a\\u0085\",\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"\xC2\x9B\",\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"\\u202ebob\",\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"a\\nb\",\"aud\":\"orders\"," IN_TIME "}", TOKEN_BAD_CLAIM},
        {HEAD, "{\"sub\":\"" NAME_OF_128 "x\",\"aud\":\"orders\"," IN_TIME "}",
         TOKEN_BAD_CLAIM},
        {HEAD, CLAIMS("\"aud\":\"orders\",\"role\":\"user\",\"role\":\"staff\""),
         TOKEN_BAD_CLAIM},
    };

    CHECK_TABLE(table);
}
END_TEST

/* RFC 7519 §4.1.3: a server that the token's audience does not name must refuse it. */
START_TEST(an_audience_is_refused_if_none_is_configured)
{
    static const char *const bodies[] = {CLAIMS("\"aud\":\"orders\""), CLAIMS("\"aud\":[]"),
                                         CLAIMS("\"aud\":null"),
                                         CLAIMS("\"aud\":\"a\",\"aud\":\"b\"")};

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        judge(HEAD, bodies[i]);
        ck_assert_int_eq(judge_for(NULL), TOKEN_WRONG_AUDIENCE);
    }
    judge(HEAD, ANA);
    ck_assert_int_eq(judge_for(NULL), TOKEN_OK);
}
END_TEST

START_TEST(claims_that_are_not_json)
{
    static const char *const bodies[] = {
        "{\"sub\":\"ana\\u0000\",\"aud\":\"orders\"," IN_TIME "}",
        "{\"sub\":\"\\ud800\",\"aud\":\"orders\"," IN_TIME "}",
        "{\"sub\":\"\xC0\x80\",\"aud\":\"orders\"," IN_TIME "}",
        "{\"sub\":\"ana\",\"aud\":\"orders\",\"exp\":01700000060}",
        "{\"sub\":\"ana\",\"aud\":\"orders\",\"exp\":NaN}",
        "{\"sub\":\"ana\",\"aud\":\"orders\"," IN_TIME ",}",
        "{\"sub\":\"ana\",\"aud\":\"orders\"," IN_TIME "}{}",
        "[" ANA "]",
        "null",
        " ",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        enum token_result result = judge(HEAD, bodies[i]);

        if (result != TOKEN_MALFORMED)
            ck_abort_msg("%s: %s", bodies[i], token_result_text(result));
    }
}
END_TEST

START_TEST(texts_that_are_not_tokens)
{
    static const char *const texts[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.c",
        "e30.e30.e30.e30",
        "e30..e30",
        ".e30.e30",
        "e30.e30.",
        "e30=.e30.e30",
        "e31.e30.e30",
        "e30 .e30.e30",
        "e+0.e30.e30",
        "e/0.e30.e30",
        "e3\n0.e30.e30",
        "Bearer e30.e30.e30",
        "e30.e30.e30 ",
        "\xC3\xA9.e30.e30",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        strcpy(token, texts[i]);
        if (judge_for(NULL) != TOKEN_MALFORMED)
            ck_abort_msg("'%s' is accepted", texts[i]);
    }
}
END_TEST

START_TEST(wrong_signatures_are_refused)
{
    size_t length;

    signer_write(token, HEAD, ANA);
    signer_sign_hmac(token, "another secret", strlen("another secret"));
    ck_assert_int_eq(judge_for(NULL), TOKEN_NOT_GENUINE);
    signer_write(token, HEAD, ANA);
    signer_sign_hmac(token, "", 0);
    ck_assert_int_eq(judge_for(NULL), TOKEN_NOT_GENUINE);
    /* Up to its NUL it is the correct secret. */
    signer_write(token, HEAD, ANA);
    signer_sign_hmac(token, secret, strlen((const char *)secret));
    ck_assert_int_eq(judge_for(NULL), TOKEN_NOT_GENUINE);
    signer_write(token, HEAD, ANA);
    signer_append(token, "\0", 1);
    ck_assert_int_eq(judge_for(NULL), TOKEN_NOT_GENUINE);

    ck_assert_int_eq(judge(HEAD, CLAIMS("\"aud\":\"orders\"")), TOKEN_OK);
    length = strlen(token);
    token[length - 2] = token[length - 2] == 'A' ? 'B' : 'A';
    ck_assert_int_eq(judge_for(NULL), TOKEN_NOT_GENUINE);
}
END_TEST

/* Any character that is changed, omitted or added makes the token invalid. */
START_TEST(one_changed_character_is_refused)
{
    char good[SIGNER_TOKEN_BYTES];

    ck_assert_int_eq(judge(HEAD, CLAIMS("\"aud\":\"orders\"")), TOKEN_OK);
    strcpy(good, token);
    for (size_t i = 0; i < strlen(good); i++) {
        for (const char *other = "A9_.="; *other != '\0'; other++) {
            strcpy(token, good);
            token[i] = *other;
            if (*other != good[i] && judge_for("orders") == TOKEN_OK)
                ck_abort_msg("'%c' at %zu is accepted", *other, i);
        }
        strcpy(token, good);
        memmove(&token[i], &token[i + 1], strlen(&token[i]));
        if (judge_for("orders") == TOKEN_OK)
            ck_abort_msg("accepted without the character at %zu", i);
    }
}
END_TEST

START_TEST(a_huge_token_is_refused_unread)
{
    static char body[TOKEN_MAX_BYTES];

    snprintf(body, sizeof body, "%s,\"pad\":\"%05000d\"}", "{\"sub\":\"ana\"," IN_TIME, 0);
    ck_assert_int_eq(judge(HEAD, body), TOKEN_WRONG_AUDIENCE);
    snprintf(body, sizeof body, "%s,\"pad\":\"%07000d\"}", "{\"sub\":\"ana\"," IN_TIME, 0);
    ck_assert_int_eq(judge(HEAD, body), TOKEN_MALFORMED);
    memset(body, '[', sizeof body - 4000);
    body[sizeof body - 4000] = '\0';
    ck_assert_int_eq(judge(HEAD, body), TOKEN_MALFORMED);
}
END_TEST

START_TEST(a_distant_expiry_does_not_overflow)
{
    static const char *const ends[] = {
        "253402300799", "9007199254740993", "9223372036854775807", "1e19", "1e308", "1e400"};
    char body[128];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(body, sizeof body, "{\"sub\":\"ana\",\"exp\":%s,\"aud\":\"orders\"}", ends[i]);
        ck_assert_int_eq(judge(HEAD, body), TOKEN_OK);
        ck_assert_int_eq(claims.expires_ms, INT64_C(253402300799000));
    }
}
END_TEST

START_TEST(staff_is_known_by_a_claim)
{
    static const struct {
        const char *claims;
        bool is_staff;
    } table[] = {
        {CLAIMS("\"role\":\"staff\""), true},
        {CLAIMS("\"roles\":[\"staff\"]"), true},
        {CLAIMS("\"roles\":[\"user\",\"staff\"],\"role\":\"user\""), true},
        {ANA, false},
        {CLAIMS("\"role\":\"Staff\""), false},
        {CLAIMS("\"role\":\"staffs\""), false},
        {CLAIMS("\"role\":[\"staff\"]"), false},
        {CLAIMS("\"role\":true"), false},
        {CLAIMS("\"roles\":\"staff\""), false},
        {CLAIMS("\"roles\":{\"staff\":\"staff\"}"), false},
        {CLAIMS("\"roles\":[[\"staff\"],{\"staff\":1}]"), false},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        judge(HEAD, table[i].claims);
        ck_assert_int_eq(judge_for(NULL), TOKEN_OK);
        if (claims.is_staff != table[i].is_staff)
            ck_abort_msg("%s", table[i].claims);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        valid_tokens_are_accepted,      heads_cannot_choose_how_they_are_verified,
        claims_that_are_not_fulfilled,  an_audience_is_refused_if_none_is_configured,
        claims_that_are_not_json,       texts_that_are_not_tokens,
        wrong_signatures_are_refused,   one_changed_character_is_refused,
        a_huge_token_is_refused_unread, a_distant_expiry_does_not_overflow,
        staff_is_known_by_a_claim,      NULL,
    };

    return suite_run("token", tests);
}
