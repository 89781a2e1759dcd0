/* token_signature.c: whether a signature was made with the key.
 * Tokens are taken apart in token.c. */
#include "token_signature.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { DIGEST_BYTES = 32, NUMBER_BYTES = 32 /* of each of the two numbers of ES256 */ };

static enum token_result check_hmac(const struct token_key *key, const char *text,
                                    size_t length, const unsigned char *signature,
                                    size_t signature_length)
{
    unsigned char expected[EVP_MAX_MD_SIZE];

    if (HMAC(EVP_sha256(), key->secret, (int)key->secret_length, (const unsigned char *)text,
             length, expected, NULL) == NULL)
        return TOKEN_NO_MEMORY;
    return signature_length == DIGEST_BYTES &&
                   CRYPTO_memcmp(signature, expected, DIGEST_BYTES) == 0
               ? TOKEN_OK
               : TOKEN_NOT_GENUINE;
}

static enum token_result check_digest(const struct token_key *key, const char *text,
                                      size_t length, const unsigned char *signature,
                                      size_t signature_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum token_result result = TOKEN_NO_MEMORY;

    if (context != NULL &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->public_key) == 1)
        result = EVP_DigestVerify(context, signature, signature_length,
                                  (const unsigned char *)text, length) == 1
                     ? TOKEN_OK
                     : TOKEN_NOT_GENUINE;
    EVP_MD_CTX_free(context);
    return result;
}

/* From the two numbers side by side (RFC 7518 §3.4) to DER; NULL when memory is short. The caller
 * frees it by OPENSSL_free(). */
static unsigned char *to_der(const unsigned char *signature, int *length)
{
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, NUMBER_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(signature + NUMBER_BYTES, NUMBER_BYTES, NULL);
    unsigned char *der = NULL;

    if (numbers != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(numbers, r, s) == 1) {
        *length = i2d_ECDSA_SIG(numbers, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(numbers);
    return der;
}

static enum token_result check_ecdsa(const struct token_key *key, const char *text,
                                     size_t length, const unsigned char *signature,
                                     size_t signature_length)
{
    enum token_result result;
    unsigned char *der;
    int der_length = 0;

    if (signature_length != 2 * (size_t)NUMBER_BYTES)
        return TOKEN_NOT_GENUINE;
    der = to_der(signature, &der_length);
    if (der == NULL)
        return TOKEN_NO_MEMORY;
    result = check_digest(key, text, length, der, (size_t)der_length);
    OPENSSL_free(der);
    return result;
}

enum token_result token_signature_check(const struct token_key *key, const char *text,
                                        size_t length, const unsigned char *signature,
                                        size_t signature_length)
{
    enum token_result result;

    if (key->public_key == NULL)
        result = check_hmac(key, text, length, signature, signature_length);
    else if (EVP_PKEY_get_base_id(key->public_key) == EVP_PKEY_EC)
        result = check_ecdsa(key, text, length, signature, signature_length);
    else
        result = check_digest(key, text, length, signature, signature_length);
    ERR_clear_error();
    return result;
}
