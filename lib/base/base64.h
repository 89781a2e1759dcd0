/* base64.h: strict base64 with padding (RFC 4648 §4). */
#ifndef WS_BASE_BASE64_H
#define WS_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Decodes `length` characters at `text` into `to`, which may be `text` itself. False, with
 * nothing promised about `to`, if a character is not of the alphabet, the padding is missing or
 * wrong, or unused bits are not 0 (§3.5). *n is the number of bytes. */
bool base64_decode(const char *text, size_t length, uint8_t *to, size_t *n);

/* Adds the base64 of some bytes to a buffer. */
void base64_add(struct buffer *buffer, const void *bytes, size_t length);

#endif
