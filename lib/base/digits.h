/* digits.h: converts numbers to digits and digits to numbers, without the cost of printf(). */
#ifndef WS_BASE_DIGITS_H
#define WS_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_MAX = 20, HEXADECIMAL_MAX = 16 }; /* most digits that a uint64_t has */

/* Writes the digits of `number` directly before `end` and returns a pointer to the first digit.
 * Writes no NUL. */
static inline char *decimal_before(char *end, uint64_t number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

static inline char *hexadecimal_before(char *end, uint64_t number)
{
    do {
        *--end = "0123456789abcdef"[number % 16];
        number /= 16;
    } while (number > 0);
    return end;
}

/* Returns the value of a hexadecimal digit, or -1 if `c` is not one. */
static inline int hexadecimal_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that a percent-encoding such as "%2F" stands for (RFC 3986 §2.1), of which `left` bytes
 * are there; -1 if it is none. */
static inline int percent_encoded_byte(const char *at, size_t left)
{
    int high = left >= 3 && *at == '%' ? hexadecimal_digit(at[1]) : -1;
    int low = high >= 0 ? hexadecimal_digit(at[2]) : -1;

    return low >= 0 ? high << 4 | low : -1;
}

#endif
