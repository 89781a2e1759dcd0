/* signer.c: creates tokens as an issuer would, and as an attacker would. Not here: verifying them
 * (the backend's token.c). */
#include "signer.h"

#include <stdio.h>
#include <string.h>

#include <check.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

enum { SIGNATURE_BYTES = 1024, P256_BYTES = 32 };

static void append_base64url(char *token, const void *bytes, size_t length)
{
    char *at = token + strlen(token);

    ck_assert_uint_lt(strlen(token) + length * 2, SIGNER_TOKEN_BYTES);
    EVP_EncodeBlock((unsigned char *)at, bytes, (int)length);
    at[strcspn(at, "=")] = '\0';
    for (; *at != '\0'; at++)
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
}

void signer_append(char token[SIGNER_TOKEN_BYTES], const void *bytes, size_t length)
{
    strcat(token, ".");
    append_base64url(token, bytes, length);
}

void signer_write(char token[SIGNER_TOKEN_BYTES], const char *head, const char *claims)
{
    token[0] = '\0';
    append_base64url(token, head, strlen(head));
    signer_append(token, claims, strlen(claims));
}

void signer_sign_hmac(char token[SIGNER_TOKEN_BYTES], const void *secret, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;

    ck_assert_ptr_nonnull(HMAC(EVP_sha256(), secret, (int)length, (const unsigned char *)token,
                               strlen(token), digest, &digest_length));
    signer_append(token, digest, digest_length);
}

/* From DER to the two numbers side by side (RFC 7518, 3.4). */
static size_t flatten(unsigned char *signature, size_t length)
{
    const unsigned char *der = signature;
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)length);

    ck_assert_ptr_nonnull(numbers);
    BN_bn2binpad(ECDSA_SIG_get0_r(numbers), signature, P256_BYTES);
    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), signature + P256_BYTES, P256_BYTES);
    ECDSA_SIG_free(numbers);
    return 2 * (size_t)P256_BYTES;
}

void signer_sign(char token[SIGNER_TOKEN_BYTES], EVP_PKEY *key)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[SIGNATURE_BYTES];
    size_t length = sizeof signature;

    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &length, (const unsigned char *)token,
                                    strlen(token)),
                     1);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
        length = flatten(signature, length);
    signer_append(token, signature, length);
    EVP_MD_CTX_free(context);
}

size_t signer_write_public_key(const char *path, EVP_PKEY *key)
{
    FILE *file = fopen(path, "we");
    long length;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_PUBKEY(file, key), 1);
    length = ftell(file);
    fclose(file);
    return (size_t)length;
}
