/* token_key_test.c: keys from files, and tokens that are signed with a key pair. Not here: a
 * token's claims (token_test.c). */
#include "token_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "signer.h"
#include "support/suite.h"

#define NOW_MS INT64_C(1700000000000)
#define ANA "{\"sub\":\"ana\",\"exp\":1700000060}"

enum { PEM_BYTES = 1024, MOST_ALLOCATIONS = 300 };

static char path[] = "token_key_test.XXXXXX";
static char reason[256];
static char token[SIGNER_TOKEN_BYTES];
static struct token_key key;
static size_t n_allocations; /* of OpenSSL */

static void *count_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    n_allocations++;
    return malloc(size);
}

static void *count_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    n_allocations++;
    return realloc(memory, size);
}

static void do_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static void write_file(const void *bytes, size_t length)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static size_t read_file(char bytes[PEM_BYTES])
{
    FILE *file = fopen(path, "rbe");
    size_t length;

    ck_assert_ptr_nonnull(file);
    length = fread(bytes, 1, PEM_BYTES, file);
    fclose(file);
    return length;
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
    ck_assert_uint_eq(key.secret_length, 32);
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
    char pem[PEM_BYTES];
    size_t length = read_file(pem);

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
    signer_sign_hmac(token, pem, length);
    ck_assert_int_eq(judge(), TOKEN_WRONG_ALGORITHM);
    signer_write(token, "{\"alg\":\"RS256\"}", ANA);
    signer_sign_hmac(token, pem, length);
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
    sign("{\"alg\":\"ES256\"}", pair);
    strcat(token, "AAAA");
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);

    token_key_free(&key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(pair);
}
END_TEST

/* OpenSSL's allocations for a token that is not genuine: 26 with RSA, 68 with ECDSA. Parsing a
 * public key takes 3,000, and far more time than the check. */
static size_t allocations_of_check(EVP_PKEY *pair, EVP_PKEY *other, const char *head)
{
    size_t before;

    sign(head, other);
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);
    before = n_allocations;
    ck_assert_int_eq(judge(), TOKEN_NOT_GENUINE);
    before = n_allocations - before;
    token_key_free(&key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(pair);
    return before;
}

START_TEST(keys_are_not_parsed_for_each_token)
{
    EVP_PKEY *pair = read_pair(EVP_RSA_gen(2048), "RS256");

    ck_assert_uint_lt(allocations_of_check(pair, EVP_RSA_gen(2048), "{\"alg\":\"RS256\"}"),
                      MOST_ALLOCATIONS);
    pair = read_pair(EVP_EC_gen("P-256"), "ES256");
    ck_assert_uint_lt(allocations_of_check(pair, EVP_EC_gen("P-256"), "{\"alg\":\"ES256\"}"),
                      MOST_ALLOCATIONS);
}
END_TEST

static void check_refused(EVP_PKEY *pair)
{
    ck_assert_ptr_nonnull(pair);
    signer_write_public_key(path, pair);
    ck_assert(!token_key_read_public(path, &key, reason, sizeof reason));
    EVP_PKEY_free(pair);
}

/* Its modulus is no product of two primes, which no one looks at. */
static EVP_PKEY *large_rsa(void)
{
    OSSL_PARAM_BLD *numbers = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *modulus = BN_new();
    BIGNUM *exponent = BN_new();
    OSSL_PARAM *parameters;
    EVP_PKEY *pair = NULL;

    ck_assert(BN_set_bit(modulus, 4096) == 1 && BN_add_word(modulus, 1) == 1);
    ck_assert_int_eq(BN_set_word(exponent, RSA_F4), 1);
    ck_assert(OSSL_PARAM_BLD_push_BN(numbers, "n", modulus) == 1 &&
              OSSL_PARAM_BLD_push_BN(numbers, "e", exponent) == 1);
    parameters = OSSL_PARAM_BLD_to_param(numbers);
    ck_assert_int_eq(EVP_PKEY_fromdata_init(context), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(context, &pair, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(numbers);
    EVP_PKEY_CTX_free(context);
    BN_free(modulus);
    BN_free(exponent);
    return pair;
}

START_TEST(unsuitable_keys_are_refused)
{
    check_refused(EVP_RSA_gen(1024));
    ck_assert_str_eq(reason, "an RSA key must have 2048 to 4096 bits, but this one has 1024");
    check_refused(large_rsa());
    ck_assert_str_eq(reason, "an RSA key must have 2048 to 4096 bits, but this one has 4097");
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
        a_secret_has_32_bytes_or_more,      tokens_signed_by_rsa,        tokens_signed_by_ecdsa,
        keys_are_not_parsed_for_each_token, unsuitable_keys_are_refused, NULL,
    };
    int file = mkstemp(path);
    int status;

    if (file < 0 || CRYPTO_set_mem_functions(count_malloc, count_realloc, do_free) != 1)
        return EXIT_FAILURE;
    close(file);
    status = suite_run("token-key", tests);
    unlink(path);
    return status;
}
