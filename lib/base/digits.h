/* digits.h: numbers as digits and digits as numbers, without the cost of printf. */
#ifndef WS_BASE_DIGITS_H
#define WS_BASE_DIGITS_H

#include <stdint.h>

enum { DECIMAL_MAX = 20, HEXADECIMAL_MAX = 16 }; /* digits of a uint64_t */

/* Writes a number so that it ends at `end`; returns where it begins. */
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

/* The value of a hexadecimal digit; -1 if it is none. */
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

#endif
