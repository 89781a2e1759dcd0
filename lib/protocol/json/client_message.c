/* client_message.c: parses a client's request from its JSON text. */
#include "protocol/json/client_message.h"

#include "base/utf8.h"

enum { TYPE, REF, ROOM, DATA, TOKEN, N_MEMBERS };

static int refuse(struct answer_problem *problem, enum answer_code code, const char *text)
{
    *problem = (struct answer_problem){code, text};
    return WS_ERR_INVALID;
}

static bool ref_valid(struct json_slice ref)
{
    return ref.length <= CLIENT_REF_MAX && ref.text[0] != '{' && ref.text[0] != '[' &&
           ref.text[0] != 't' && ref.text[0] != 'f' && ref.text[0] != 'n';
}

static bool find_type(struct json_slice value, enum client_message_type *type)
{
    static const char *const names[] = {
        [CLIENT_JOIN_ROOM] = "join_room",
        [CLIENT_LEAVE_ROOM] = "leave_room",
        [CLIENT_PING] = "ping",
        [CLIENT_MESSAGE] = "message",
        [CLIENT_AUTHENTICATE] = "authenticate",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (json_string_is(value, names[i])) {
            *type = (enum client_message_type)i;
            return true;
        }
    }
    return false;
}

static int parse_type(const ws_allocator *memory, struct json_slice value,
                      struct client_message *message, struct answer_problem *problem)
{
    char *type;

    if (find_type(value, &message->type))
        return WS_OK;
    if (!json_string(memory, value, &type))
        return WS_ERR_NO_MEMORY;
    if (type == NULL)
        return refuse(problem, ANSWER_BAD_REQUEST, "\"type\" must be a string");
    memory_free(memory, type);
    return refuse(problem, ANSWER_UNKNOWN_TYPE,
                  "\"type\" must be join_room, leave_room, ping, message or authenticate");
}

static int parse_room(const ws_allocator *memory, struct json_slice value,
                      struct client_message *message, struct answer_problem *problem)
{
    bool required = message->type == CLIENT_JOIN_ROOM || message->type == CLIENT_LEAVE_ROOM;

    if (!required && (message->type != CLIENT_MESSAGE || value.text == NULL))
        return WS_OK;
    if (!json_string(memory, value, &message->room))
        return WS_ERR_NO_MEMORY;
    if (message->room == NULL || !name_text_valid(message->room))
        return refuse(
            problem, ANSWER_BAD_REQUEST,
            "\"room\" must be a string of 1 to 128 bytes without control characters, line "
            "separators and characters that reorder text");
    return WS_OK;
}

static int parse_token(const ws_allocator *memory, struct json_slice value,
                       struct client_message *message, struct answer_problem *problem)
{
    if (message->type != CLIENT_AUTHENTICATE)
        return WS_OK;
    if (!json_string(memory, value, &message->token))
        return WS_ERR_NO_MEMORY;
    if (message->token == NULL)
        return refuse(problem, ANSWER_BAD_REQUEST, "\"token\" must be a string");
    return WS_OK;
}

/* Terminates the data in place: the byte behind a member is a separator or the end of the
 * object, which is not read again. */
static void set_data(char *text, struct json_slice data, struct client_message *message)
{
    if (data.text == NULL)
        data = (struct json_slice){"null", 4};
    else
        text[data.text + data.length - text] = '\0';
    message->data = data.text;
    message->data_length = data.length;
}

int client_message_parse(const ws_allocator *memory, char *text, size_t length,
                         size_t max_depth, struct client_message *message,
                         struct answer_problem *problem)
{
    static const char *const names[N_MEMBERS] = {"type", "ref", "room", "data", "token"};
    struct json_slice values[N_MEMBERS];
    int result;

    *message = (struct client_message){0};
    if (!json_valid(text, length, max_depth))
        return refuse(problem, ANSWER_BAD_JSON,
                      "the message is not valid JSON or is nested too deeply");
    if (!json_members(text, length, names, values, N_MEMBERS))
        return refuse(problem, ANSWER_BAD_REQUEST, "the message must be a JSON object");
    if (values[REF].text != NULL) {
        if (!ref_valid(values[REF]))
            return refuse(problem, ANSWER_BAD_REQUEST,
                          "\"ref\" must be a string or a number of at most 256 bytes");
        message->ref = values[REF];
    }
    result = parse_type(memory, values[TYPE], message, problem);
    if (result == WS_OK)
        result = parse_room(memory, values[ROOM], message, problem);
    if (result == WS_OK)
        result = parse_token(memory, values[TOKEN], message, problem);
    if (result != WS_OK)
        client_message_free(memory, message);
    else
        set_data(text, values[DATA], message);
    return result;
}

void client_message_free(const ws_allocator *memory, struct client_message *message)
{
    memory_free(memory, message->room);
    memory_free(memory, message->token);
    message->room = NULL;
    message->token = NULL;
}
