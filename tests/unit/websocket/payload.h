/* payload.h: payloads of several kinds to compress, the same ones in every run. Not here:
 * compressing them. */
#ifndef TEST_WEBSOCKET_PAYLOAD_H
#define TEST_WEBSOCKET_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

enum payload_kind {
    PAYLOAD_ZEROS,
    PAYLOAD_JSON,    /* orders, as the example backend sends them */
    PAYLOAD_RANDOM,  /* incompressible */
    PAYLOAD_REPEATS, /* random pieces, and copies of earlier bytes */
    N_PAYLOAD_KINDS
};

/* A number below `below`; `state` starts as any number. */
uint32_t payload_random(uint32_t *state, uint32_t below);

/* A payload in a block of its own, so that AddressSanitizer sees where it ends; the caller frees
 * it. */
uint8_t *payload_new(enum payload_kind kind, size_t length);

#endif
