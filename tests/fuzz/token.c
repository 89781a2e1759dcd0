/* token.c: requests with tokens, hostile ones and ones that are signed here over any head and
 * claims, verified with each kind of key; an accepted token is parsed again and must be valid. Not
 * here: HTTP around it (http.c). */
#include "backend/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "backend/credentials.h"
#include "backend/signer.h"
#include "backend/token_key.h"
#include "fuzz/support/input.h"

#define NOW_MS INT64_C(1700000000000)
#define LATEST_MS INT64_C(253402300799000)

enum { KEY_SECRET, KEY_RSA, KEY_EC, N_KEYS, PART_MAX_BYTES = 8192, PATH_BYTES = 32 };

static const char *const audience = "orders";
static struct token_key keys[N_KEYS];
static EVP_PKEY *pairs[N_KEYS];

/* What each key's file holds: the secret, or the public key in PEM, which anybody knows. */
static struct {
    unsigned char bytes[PART_MAX_BYTES];
    size_t length;
} files[N_KEYS];

/* --- keys ------------------------------------------------------------------------------------ */

/* Creates a file in memory; returns its descriptor, and its path in `path`. */
static int memory_file(char path[PATH_BYTES])
{
    int fd = memfd_create("key", 0);

    ck_assert_int_ge(fd, 0);
    snprintf(path, PATH_BYTES, "/proc/self/fd/%d", fd);
    return fd;
}

static void make_pair(unsigned kind, EVP_PKEY *pair)
{
    char path[PATH_BYTES];
    char reason[256];
    int fd = memory_file(path);
    ssize_t length;

    ck_assert_ptr_nonnull(pair);
    signer_write_public_key(path, pair);
    ck_assert(token_key_read_public(path, &keys[kind], reason, sizeof reason));
    length = pread(fd, files[kind].bytes, PART_MAX_BYTES, 0);
    ck_assert_int_gt(length, 0);
    files[kind].length = (size_t)length;
    close(fd);
    pairs[kind] = pair;
}

/* Creating a key takes longer than a thousand inputs. */
static void make_keys(void)
{
    static unsigned char secret[] = "a secret of more than 32 bytes, for every run";

    if (keys[KEY_SECRET].algorithm != NULL)
        return;
    keys[KEY_SECRET] = (struct token_key){
        .algorithm = "HS256", .secret = secret, .secret_length = sizeof secret};
    memcpy(files[KEY_SECRET].bytes, secret, sizeof secret);
    files[KEY_SECRET].length = sizeof secret;
    make_pair(KEY_RSA, EVP_RSA_gen(2048));
    make_pair(KEY_EC, EVP_EC_gen("P-256"));
}

static void read_key_file(struct fuzz_input *input)
{
    struct text file = input_rest(input);
    struct token_key key;
    char path[PATH_BYTES];
    char reason[256] = "";
    int fd = memory_file(path);

    ck_assert_int_eq(write(fd, file.bytes, file.length), (ssize_t)file.length);
    if (token_key_read_secret(path, &key, reason, sizeof reason)) {
        ck_assert_uint_ge(file.length, 32);
        ck_assert_uint_eq(key.secret_length, file.length);
        ck_assert_mem_eq(key.secret, file.bytes, file.length);
        token_key_free(&key);
    } else {
        ck_assert_uint_lt(file.length, 32);
    }
    if (token_key_read_public(path, &key, reason, sizeof reason)) {
        ck_assert(strcmp(key.algorithm, "RS256") == 0 || strcmp(key.algorithm, "ES256") == 0);
        token_key_free(&key);
    } else {
        ck_assert_str_ne(reason, "");
    }
    close(fd);
    text_free(&file);
}

/* --- what an accepted token says -------------------------------------------------------------- */

static cJSON *decode_part(const char *part, size_t length)
{
    char base64[PART_MAX_BYTES + 4];
    char json[PART_MAX_BYTES + 4];

    ck_assert_uint_lt(length, PART_MAX_BYTES);
    for (size_t i = 0; i < length; i++)
        base64[i] = part[i] == '-' ? '+' : part[i] == '_' ? '/' : part[i];
    for (; length % 4 != 0; length++)
        base64[length] = '=';
    ck_assert_int_ge(
        EVP_DecodeBlock((unsigned char *)json, (const unsigned char *)base64, (int)length), 0);
    json[length / 4 * 3] = '\0';
    return cJSON_Parse(json);
}

/* NULL if there is none; a token must not have two. */
static const cJSON *only(const cJSON *object, const char *name)
{
    const cJSON *found = NULL;
    const cJSON *item;

    cJSON_ArrayForEach(item, object)
    {
        if (strcmp(item->string, name) != 0)
            continue;
        ck_assert_ptr_null(found);
        found = item;
    }
    return found;
}

static bool names(const cJSON *claim, const char *text)
{
    const cJSON *item;

    if (cJSON_IsString(claim))
        return strcmp(claim->valuestring, text) == 0;
    cJSON_ArrayForEach(item, claim)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, text) == 0)
            return cJSON_IsArray(claim);
    }
    return false;
}

static void check_claims(const cJSON *json, bool for_audience,
                         const struct token_claims *claims)
{
    const cJSON *expires = only(json, "exp");
    const cJSON *begins = only(json, "nbf");
    const cJSON *subject = only(json, "sub");
    const cJSON *named = only(json, "aud");
    const cJSON *role = only(json, "role");
    const cJSON *roles = only(json, "roles");

    ck_assert(cJSON_IsNumber(expires));
    ck_assert(expires->valuedouble * 1000 > (double)NOW_MS);
    ck_assert_int_gt(claims->expires_ms, NOW_MS);
    ck_assert_int_le(claims->expires_ms, LATEST_MS);
    ck_assert(begins == NULL || cJSON_IsNumber(begins));
    ck_assert(begins == NULL || begins->valuedouble * 1000 < (double)NOW_MS + 1);
    ck_assert(for_audience ? names(named, audience) : named == NULL);
    ck_assert(cJSON_IsString(subject));
    ck_assert_str_eq(subject->valuestring, claims->user_id);
    ck_assert_uint_gt(strlen(claims->user_id), 0);
    ck_assert_int_eq(claims->is_staff, (cJSON_IsString(role) && names(role, "staff")) ||
                                           (cJSON_IsArray(roles) && names(roles, "staff")));
}

static void check_accepted(const char *token, const struct token_key *key, bool for_audience,
                           const struct token_claims *claims)
{
    size_t head_length = strcspn(token, ".");
    const char *body = token + head_length + 1;
    cJSON *head = decode_part(token, head_length);
    cJSON *json = decode_part(body, strcspn(body, "."));
    const cJSON *algorithm = only(head, "alg");

    ck_assert(cJSON_IsObject(head) && cJSON_IsObject(json) && cJSON_IsString(algorithm));
    ck_assert_str_eq(algorithm->valuestring, key->algorithm);
    ck_assert_ptr_null(only(head, "crit"));
    check_claims(json, for_audience, claims);
    cJSON_Delete(head);
    cJSON_Delete(json);
}

/* --- tokens ---------------------------------------------------------------------------------- */

/* Only a signer that knows the secret could have written it. */
static bool is_signed_with_secret(const char *token)
{
    static char again[SIGNER_TOKEN_BYTES];
    const char *last = strrchr(token, '.');

    snprintf(again, sizeof again, "%.*s", (int)(last - token), token);
    signer_sign_hmac(again, files[KEY_SECRET].bytes, files[KEY_SECRET].length);
    return strcmp(again, token) == 0;
}

/* `signer` is the key that signed it, or N_KEYS if none did. */
static void judge(const char *token, unsigned signer)
{
    for (unsigned i = 0; i < 2 * N_KEYS; i++) {
        unsigned kind = i / 2;
        bool for_audience = i % 2 == 1;
        struct token_claims claims;
        enum token_result result =
            token_check(&keys[kind], for_audience ? audience : NULL, token, NOW_MS, &claims);

        ck_assert_ptr_nonnull(token_result_text(result));
        if (result != TOKEN_OK)
            continue;
        ck_assert(kind == signer || (kind == KEY_SECRET && is_signed_with_secret(token)));
        check_accepted(token, &keys[kind], for_audience, &claims);
    }
}

/* An object of known or made-up members. */
static void write_object(struct fuzz_input *input, char *json, size_t size)
{
    static const char *const members[] = {
        "\"alg\":\"HS256\"",     "\"alg\":\"RS256\"",      "\"alg\":\"ES256\"",
        "\"alg\":\"none\"",      "\"typ\":\"JWT\"",        "\"crit\":[\"exp\"]",
        "\"sub\":\"ana\"",       "\"exp\":1700000060",     "\"exp\":1700000000",
        "\"exp\":1e300",         "\"nbf\":1700000000",     "\"nbf\":1700000001",
        "\"aud\":\"orders\"",    "\"aud\":[1,\"orders\"]", "\"role\":\"staff\"",
        "\"roles\":[\"staff\"]", "\"sub\":\"\\u00e9\"",    "\"role\":\"guest\"",
    };
    enum { N_MEMBERS = sizeof members / sizeof *members };
    unsigned n = input_below(input, 8);
    size_t length = (size_t)snprintf(json, size, "{");

    for (unsigned i = 0; i < n; i++) {
        unsigned which = input_below(input, N_MEMBERS + 3);
        struct text made_up = {0};

        if (which >= N_MEMBERS)
            made_up = input_string(input);
        length += (size_t)snprintf(json + length, size - length, "%s%s", i > 0 ? "," : "",
                                   which < N_MEMBERS ? members[which] : made_up.bytes);
        text_free(&made_up);
    }
    snprintf(json + length, size - length, "}");
}

/* Signs by the rules, or by HMAC with a public key as the secret; returns the key. */
static unsigned sign(struct fuzz_input *input, char token[SIGNER_TOKEN_BYTES])
{
    unsigned kind = input_below(input, N_KEYS);

    if (kind == KEY_SECRET || input_byte(input) % 8 == 7) {
        signer_sign_hmac(token, files[kind].bytes, files[kind].length);
        return kind == KEY_SECRET ? kind : (unsigned)N_KEYS;
    }
    signer_sign(token, pairs[kind]);
    return kind;
}

static void judge_signed(struct fuzz_input *input)
{
    enum { OBJECT_BYTES = 8192 };
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static char token[SIGNER_TOKEN_BYTES];
    static char head[OBJECT_BYTES];
    static char claims[OBJECT_BYTES];
    unsigned signer;
    size_t place;
    char digit;

    write_object(input, head, sizeof head);
    write_object(input, claims, sizeof claims);
    signer_write(token, head, claims);
    signer = sign(input, token);
    place = ((size_t)input_byte(input) << 8 | input_byte(input)) % strlen(token);
    place = strlen(token) - 1 - place; /* most often within the signature */
    digit = digits[input_below(input, 64)];
    judge(token, signer);
    if (digit != token[place]) {
        token[place] = digit;
        judge(token, N_KEYS);
    }
}

/* --- requests -------------------------------------------------------------------------------- */

static void judge_request(struct fuzz_input *input)
{
    struct text authorization = input_string(input);
    struct text protocols = input_string(input);
    struct text query = input_string(input);
    struct credentials credentials;

    credentials_init(&credentials);
    credentials_add_handshake(&credentials, query.bytes, authorization.bytes);
    credentials_add_protocols(&credentials, protocols.bytes);
    if (credentials.result == TOKEN_OK) {
        ck_assert_uint_gt(strlen(credentials.token), 0);
        ck_assert_uint_le(strlen(credentials.token), TOKEN_MAX_BYTES);
        judge(credentials.token, N_KEYS);
    }
    text_free(&authorization);
    text_free(&protocols);
    text_free(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fuzz_input input = {data, length};

    make_keys();
    switch (input_below(&input, 4)) {
    case 0:
        judge_request(&input);
        break;
    case 1:
        read_key_file(&input);
        break;
    default:
        judge_signed(&input);
        break;
    }
    return 0;
}
