/* http_text.c: the characters that each part of an HTTP message may contain (RFC 9110 §5.5,
 * §5.6.2). */
#include "base/http_text.h"

#include <string.h>

bool http_token_char(char c)
{
    char letter = (char)(c | 0x20);

    if ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

size_t http_token_length(const char *text)
{
    size_t length = 0;

    while (http_token_char(text[length]))
        length++;
    return length;
}

bool http_token_valid(const char *text)
{
    return *text != '\0' && text[http_token_length(text)] == '\0';
}

bool http_value_valid(const char *text)
{
    while (http_value_char(*text))
        text++;
    return *text == '\0';
}

bool http_target_valid(const char *text)
{
    size_t length = 0;

    while (http_target_char(text[length]))
        length++;
    return length > 0 && text[length] == '\0';
}
