/* token.c: checks a JSON Web Token (RFC 7519): its signature, its validity, its user.
 * Signatures are checked in token_signature.c. */
#include "token.h"

#include <string.h>
#include <strings.h>

#include "json_text.h"
#include "server/parts/text.h"
#include "token_signature.h"

/* The end of the year 9999: later times mean the same, and sums with this one cannot overflow. */
#define LATEST_S INT64_C(253402300799)

enum { N_PARTS = 3, PART_HEAD = 0, PART_CLAIMS = 1, PART_SIGNATURE = 2 };

struct part {
    const char *text;
    size_t length;
};

/* --- its three parts ----------------------------------------------------------------- */

static int sextet(char digit)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* Decodes base64url without padding into `decoded`, which gets a NUL. False for what is not the
 * only encoding of its bytes (RFC 4648 §3.5). */
static bool decode_part(const struct part *part, char *decoded, size_t *length)
{
    unsigned bits = 0;
    unsigned n_bits = 0;

    *length = 0;
    for (size_t i = 0; i < part->length; i++) {
        int value = sextet(part->text[i]);

        if (value < 0)
            return false;
        bits = (bits << 6 | (unsigned)value) & 0xFFF;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            decoded[(*length)++] = (char)(bits >> n_bits & 0xFF);
        }
    }
    decoded[*length] = '\0';
    return *length > 0 && n_bits < 6 && (bits & ((1U << n_bits) - 1)) == 0;
}

static bool split(const char *token, struct part parts[N_PARTS])
{
    char decoded[TOKEN_MAX_BYTES];
    size_t length;

    if (strlen(token) > TOKEN_MAX_BYTES)
        return false;
    for (size_t i = 0; i < N_PARTS; i++) {
        parts[i] = (struct part){token, strcspn(token, ".")};
        token += parts[i].length;
        if (*token != (i + 1 < N_PARTS ? '.' : '\0') ||
            !decode_part(&parts[i], decoded, &length))
            return false;
        token += *token == '.';
    }
    return true;
}

static enum token_result parse_part(const struct part *part, cJSON **json)
{
    char text[TOKEN_MAX_BYTES];
    const char *problem = NULL;
    size_t length;

    if (!decode_part(part, text, &length))
        return TOKEN_MALFORMED;
    *json = json_text_parse_object(text, length, &problem);
    if (*json == NULL)
        return problem != NULL ? TOKEN_MALFORMED : TOKEN_NO_MEMORY;
    return TOKEN_OK;
}

/* The member of that name; NULL if there is none. False if there are two, of which readers would
 * choose different ones. */
static bool get_member(const cJSON *object, const char *name, const cJSON **member)
{
    const cJSON *item;

    *member = NULL;
    cJSON_ArrayForEach(item, object)
    {
        if (strcmp(item->string, name) != 0)
            continue;
        if (*member != NULL)
            return false;
        *member = item;
    }
    return true;
}

static bool is_text(const cJSON *item, const char *text)
{
    const char *value = cJSON_GetStringValue(item);

    return value != NULL && strcmp(value, text) == 0;
}

/* --- signature ---------------------------------------------------------------------- */

/* The head must not choose the algorithm that verifies it, so this comes first. */
static enum token_result check_head(const struct token_key *key, const struct part *part)
{
    const cJSON *algorithm;
    const cJSON *critical;
    const cJSON *type;
    cJSON *head = NULL;
    enum token_result result = parse_part(part, &head);

    if (result != TOKEN_OK)
        return result;
    /* No extension is supported, so none may be critical (RFC 7515 §4.1.11), and the type must be
     * JWT (RFC 7519 §5.1). */
    if (!get_member(head, "alg", &algorithm) || !get_member(head, "crit", &critical) ||
        critical != NULL || !get_member(head, "typ", &type) ||
        (type != NULL && (!cJSON_IsString(type) || strcasecmp(type->valuestring, "JWT") != 0)))
        result = TOKEN_MALFORMED;
    else if (!is_text(algorithm, key->algorithm))
        result = TOKEN_WRONG_ALGORITHM;
    cJSON_Delete(head);
    return result;
}

static enum token_result check_signature(const struct token_key *key,
                                         const struct part parts[N_PARTS])
{
    const char *signed_text = parts[PART_HEAD].text;
    char signature[TOKEN_MAX_BYTES];
    size_t length;

    if (!decode_part(&parts[PART_SIGNATURE], signature, &length))
        return TOKEN_MALFORMED;
    return token_signature_check(key, signed_text,
                                 (size_t)(parts[PART_SIGNATURE].text - 1 - signed_text),
                                 (const unsigned char *)signature, length);
}

/* --- claims ------------------------------------------------------------------------- */

static bool read_time(const cJSON *claim, int64_t *time_ms)
{
    if (claim == NULL || !cJSON_IsNumber(claim) || claim->valuedouble < 0)
        return false;
    *time_ms = claim->valuedouble < (double)LATEST_S ? (int64_t)(claim->valuedouble * 1000)
                                                     : LATEST_S * 1000;
    return true;
}

static enum token_result check_times(const cJSON *json, int64_t now_ms,
                                     struct token_claims *claims)
{
    const cJSON *expires;
    const cJSON *begins;
    int64_t begins_ms = 0;

    if (!get_member(json, "exp", &expires) || !get_member(json, "nbf", &begins) ||
        !read_time(expires, &claims->expires_ms) ||
        (begins != NULL && !read_time(begins, &begins_ms)))
        return TOKEN_BAD_CLAIM;
    if (claims->expires_ms <= now_ms)
        return TOKEN_EXPIRED;
    return begins_ms <= now_ms ? TOKEN_OK : TOKEN_NOT_YET_VALID;
}

/* Whether a claim is that text, or a list that includes it. */
static bool says(const cJSON *claim, const char *text)
{
    const cJSON *item;

    if (!cJSON_IsArray(claim))
        return is_text(claim, text);
    cJSON_ArrayForEach(item, claim)
    {
        if (is_text(item, text))
            return true;
    }
    return false;
}

static enum token_result read_user(const cJSON *json, struct token_claims *claims)
{
    const cJSON *subject;
    const cJSON *role;
    const cJSON *roles;
    const char *name;

    if (!get_member(json, "sub", &subject) || !get_member(json, "role", &role) ||
        !get_member(json, "roles", &roles))
        return TOKEN_BAD_CLAIM;
    name = cJSON_GetStringValue(subject);
    if (!ws_name_is_valid(name))
        return TOKEN_BAD_CLAIM;
    memcpy(claims->user_id, name, strlen(name) + 1);
    claims->is_staff = is_text(role, "staff") || (cJSON_IsArray(roles) && says(roles, "staff"));
    return TOKEN_OK;
}

/* Without --jwt-audience this server has no name, so a token with an audience is not for it (RFC
 * 7519 §4.1.3). */
static bool is_for_audience(const cJSON *named, const char *audience)
{
    return audience != NULL ? says(named, audience) : named == NULL;
}

static enum token_result check_claims(const struct part *part, const char *audience,
                                      int64_t now_ms, struct token_claims *claims)
{
    const cJSON *named;
    cJSON *json = NULL;
    enum token_result result = parse_part(part, &json);

    if (result != TOKEN_OK)
        return result;
    result = check_times(json, now_ms, claims);
    if (result == TOKEN_OK &&
        (!get_member(json, "aud", &named) || !is_for_audience(named, audience)))
        result = TOKEN_WRONG_AUDIENCE;
    if (result == TOKEN_OK)
        result = read_user(json, claims);
    cJSON_Delete(json);
    return result;
}

enum token_result token_check(const struct token_key *key, const char *audience,
                              const char *token, int64_t now_ms, struct token_claims *claims)
{
    struct part parts[N_PARTS];
    enum token_result result;

    if (!split(token, parts))
        return TOKEN_MALFORMED;
    result = check_head(key, &parts[PART_HEAD]);
    if (result == TOKEN_OK)
        result = check_signature(key, parts);
    if (result == TOKEN_OK)
        result = check_claims(&parts[PART_CLAIMS], audience, now_ms, claims);
    return result;
}

const char *token_result_text(enum token_result result)
{
    static const char *const texts[] = {
        [TOKEN_OK] = "the token is valid",
        [TOKEN_MISSING] = "a token is required",
        [TOKEN_AMBIGUOUS] =
            "the request has different tokens in its header, query or subprotocol",
        [TOKEN_MALFORMED] = "the token is malformed",
        [TOKEN_WRONG_ALGORITHM] = "the token is signed with another algorithm",
        [TOKEN_NOT_GENUINE] = "the token's signature cannot be verified",
        [TOKEN_BAD_CLAIM] =
            "one of the claims exp, nbf, sub, role and roles is missing or invalid",
        [TOKEN_EXPIRED] = "the token has expired",
        [TOKEN_NOT_YET_VALID] = "the token is not valid yet",
        [TOKEN_WRONG_AUDIENCE] = "the token is for another audience",
        [TOKEN_NO_MEMORY] = "out of memory",
    };

    return texts[result];
}
