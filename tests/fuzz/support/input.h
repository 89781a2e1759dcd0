/* input.h: what the fuzzer made up, taken from the front bit by bit; an input that is used up gives
 * zeros and empty texts. Not here: what a target does with it. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <check.h>

struct input {
    const uint8_t *data;
    size_t length;
};

/* A block of its own, so that AddressSanitizer sees what is read beyond its end. */
struct text {
    char *bytes;
    size_t length;
};

uint8_t input_byte(struct input *input);

/* A number below `limit`, which is at most 256. */
unsigned input_below(struct input *input, unsigned limit);

/* The next up to 4,095 bytes, as many as their first one or two say; as they are. */
struct text input_bytes(struct input *input);

/* The same as a C string: it ends at its first NUL. */
struct text input_string(struct input *input);

/* All the rest. */
struct text input_rest(struct input *input);

void text_free(struct text *text);

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#endif
