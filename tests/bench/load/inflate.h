/* inflate.h: a payload that permessage-deflate compressed, without context from others.
 * Which payloads are looked into is traffic.c's. */
#ifndef LOAD_INFLATE_H
#define LOAD_INFLATE_H

#include <stdbool.h>

#include "common/frame.h"

/* Replaces the frame's payload by what was compressed; it is valid until the next call. False
 * when it is not what RFC 7692 says. */
bool inflate_frame(struct frame *frame);

#endif
