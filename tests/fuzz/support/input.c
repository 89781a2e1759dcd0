/* input.c: reading the fuzzer's input from the front. */
#include "fuzz/support/input.h"

#include <stdlib.h>
#include <string.h>

uint8_t input_byte(struct fuzz_input *input)
{
    if (input->length == 0)
        return 0;
    input->length--;
    return *input->data++;
}

unsigned input_below(struct fuzz_input *input, unsigned limit)
{
    return input_byte(input) % limit;
}

static struct text take(struct fuzz_input *input, size_t length)
{
    struct text text = {malloc(length > 0 ? length : 1), length};

    ck_assert_ptr_nonnull(text.bytes);
    if (length > 0)
        memcpy(text.bytes, input->data, length);
    input->data += length;
    input->length -= length;
    return text;
}

struct text input_bytes(struct fuzz_input *input)
{
    size_t length = input_byte(input);

    if (length >= 240)
        length = (length - 240) * 256 + input_byte(input);
    return take(input, length < input->length ? length : input->length);
}

struct text input_string(struct fuzz_input *input)
{
    struct text bytes = input_bytes(input);
    struct text string = {strndup(bytes.bytes, bytes.length), 0};

    ck_assert_ptr_nonnull(string.bytes);
    string.length = strlen(string.bytes);
    text_free(&bytes);
    return string;
}

struct text input_rest(struct fuzz_input *input)
{
    return take(input, input->length);
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}
