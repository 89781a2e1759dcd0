/* json.c: the library accepts a text as JSON exactly if the backend's parser does, which is a
 * scanner before cJSON; members and strings are the same as cJSON's. Then the text is a client's
 * message. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "backend/json_text.h"
#include "base/json_text.h"
#include "fuzz/support/input.h"
#include "protocol/json/client_message.h"

static const char *const names[] = {"type", "room", "ref", "data", "a", "_"};
enum { N_NAMES = sizeof names / sizeof *names };

static size_t depth_of(const char *text, size_t length)
{
    size_t depth = 0;
    size_t most = 0;
    bool in_string = false;

    for (size_t i = 0; i < length; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && (text[i] == '{' || text[i] == '['))
            most = ++depth > most ? depth : most;
        else if (!in_string && (text[i] == '}' || text[i] == ']'))
            depth--;
    }
    return most;
}

/* cJSON rejects lone surrogates, and the backend U+0000; RFC 8259 allows both. */
static bool has_strange_escape(const char *string)
{
    for (const char *at = string; (at = strstr(at, "\\u")) != NULL; at += 2)
        if (strncasecmp(at + 2, "d", 1) == 0 || strncmp(at + 2, "0000", 4) == 0)
            return true;
    return false;
}

static const cJSON *last_member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL;

    for (const cJSON *member = object->child; member != NULL; member = member->next)
        if (strcmp(member->string, name) == 0)
            found = member;
    return found;
}

static void compare_string(const ws_allocator *memory, struct json_slice slice,
                           const cJSON *wanted)
{
    char *text;

    ck_assert(json_string(memory, slice, &text));
    ck_assert_int_eq(text != NULL, cJSON_IsString(wanted));
    if (text != NULL)
        ck_assert_str_eq(text, wanted->valuestring);
    memory_free(memory, text);
}

static void compare_members(const ws_allocator *memory, const char *text, size_t length,
                            const cJSON *object)
{
    struct json_slice values[N_NAMES];

    ck_assert(json_members(text, length, names, values, N_NAMES));
    for (size_t i = 0; i < N_NAMES; i++) {
        const cJSON *wanted = last_member(object, names[i]);
        cJSON *value;

        ck_assert_int_eq(values[i].text != NULL, wanted != NULL);
        if (wanted == NULL)
            continue;
        value = cJSON_ParseWithLength(values[i].text, values[i].length);
        ck_assert_ptr_nonnull(value);
        /* Of two members with the same name, cJSON compares only one. */
        ck_assert_int_eq(value->type & 0xff, wanted->type & 0xff);
        if (cJSON_IsNumber(value)) /* cJSON's own comparison does not support infinity */
            ck_assert(value->valuedouble == wanted->valuedouble);
        else if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
            ck_assert(cJSON_Compare(value, wanted, true));
        cJSON_Delete(value);
        compare_string(memory, values[i], wanted);
    }
}

static void compare(const ws_allocator *memory, const char *text, size_t length,
                    const char *string)
{
    bool valid = json_valid(text, length, JSON_MAX_DEPTH);
    const char *problem;
    cJSON *object;

    object = json_text_parse_object(string, length, &problem);
    if (object != NULL && depth_of(text, length) <= JSON_MAX_DEPTH) {
        ck_assert(valid);
        compare_members(memory, text, length, object);
    }
    if (valid && !has_strange_escape(string) && text[strspn(string, " \t\r\n")] == '{')
        ck_assert_ptr_nonnull(object);
    cJSON_Delete(object);
}

/* It changes the text. */
static void parse_message(const ws_allocator *memory, char *text, size_t length)
{
    bool valid = json_valid(text, length, 32);
    struct client_message message;
    struct answer_problem problem;

    if (client_message_parse(memory, text, length, &(struct client_syntax){.max_depth = 32},
                             &message, &problem) != WS_OK)
        return;
    ck_assert(valid);
    if (message.ref.text != NULL)
        ck_assert(json_valid(message.ref.text, message.ref.length, 1));
    ck_assert(json_valid(message.data, message.data_length, 32));
    ck_assert_int_eq(message.data[message.data_length], '\0');
    client_message_free(memory, &message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fuzz_input input = {data, length};
    struct text text = input_rest(&input);
    char *string = malloc(length + 1);
    ws_allocator memory;

    ck_assert_ptr_nonnull(string);
    memcpy(string, text.bytes, length);
    string[length] = '\0';
    memory_allocator_init(&memory);
    compare(&memory, text.bytes, length, string);
    parse_message(&memory, text.bytes, length);
    free(string);
    text_free(&text);
    return 0;
}
