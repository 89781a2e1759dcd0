/* json_text.c: validates JSON text (RFC 8259) and finds its members in place, without allocating.
 *
 * cJSON is not used for this: it accepts texts that RFC 8259 does not allow (numbers such as 01,
 * control characters in strings) and that a browser's JSON.parse() refuses. */
#include "base/json_text.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/digits.h"
#include "base/utf8.h"

struct scanner {
    const char *at;
    const char *end;
    uint32_t n_tokens; /* values and names so far */
};

static void skip_space(struct scanner *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool take(struct scanner *s, char wanted)
{
    if (s->at == s->end || *s->at != wanted)
        return false;
    s->at++;
    return true;
}

static bool take_word(struct scanner *s, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
        return false;
    s->at += length;
    return true;
}

static bool is_digit(const struct scanner *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool take_digits(struct scanner *s)
{
    if (!is_digit(s))
        return false;
    while (is_digit(s))
        s->at++;
    return true;
}

static bool take_number(struct scanner *s)
{
    take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    if (take(s, '.') && !take_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            take(s, '-');
        return take_digits(s);
    }
    return true;
}

static bool take_hex4(struct scanner *s, unsigned *code)
{
    *code = 0;
    if (s->end - s->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = hexadecimal_digit(*s->at++);

        if (digit < 0)
            return false;
        *code = *code << 4 | (unsigned)digit;
    }
    return true;
}

/* Takes what follows a backslash. A lone surrogate is refused because it cannot be converted to
 * UTF-8, although RFC 8259 §8.2 only warns of it. */
static bool take_escape(struct scanner *s)
{
    unsigned code;
    unsigned second;

    if (s->at == s->end)
        return false;
    if (*s->at != 'u')
        return memchr("\"\\/bfnrt", *s->at++, 8) != NULL;
    s->at++;
    if (!take_hex4(s, &code) || (code >= 0xdc00 && code <= 0xdfff))
        return false;
    if (code < 0xd800 || code > 0xdbff)
        return true;
    return take_word(s, "\\u") && take_hex4(s, &second) && second >= 0xdc00 && second <= 0xdfff;
}

/* Returns the index of the first special byte (below 0x20, a quote or a backslash) among the eight
 * at `at`; 8 if there is none. Each special byte sets the highest bit of its byte in `special`. A
 * borrow may also set the bit of a later byte, but never of an earlier one. */
static unsigned first_special(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    uint64_t quote;
    uint64_t backslash;
    uint64_t special;

    memcpy(&word, at, sizeof word);
    word = le64toh(word);
    quote = word ^ ('"' * ones);
    backslash = word ^ ('\\' * ones);
    special = ((word - 0x20 * ones) & ~word) | ((quote - ones) & ~quote) |
              ((backslash - ones) & ~backslash);
    special &= 0x80 * ones;
    return special != 0 ? (unsigned)__builtin_ctzll(special) / 8 : 8;
}

/* Takes eight bytes at a time while there are as many: most of an event's text is strings. */
static void skip_plain(struct scanner *s)
{
    while (s->end - s->at >= 8) {
        unsigned plain = first_special(s->at);

        s->at += plain;
        if (plain < 8)
            return;
    }
    while (s->at < s->end && (unsigned char)*s->at >= 0x20 && *s->at != '"' && *s->at != '\\')
        s->at++;
}

/* Does not check UTF-8: json_valid() checks the whole text at once. */
static bool take_string(struct scanner *s)
{
    if (!take(s, '"'))
        return false;
    for (;;) {
        skip_plain(s);
        if (take(s, '"'))
            return true;
        if (!take(s, '\\') || !take_escape(s))
            return false;
    }
}

static bool take_scalar(struct scanner *s)
{
    if (s->at == s->end)
        return false;
    switch (*s->at) {
    case '"':
        return take_string(s);
    case 't':
        return take_word(s, "true");
    case 'f':
        return take_word(s, "false");
    case 'n':
        return take_word(s, "null");
    default:
        return take_number(s);
    }
}

static bool take_name(struct scanner *s)
{
    s->n_tokens++;
    skip_space(s);
    if (!take_string(s))
        return false;
    skip_space(s);
    return take(s, ':');
}

/* The open containers: one bit for each level, set for an object and clear for an array. */
struct nesting {
    uint8_t bits[(JSON_LEVELS + 7) / 8];
    size_t depth;
};

static bool in_object(const struct nesting *open)
{
    size_t level = open->depth - 1;

    return open->bits[level / 8] >> (level % 8) & 1;
}

static void enter(struct nesting *open, bool object)
{
    uint8_t bit = (uint8_t)(1u << (open->depth % 8));
    uint8_t *byte = &open->bits[open->depth / 8];

    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    open->depth++;
}

/* Takes what follows a value: the ends of containers, or a comma (and in an object the next name)
 * before the next value. */
static bool finish_value(struct scanner *s, struct nesting *open)
{
    while (open->depth > 0) {
        bool object = in_object(open);

        skip_space(s);
        if (take(s, ','))
            return !object || take_name(s);
        if (!take(s, object ? '}' : ']'))
            return false;
        open->depth--;
    }
    return true;
}

/* Takes one value, nested at most max_depth levels deep. Does not recurse, so that a client cannot
 * exhaust the stack. */
static bool take_value(struct scanner *s, size_t max_depth)
{
    struct nesting open = {.depth = 0};

    do {
        bool object;

        s->n_tokens++;
        skip_space(s);
        object = s->at < s->end && *s->at == '{';
        if (object || (s->at < s->end && *s->at == '[')) {
            s->at++;
            if (open.depth == max_depth)
                return false;
            enter(&open, object);
            skip_space(s);
            if (s->at < s->end && *s->at == (object ? '}' : ']')) {
                s->at++;
                open.depth--;
            } else if (object && !take_name(s)) {
                return false;
            } else {
                continue;
            }
        } else if (!take_scalar(s)) {
            return false;
        }
        if (!finish_value(s, &open))
            return false;
    } while (open.depth > 0);
    return true;
}

bool json_check(const char *text, size_t length, size_t max_depth, uint32_t *n_tokens)
{
    struct scanner s = {.at = text, .end = text + length};
    bool is_value = take_value(&s, max_depth < JSON_LEVELS ? max_depth : JSON_LEVELS);

    *n_tokens = s.n_tokens;
    if (!is_value)
        return false;
    skip_space(&s);
    return s.at == s.end && utf8_valid(text, length);
}

bool json_valid(const char *text, size_t length, size_t max_depth)
{
    uint32_t n_tokens;

    return json_check(text, length, max_depth, &n_tokens);
}

/* True if the inside of a valid JSON string equals this plain ASCII name. The string may be written
 * with escapes (RFC 8259 §8.3), of which only \u00XX can stand for a letter. */
static bool name_is(const char *text, size_t length, const char *name)
{
    const char *end = text + length;

    for (; text < end; name++) {
        unsigned code = (unsigned char)*text;

        if (code == '\\') {
            struct scanner s = {.at = text + 2, .end = end};

            if (text[1] != 'u' || !take_hex4(&s, &code) || code > 0x7f)
                return false;
            text += 5;
        }
        text++;
        if (*name == '\0' || code != (unsigned char)*name)
            return false;
    }
    return *name == '\0';
}

bool json_string_is(struct json_slice value, const char *text)
{
    return value.text != NULL && value.text[0] == '"' &&
           name_is(value.text + 1, value.length - 2, text);
}

static bool begin_walk(struct json_walk *walk, const char *text, size_t length, char opening)
{
    struct scanner s = {.at = text, .end = text + length};

    skip_space(&s);
    if (!take(&s, opening))
        return false;
    *walk = (struct json_walk){s.at, s.end};
    return true;
}

/* Moves behind the comma before the next member or element. */
static struct scanner next_in_walk(const struct json_walk *walk)
{
    struct scanner s = {.at = walk->at, .end = walk->end};

    skip_space(&s);
    take(&s, ',');
    skip_space(&s);
    return s;
}

bool json_walk_begin(struct json_walk *walk, const char *text, size_t length)
{
    return begin_walk(walk, text, length, '{');
}

bool json_walk_next(struct json_walk *walk, struct json_slice *name, struct json_slice *value)
{
    struct scanner s = next_in_walk(walk);

    name->text = s.at;
    if (!take_string(&s))
        return false;
    name->length = (size_t)(s.at - name->text);
    skip_space(&s);
    if (!take(&s, ':'))
        return false;
    skip_space(&s);
    value->text = s.at;
    if (!take_value(&s, JSON_MAX_DEPTH))
        return false;
    value->length = (size_t)(s.at - value->text);
    walk->at = s.at;
    return true;
}

bool json_elements_begin(struct json_walk *walk, const char *text, size_t length)
{
    return begin_walk(walk, text, length, '[');
}

bool json_elements_next(struct json_walk *walk, struct json_slice *value)
{
    struct scanner s = next_in_walk(walk);

    value->text = s.at;
    if (!take_value(&s, JSON_MAX_DEPTH))
        return false;
    value->length = (size_t)(s.at - value->text);
    walk->at = s.at;
    return true;
}

bool json_members(const char *text, size_t length, const char *const *names,
                  struct json_slice *values, size_t n_names)
{
    struct json_walk walk;
    struct json_slice name;
    struct json_slice value;

    for (size_t i = 0; i < n_names; i++)
        values[i] = (struct json_slice){NULL, 0};
    if (!json_walk_begin(&walk, text, length))
        return false;
    while (json_walk_next(&walk, &name, &value))
        for (size_t i = 0; i < n_names; i++)
            if (name_is(name.text + 1, name.length - 2, names[i]))
                values[i] = value;
    return true;
}
