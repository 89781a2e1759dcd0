/* inflate.h: inflating a payload that permessage-deflate compressed without context takeover.
 * Not here: which payloads are inflated (traffic.c). */
#ifndef LOAD_INFLATE_H
#define LOAD_INFLATE_H

#include <stdbool.h>

#include "common/frame.h"

/* Replaces the frame's payload by the inflated one, which is valid until the next call. Returns
 * false if the payload is not valid by RFC 7692. */
bool inflate_frame(struct frame *frame);

#endif
