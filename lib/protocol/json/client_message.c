/* client_message.c: parses a client's request from its JSON text. */
#include "protocol/json/client_message.h"

#include <string.h>

#include "base/utf8.h"

enum { TYPE, REF, ROOM, DATA, TOKEN, METHOD, ERROR, PRESENCE, STATE, LAST, SINCE, N_MEMBERS };

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

/* The types of the protocol. */
static const char *const type_names[] = {
    [CLIENT_JOIN_ROOM] = "join_room",
    [CLIENT_LEAVE_ROOM] = "leave_room",
    [CLIENT_PING] = "ping",
    [CLIENT_MESSAGE] = "message",
    [CLIENT_AUTHENTICATE] = "authenticate",
    [CLIENT_REQUEST] = "request",
    [CLIENT_RESPONSE] = "response",
    [CLIENT_PRESENCE] = "presence",
    [CLIENT_SET_STATE] = "set_state",
    [CLIENT_WATCH_PRESENCE] = "watch_presence",
    [CLIENT_UNWATCH_PRESENCE] = "unwatch_presence",
};

enum { N_TYPE_NAMES = sizeof type_names / sizeof *type_names };

bool client_type_is_reserved(const char *name)
{
    for (size_t i = 0; i < N_TYPE_NAMES; i++)
        if (strcmp(name, type_names[i]) == 0)
            return true;
    return false;
}

static bool find_type(struct json_slice value, enum client_message_type *type)
{
    for (size_t i = 0; i < N_TYPE_NAMES; i++) {
        if (json_string_is(value, type_names[i])) {
            *type = (enum client_message_type)i;
            return true;
        }
    }
    return false;
}

static int parse_type(const ws_allocator *memory, struct json_slice value,
                      const struct client_syntax *syntax, struct client_message *message,
                      struct answer_problem *problem)
{
    char *type;

    if (find_type(value, &message->type))
        return WS_OK;
    if (!json_string(memory, value, &type))
        return WS_ERR_NO_MEMORY;
    if (type == NULL)
        return refuse(problem, ANSWER_BAD_REQUEST, "\"type\" must be a string");
    if (syntax->has_type != NULL && syntax->has_type(syntax->types, type)) {
        message->type = CLIENT_OWN;
        message->name = type;
        return WS_OK;
    }
    memory_free(memory, type);
    return refuse(problem, ANSWER_UNKNOWN_TYPE,
                  "\"type\" must be join_room, leave_room, ping, message, request, response, "
                  "presence, set_state, watch_presence, unwatch_presence or authenticate");
}

static int parse_room(const ws_allocator *memory, struct json_slice value,
                      struct client_message *message, struct answer_problem *problem)
{
    bool required = message->type == CLIENT_JOIN_ROOM || message->type == CLIENT_LEAVE_ROOM;
    bool possible = message->type == CLIENT_MESSAGE || message->type == CLIENT_OWN ||
                    message->type == CLIENT_PRESENCE || message->type == CLIENT_SET_STATE ||
                    message->type == CLIENT_WATCH_PRESENCE;

    if (!required && (!possible || value.text == NULL))
        return WS_OK;
    if (!json_string(memory, value, &message->room))
        return WS_ERR_NO_MEMORY;
    if (message->room == NULL || !name_text_valid(message->room))
        return refuse(
            problem, ANSWER_BAD_REQUEST,
            "\"room\" must be a string of 1 to 128 bytes without control characters, line "
            "separators or characters that reorder text");
    return WS_OK;
}

/* Whether a value is an integer from 1 on; a larger one than fits is the largest. */
static bool read_count(struct json_slice value, uint32_t *count)
{
    uint64_t number = 0;

    for (size_t i = 0; i < value.length; i++) {
        if (value.text[i] < '0' || value.text[i] > '9')
            return false;
        number = 10 * number + (uint64_t)(value.text[i] - '0');
        if (number > UINT32_MAX)
            number = UINT32_MAX;
    }
    *count = (uint32_t)number;
    return number > 0;
}

static bool read_flag(struct json_slice value, bool *flag)
{
    *flag = value.length == 4 && memcmp(value.text, "true", 4) == 0;
    return *flag || (value.length == 5 && memcmp(value.text, "false", 5) == 0);
}

/* An id that is too long is not one of the server's: any other text that is none takes its
 * place. */
static bool read_since(struct json_slice value, char since[CLIENT_SINCE_SIZE])
{
    if (*value.text != '"')
        return false;
    strcpy(since, "?");
    if (value.length > 2 && value.length - 2 < CLIENT_SINCE_SIZE) {
        memcpy(since, value.text + 1, value.length - 2);
        since[value.length - 2] = '\0';
    }
    return true;
}

int client_message_parse_wish(struct json_slice state, struct json_slice last,
                              struct json_slice since, struct client_message *message,
                              struct answer_problem *problem)
{
    if (state.text != NULL && !read_flag(state, &message->state))
        return refuse(problem, ANSWER_BAD_REQUEST, "\"state\" must be true or false");
    if (last.text != NULL && !read_count(last, &message->last))
        return refuse(problem, ANSWER_BAD_REQUEST, "\"last\" must be an integer from 1 on");
    if (since.text != NULL && !read_since(since, message->since))
        return refuse(problem, ANSWER_BAD_REQUEST, "\"since\" must be the id of an event");
    if (since.text != NULL && last.text == NULL)
        message->last = UINT32_MAX;
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

static int parse_method(const ws_allocator *memory, struct json_slice value,
                        struct client_message *message, struct answer_problem *problem)
{
    if (message->type != CLIENT_REQUEST)
        return WS_OK;
    if (!json_string(memory, value, &message->name))
        return WS_ERR_NO_MEMORY;
    if (message->name == NULL)
        return refuse(problem, ANSWER_BAD_REQUEST, "\"method\" must be a string");
    return WS_OK;
}

int client_message_parse_presence(struct json_slice value, struct client_message *message,
                                  struct answer_problem *problem)
{
    if (message->type != CLIENT_JOIN_ROOM || value.text == NULL)
        return WS_OK;
    if (value.text[0] != 't' && value.text[0] != 'f')
        return refuse(problem, ANSWER_BAD_REQUEST, "\"presence\" must be true or false");
    message->presence = value.text[0] == 't';
    return WS_OK;
}

static int check_response(const struct client_message *message, struct answer_problem *problem)
{
    if (message->type == CLIENT_RESPONSE && message->ref.text == NULL)
        return refuse(problem, ANSWER_BAD_REQUEST, "a response must have a \"ref\"");
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
                         const struct client_syntax *syntax, struct client_message *message,
                         struct answer_problem *problem)
{
    static const char *const names[N_MEMBERS] = {"type",  "ref",    "room",  "data",
                                                 "token", "method", "error", "presence",
                                                 "state", "last",   "since"};
    struct json_slice values[N_MEMBERS];
    int result;

    *message = (struct client_message){0};
    if (!json_check(text, length, syntax->max_depth, &message->n_tokens))
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
    result = parse_type(memory, values[TYPE], syntax, message, problem);
    if (result == WS_OK)
        result = parse_room(memory, values[ROOM], message, problem);
    if (result == WS_OK)
        result = parse_token(memory, values[TOKEN], message, problem);
    if (result == WS_OK && message->type == CLIENT_JOIN_ROOM)
        result = client_message_parse_wish(values[STATE], values[LAST], values[SINCE], message,
                                           problem);
    if (result == WS_OK)
        result = parse_method(memory, values[METHOD], message, problem);
    if (result == WS_OK)
        result = client_message_parse_presence(values[PRESENCE], message, problem);
    if (result == WS_OK)
        result = check_response(message, problem);
    message->error = values[ERROR];
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
    memory_free(memory, message->name);
    message->name = NULL;
    message->room = NULL;
    message->token = NULL;
}
