/* pid.c: the private id of a session that a client of Socket.IO may recover. */
#include "transport/engineio/pid.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

enum { TOKEN = 16, TOKEN_TEXT = 2 * TOKEN, DIGEST = 32 };

bool pid_draw_secret(uint8_t secret[PID_SECRET])
{
    return RAND_bytes(secret, PID_SECRET) == 1;
}

static void write_hex(char *to, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = '\0';
}

static bool write_token(char token[TOKEN_TEXT + 1], const uint8_t secret[PID_SECRET],
                        const char *name)
{
    uint8_t digest[DIGEST];

    if (HMAC(EVP_sha256(), secret, PID_SECRET, (const unsigned char *)name, strlen(name),
             digest, NULL) == NULL)
        return false;
    write_hex(token, digest, TOKEN);
    return true;
}

/* The key is made of what comes before the event, which clients could change. */
static bool make_key(struct pid *pid, size_t length)
{
    uint8_t digest[DIGEST];

    if (EVP_Digest(pid->text, length, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    memcpy(pid->key, digest, PID_KEY);
    return true;
}

bool pid_make(struct pid *pid, const uint8_t secret[PID_SECRET], const char *name,
              const char *event)
{
    char token[TOKEN_TEXT + 1];
    int length;

    if (!write_token(token, secret, name))
        return false;
    length = snprintf(pid->text, sizeof pid->text, "%s.%s", name, token);
    snprintf(pid->name, sizeof pid->name, "%s", name);
    snprintf(pid->event, sizeof pid->event, "%s", event);
    if (!make_key(pid, (size_t)length))
        return false;
    snprintf(pid->text + length, sizeof pid->text - (size_t)length, ".%s", event);
    return true;
}

bool pid_copy_plain(struct json_slice value, char *text, size_t size)
{
    if (value.text == NULL || value.length < 2 || value.length - 2 >= size ||
        *value.text != '"')
        return false;
    for (size_t i = 1; i < value.length - 1; i++) {
        unsigned char c = (unsigned char)value.text[i];

        if (c <= ' ' || c >= 0x7f || c == '\\')
            return false;
    }
    memcpy(text, value.text + 1, value.length - 2);
    text[value.length - 2] = '\0';
    return true;
}

bool pid_read(struct pid *pid, struct json_slice value)
{
    const char *token;
    const char *event;

    if (!pid_copy_plain(value, pid->text, sizeof pid->text))
        return false;
    token = strchr(pid->text, '.');
    event = token != NULL ? strchr(token + 1, '.') : NULL;
    if (event == NULL || event - (token + 1) != TOKEN_TEXT ||
        token - pid->text >= (ptrdiff_t)sizeof pid->name ||
        strlen(event + 1) >= sizeof pid->event)
        return false;
    memcpy(pid->name, pid->text, (size_t)(token - pid->text));
    pid->name[token - pid->text] = '\0';
    memcpy(pid->event, event + 1, strlen(event + 1) + 1);
    return make_key(pid, (size_t)(event - pid->text));
}

void pid_name_key(const uint8_t key[PID_KEY], char name[PID_KEY_NAME])
{
    write_hex(name, key, PID_KEY);
}

bool pid_is_own(const struct pid *pid, const uint8_t secret[PID_SECRET])
{
    char token[TOKEN_TEXT + 1];

    return write_token(token, secret, pid->name) &&
           CRYPTO_memcmp(token, pid->text + strlen(pid->name) + 1, TOKEN_TEXT) == 0;
}
