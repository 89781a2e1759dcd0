/* close_code.h: what a close frame may say (RFC 6455 §5.5 and §7.4). */
#ifndef WS_BASE_CLOSE_CODE_H
#define WS_BASE_CLOSE_CODE_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOSE_REASON_MAX = 123 /* bytes: a close frame has 125, two of them for the code */ };

/* May a peer or an application send this close code (RFC 6455 §7.4)? */
bool close_code_valid(uint16_t code);

/* Is it a reason that fits in a close frame (RFC 6455 §5.5)? NULL is. */
bool close_reason_valid(const char *reason);

#endif
