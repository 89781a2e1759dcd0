/* input.h: reading the fuzzer's input from the front; an input that is used up returns zeros and
 * empty texts. Not here: what a target does with it. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <check.h>

struct fuzz_input {
    const uint8_t *data;
    size_t length;
};

/* A block of its own, so that AddressSanitizer detects reads beyond its end. */
struct text {
    char *bytes;
    size_t length;
};

uint8_t input_byte(struct fuzz_input *input);

/* A number below `limit`, which is at most 256. */
unsigned input_below(struct fuzz_input *input, unsigned limit);

/* The next up to 4,095 bytes, unchanged; their first one or two bytes give the length. */
struct text input_bytes(struct fuzz_input *input);

/* The next text as a C string, which ends at its first NUL. */
struct text input_string(struct fuzz_input *input);

/* All remaining bytes. */
struct text input_rest(struct fuzz_input *input);

void text_free(struct text *text);

/* Called by libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#endif
