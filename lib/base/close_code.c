/* close_code.c: what a close frame may say (RFC 6455 §5.5 and §7.4). */
#include "base/close_code.h"

#include <string.h>

#include "base/utf8.h"

bool close_code_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

bool close_reason_valid(const char *reason)
{
    size_t length;

    if (reason == NULL)
        return true;
    length = strnlen(reason, CLOSE_REASON_MAX + 1);
    return length <= CLOSE_REASON_MAX && utf8_valid(reason, length);
}
