/* signer.h: creates tokens as an issuer would, and as an attacker would. Not here: verifying them
 * (the backend's token.h). */
#ifndef BACKEND_SIGNER_H
#define BACKEND_SIGNER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

enum { SIGNER_TOKEN_BYTES = 32768 };

/* Writes HEAD.CLAIMS in base64url, without the signature and the dot before it. */
void signer_write(char token[SIGNER_TOKEN_BYTES], const char *head, const char *claims);

/* Appends a dot and that many bytes in base64url. */
void signer_append(char token[SIGNER_TOKEN_BYTES], const void *bytes, size_t length);

/* Signs what signer_write() wrote, by HMAC with SHA-256. */
void signer_sign_hmac(char token[SIGNER_TOKEN_BYTES], const void *secret, size_t length);

/* Signs by RSA (PKCS #1) or by ECDSA, with SHA-256. */
void signer_sign(char token[SIGNER_TOKEN_BYTES], EVP_PKEY *key);

/* Writes the public half of a key as PEM to that file; returns its length. */
size_t signer_write_public_key(const char *path, EVP_PKEY *key);

#endif
