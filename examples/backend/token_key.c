/* token_key.c: reads the key of the tokens' signatures from its file.
 * It is used in token.c. */
#include "token_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

enum {
    FILE_MAX_BYTES = 65536,
    SECRET_MIN_BYTES = 32, /* as many as the digest has (RFC 7518 §3.2) */
    RSA_MIN_BITS = 2048,   /* RFC 7518 §3.3 */
    RSA_MAX_BITS = 4096    /* a check takes 90 µs, with 8192 bits 330 µs */
};

static bool read_file(const char *path, struct token_key *key, char *reason, size_t size)
{
    FILE *file = fopen(path, "rbe");
    bool is_read = false;

    *key = (struct token_key){0};
    if (file == NULL) {
        snprintf(reason, size, "%s", strerror(errno));
        return false;
    }
    key->secret = OPENSSL_malloc(FILE_MAX_BYTES);
    if (key->secret == NULL) {
        snprintf(reason, size, "out of memory");
        goto done;
    }
    key->secret_length = fread(key->secret, 1, FILE_MAX_BYTES, file);
    if (ferror(file) != 0)
        snprintf(reason, size, "%s", strerror(errno));
    else if (key->secret_length == FILE_MAX_BYTES)
        snprintf(reason, size, "the file is too large for a key");
    else
        is_read = true;
done:
    fclose(file);
    if (!is_read)
        token_key_free(key);
    return is_read;
}

bool token_key_read_secret(const char *path, struct token_key *key, char *reason, size_t size)
{
    if (!read_file(path, key, reason, size))
        return false;
    if (key->secret_length < SECRET_MIN_BYTES) {
        snprintf(reason, size, "the secret must have at least %d bytes, but has %zu",
                 SECRET_MIN_BYTES, key->secret_length);
        token_key_free(key);
        return false;
    }
    key->algorithm = "HS256";
    return true;
}

static bool is_p256(const EVP_PKEY *key)
{
    char name[64];

    return EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1 &&
           strcmp(name, SN_X9_62_prime256v1) == 0;
}

/* The algorithm that goes with a key, NULL with a reason if none does. */
static const char *algorithm_of(const EVP_PKEY *key, char *reason, size_t size)
{
    if (key == NULL) {
        snprintf(reason, size, "the file has no public key in PEM");
        return NULL;
    }
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        if (EVP_PKEY_get_bits(key) >= RSA_MIN_BITS && EVP_PKEY_get_bits(key) <= RSA_MAX_BITS)
            return "RS256";
        snprintf(reason, size, "an RSA key must have %d to %d bits, but this one has %d",
                 RSA_MIN_BITS, RSA_MAX_BITS, EVP_PKEY_get_bits(key));
        return NULL;
    case EVP_PKEY_EC:
        if (is_p256(key))
            return "ES256";
        break;
    default:
        break;
    }
    snprintf(reason, size, "the key is neither RSA nor on the curve P-256");
    return NULL;
}

bool token_key_read_public(const char *path, struct token_key *key, char *reason, size_t size)
{
    EVP_PKEY *parsed;
    BIO *pem;

    if (!read_file(path, key, reason, size))
        return false;
    pem = BIO_new_mem_buf(key->secret, (int)key->secret_length);
    parsed = pem != NULL ? PEM_read_bio_PUBKEY(pem, NULL, NULL, NULL) : NULL;
    BIO_free(pem);
    token_key_free(key);
    key->public_key = parsed;
    key->algorithm = algorithm_of(parsed, reason, size);
    if (key->algorithm == NULL) {
        token_key_free(key);
        return false;
    }
    return true;
}

void token_key_free(struct token_key *key)
{
    OPENSSL_clear_free(key->secret, FILE_MAX_BYTES);
    EVP_PKEY_free(key->public_key);
    *key = (struct token_key){0};
}
