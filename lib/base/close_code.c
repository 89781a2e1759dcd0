/* close_code.c: what a close frame may say (RFC 6455 §5.5 and §7.4). */
#include "base/close_code.h"

#include <string.h>

#include <ws_manager/close_code.h>

#include "base/utf8.h"

bool close_code_valid(uint16_t code)
{
    return (code >= WS_CLOSE_NORMAL && code <= WS_CLOSE_BAD_GATEWAY && code != 1004 &&
            code != WS_CLOSE_NO_STATUS && code != WS_CLOSE_ABNORMAL) ||
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
