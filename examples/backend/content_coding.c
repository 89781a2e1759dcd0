/* content_coding.c: which content codings a client accepts, by the header Accept-Encoding (RFC
 * 9110 §12.5.3). Which forms of a file exist is in static_files.c. */
#include "content_coding.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { NOT_NAMED = -1, WHOLE_WEIGHT = 1000, LEAST_WEIGHT = 1, WEIGHT_DECIMALS = 3 };

static const char blanks[] = " \t";

void content_codings_init(struct content_codings *codings)
{
    *codings = (struct content_codings){.other_weight = NOT_NAMED};
    for (size_t i = 0; i < N_CODINGS; i++)
        codings->weights[i] = NOT_NAMED;
}

/* A weight from 0 to 1 with up to three decimals (RFC 9110 §12.4.2), in thousandths; 0 if it is
 * malformed. */
static int parse_weight(const char *text, size_t length)
{
    int weight;

    if (length == 0 || (text[0] != '0' && text[0] != '1') ||
        (length > 1 && (text[1] != '.' || length > 2 + WEIGHT_DECIMALS)))
        return 0;
    weight = (text[0] - '0') * WHOLE_WEIGHT;
    for (size_t i = 2, unit = WHOLE_WEIGHT / 10; i < length; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        weight += (text[i] - '0') * (int)unit;
    }
    return weight <= WHOLE_WEIGHT ? weight : 0;
}

/* The weight after a coding's name. */
static int read_weight(const char *at, const char *end)
{
    at += strspn(at, blanks);
    if (at >= end)
        return WHOLE_WEIGHT;
    if (*at != ';')
        return 0;
    at++;
    at += strspn(at, blanks);
    if (end - at < 2 || strncasecmp(at, "q=", 2) != 0)
        return 0;
    at += 2;
    while (end > at && strchr(blanks, end[-1]) != NULL)
        end--;
    return parse_weight(at, (size_t)(end - at));
}

static int *weight_of(struct content_codings *codings, const char *name, size_t length)
{
    static const struct {
        const char *name;
        enum content_coding coding;
    } names[] = {
        {"identity", CODING_IDENTITY},
        {"gzip", CODING_GZIP},
        {"x-gzip", CODING_GZIP},
        {"br", CODING_BROTLI},
    };

    if (length == 1 && *name == '*')
        return &codings->other_weight;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == length && strncasecmp(names[i].name, name, length) == 0)
            return &codings->weights[names[i].coding];
    return NULL;
}

void content_codings_take(struct content_codings *codings, const char *value)
{
    while (*value != '\0') {
        const char *end = value + strcspn(value, ",");
        size_t length;
        int *weight;

        value += strspn(value, blanks);
        length = strcspn(value, " \t;,");
        weight = weight_of(codings, value, length);
        if (weight != NULL)
            *weight = read_weight(value + length, end);
        value = *end == ',' ? end + 1 : end;
    }
}

static int effective_weight(const struct content_codings *codings, enum content_coding coding)
{
    if (codings->weights[coding] != NOT_NAMED)
        return codings->weights[coding];
    if (codings->other_weight != NOT_NAMED)
        return codings->other_weight;
    return coding == CODING_IDENTITY ? LEAST_WEIGHT : 0;
}

void content_codings_order(const struct content_codings *codings,
                           enum content_coding list[N_CODINGS])
{
    int identity = effective_weight(codings, CODING_IDENTITY);
    int gzip = effective_weight(codings, CODING_GZIP);
    int brotli = effective_weight(codings, CODING_BROTLI);
    size_t count = 0;

    if (brotli > 0 && brotli >= identity && brotli >= gzip)
        list[count++] = CODING_BROTLI;
    if (gzip > 0 && gzip >= identity)
        list[count++] = CODING_GZIP;
    if (brotli > 0 && brotli >= identity && brotli < gzip)
        list[count++] = CODING_BROTLI;
    list[count] = CODING_IDENTITY;
}
