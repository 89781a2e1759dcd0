/* token_key_test.c: keys from files, and tokens that are signed with a key pair. Not here: a
 * token's claims (token_test.c). */
#include "token_key.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "signer.h"
#include "support/suite.h"

#define NOW_MS INT64_C(1700000000000)
#define ANA "{\"sub\":\"ana\",\"exp\":1700000060}"

static char path[] = "token_key_test.XXXXXX";
static char reason[256];
static char token[SIGNER_TOKEN_BYTES];
static struct token_key key;

static void write_file(const void *bytes, size_t length)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static enum token_result judge(void)
{
    struct token_claims claims;

    return token_check(&key, NULL, token, NOW_MS, &claims);
}

START_TEST(a_secret_has_32_bytes_or_more)
{
    static char bytes[70000];

    write_file(bytes, 31);
    ck_assert(!token_key_read_secret(path, &key, reason, sizeof reason));
    ck_assert_str_eq(reason, "the secret must have at least 32 bytes, but has 31");
    write_file(bytes, 0);
    ck_assert(!token_key_read_secret(path, &key, reason, sizeof reason));
    write_file(bytes, sizeof bytes);
    ck_assert(!token_key_read_secret(path, &key, reason, sizeof reason));
    ck_assert(!token_key_read_secret("/nonexistent", &key, reason, sizeof reason));
    ck_assert_str_eq(reason, "No such file or directory");
    ck_assert(!token_key_read_secret("/", &key, reason, sizeof reason));

    write_file(bytes, 32);
    ck_assert(token_key_read_secret(path, &key, reason, sizeof reason));
    ck_assert_uint_eq(key.length, 32);
    ck_assert_str_eq(key.algorithm, "HS256");
    token_key_free(&key);
}
END_TEST

/* Reads the public half of a new pair; the caller frees the pair. */
static EVP_PKEY *read_pair(EVP_PKEY *pair, const char *algorithm)
{
    ck_assert_ptr_nonnull(pair);
    signer_write_public_key(path, pair);
    if (!token_key_read_public(path, &key, reason, sizeof reason))
        ck_abort_msg("%s", reason);
    ck_assert_str_eq(key.algorithm, algorithm);
    return pair;
}

static void sign(const char *head, EVP_PKEY *pair)
{
    signer_write(token, head, ANA);
    signer_sign(token, pair);
}

START_TEST(tokens_signed_by_rsa)
{
    EVP_PKEY *pair = read_pair(EVP_RSA_gen(2048), "RS256");
    EVP_PKEY *other = EVP_RSA_gen(2048);

    sign("{\"alg\":\"RS256\"}", pair);
    ck_assert_int_eq(judge(), TOKEN_OK);
    sign("{\"alg\":\"RS256\"}", other);
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);
    sign("{\"alg\":\"PS256\"}", pair);
    ck_assert_int_eq(judge(), TOKEN_WRONG_ALGORITHM);
    sign("{\"alg\":\"RS512\"}", pair);
    ck_assert_int_eq(judge(), TOKEN_WRONG_ALGORITHM);
    /* The public key does not work as a secret. */
    signer_write(token, "{\"alg\":\"HS256\"}", ANA);
    signer_sign_hmac(token, key.bytes, key.length);
    ck_assert_int_eq(judge(), TOKEN_WRONG_ALGORITHM);
    signer_write(token, "{\"alg\":\"RS256\"}", ANA);
    signer_sign_hmac(token, key.bytes, key.length);
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);
    signer_write(token, "{\"alg\":\"none\"}", ANA);
    strcat(token, ".");
    ck_assert_int_eq(judge(), TOKEN_MALFORMED);

    token_key_free(&key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(pair);
}
END_TEST

START_TEST(tokens_signed_by_ecdsa)
{
    static const unsigned char zeros[64];
    EVP_PKEY *pair = read_pair(EVP_EC_gen("P-256"), "ES256");
    EVP_PKEY *other = EVP_EC_gen("P-256");

    sign("{\"alg\":\"ES256\"}", pair);
    ck_assert_int_eq(judge(), TOKEN_OK);
    sign("{\"alg\":\"ES256\"}", other);
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);
    sign("{\"alg\":\"ES384\"}", pair);
    ck_assert_int_eq(judge(), TOKEN_WRONG_ALGORITHM);
    sign("{\"alg\":\"RS256\"}", pair);
    ck_assert_int_eq(judge(), TOKEN_WRONG_ALGORITHM);
    signer_write(token, "{\"alg\":\"ES256\"}", ANA);
    signer_append(token, zeros, sizeof zeros);
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);
    signer_write(token, "{\"alg\":\"ES256\"}", ANA);
    signer_append(token, zeros, 1);
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);

    token_key_free(&key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(pair);
}
END_TEST

static void check_refused(EVP_PKEY *pair)
{
    ck_assert_ptr_nonnull(pair);
    signer_write_public_key(path, pair);
    ck_assert(!token_key_read_public(path, &key, reason, sizeof reason));
    EVP_PKEY_free(pair);
}

START_TEST(unsuitable_keys_are_refused)
{
    check_refused(EVP_RSA_gen(1024));
    ck_assert_str_eq(reason, "an RSA key must have at least 2048 bits, but this one has 1024");
    check_refused(EVP_EC_gen("P-384"));
    check_refused(EVP_EC_gen("secp256k1"));
    check_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    ck_assert_str_eq(reason, "the key is neither RSA nor on the curve P-256");
    write_file("secret", strlen("secret"));
    ck_assert(!token_key_read_public(path, &key, reason, sizeof reason));
    ck_assert_str_eq(reason, "the file has no public key in PEM");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_secret_has_32_bytes_or_more,
        tokens_signed_by_rsa,
        tokens_signed_by_ecdsa,
        unsuitable_keys_are_refused,
        NULL,
    };
    int file = mkstemp(path);
    int status;

    if (file < 0)
        return EXIT_FAILURE;
    close(file);
    status = suite_run("token-key", tests);
    unlink(path);
    return status;
}
