/* hex.h: the value of a hexadecimal digit. */
#ifndef WS_BASE_HEX_H
#define WS_BASE_HEX_H

/* -1 if it is none. */
static inline int hex_digit(char c)
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
