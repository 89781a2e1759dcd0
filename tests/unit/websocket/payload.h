/* payload.h: payloads of several kinds to be compressed, the same ones in every run.
 * Not here: compressing them. */
#ifndef TEST_WEBSOCKET_PAYLOAD_H
#define TEST_WEBSOCKET_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

enum payload_kind {
    PAYLOAD_ZEROS,
    PAYLOAD_JSON,    /* orders, as the example backend sends them */
    PAYLOAD_RANDOM,  /* can't be compressed */
    PAYLOAD_REPEATS, /* random pieces, and copies of what stands anywhere before them */
    N_PAYLOAD_KINDS
};

/* A number below `below`; `state` is any number at first. */
uint32_t payload_random(uint32_t *state, uint32_t below);

/* A block of its own, so that the address sanitizer sees where it ends; to be freed. */
uint8_t *payload_new(enum payload_kind kind, size_t length);

#endif
