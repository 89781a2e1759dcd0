/* extension.c: negotiates permessage-deflate in the opening handshake (RFC 7692 §7.1). */
#include "transport/websocket/extension.h"

#include <string.h>

#include "base/http_text.h"

/* A parameter of an extension, as written in an offer. */
struct parameter {
    const char *name;
    size_t name_length;
    bool has_value;
    char value[4]; /* its first characters: one more than a number of bits can have */
};

static bool text_is(const char *text, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(text, expected, length) == 0;
}

/* --- the header's grammar (RFC 6455 §9.1) ---------------------------------------------------- */

/* White space is allowed between any two parts (RFC 2616 §2.1). */
static void skip_space(const char **at)
{
    *at += strspn(*at, " \t");
}

/* If this character is next, skips it and the space after it, and returns true. */
static bool take(const char **at, char expected)
{
    if (**at != expected)
        return false;
    (*at)++;
    skip_space(at);
    return true;
}

/* Reads a quoted string, after its opening quote. Without its escapes it must be a token. */
static bool take_quoted_value(const char **at, struct parameter *parameter)
{
    size_t length = 0;

    for (; **at != '"'; (*at)++, length++) {
        if (**at == '\\')
            (*at)++;
        if (!http_token_char(**at))
            return false;
        if (length < sizeof parameter->value - 1)
            parameter->value[length] = **at;
    }
    (*at)++;
    return length > 0;
}

static bool take_token_value(const char **at, struct parameter *parameter)
{
    size_t length = http_token_length(*at);
    size_t kept = length < sizeof parameter->value ? length : sizeof parameter->value - 1;

    memcpy(parameter->value, *at, kept);
    *at += length;
    return length > 0;
}

static bool take_parameter(const char **at, struct parameter *parameter)
{
    *parameter = (struct parameter){.name = *at, .name_length = http_token_length(*at)};
    if (parameter->name_length == 0)
        return false;
    *at += parameter->name_length;
    skip_space(at);
    parameter->has_value = take(at, '=');
    if (!parameter->has_value)
        return true;
    if (**at == '"') {
        (*at)++;
        return take_quoted_value(at, parameter);
    }
    return take_token_value(at, parameter);
}

/* --- the parameters of permessage-deflate (RFC 7692 §7.1) ------------------------------------ */

enum value_rule { VALUE_NEVER, VALUE_OPTIONAL, VALUE_REQUIRED };

enum { SERVER_WINDOW = 2 };

static const struct {
    const char *name;
    enum value_rule value;
} known_parameters[] = {
    {"server_no_context_takeover", VALUE_NEVER},
    {"client_no_context_takeover", VALUE_NEVER},
    [SERVER_WINDOW] = {"server_max_window_bits", VALUE_REQUIRED},
    {"client_max_window_bits", VALUE_OPTIONAL},
};

enum { N_KNOWN_PARAMETERS = sizeof known_parameters / sizeof *known_parameters };

static size_t find_parameter(const struct parameter *parameter)
{
    size_t i = 0;

    while (i < N_KNOWN_PARAMETERS &&
           !text_is(parameter->name, parameter->name_length, known_parameters[i].name))
        i++;
    return i;
}

/* 8 to 15 in decimal without leading zeros (§7.1.2), or 0 for anything else. */
static uint8_t parse_window_bits(const char *value)
{
    if (value[0] == '1' && value[1] >= '0' && value[1] <= '5' && value[2] == '\0')
        return (uint8_t)(10 + value[1] - '0');
    if ((value[0] == '8' || value[0] == '9') && value[1] == '\0')
        return (uint8_t)(value[0] - '0');
    return 0;
}

/* Applies a parameter; false if the offer must be declined because of it (§7.1). `seen` has a
 * bit for each known parameter of the offer so far. */
static bool apply_parameter(const struct parameter *parameter, unsigned *seen,
                            struct permessage_deflate *offer)
{
    size_t known = find_parameter(parameter);
    uint8_t bits = parse_window_bits(parameter->value);

    if (known == N_KNOWN_PARAMETERS || (*seen & 1u << known) != 0)
        return false;
    *seen |= 1u << known;
    if (!parameter->has_value)
        return known_parameters[known].value != VALUE_REQUIRED;
    if (known_parameters[known].value == VALUE_NEVER || bits == 0)
        return false;
    if (known == SERVER_WINDOW) {
        offer->limits_server_window = true;
        offer->server_window_bits = bits;
    }
    return true;
}

/* Reads one extension with its parameters; false if it is malformed. `accepted` is false for
 * another extension or an offer that is not acceptable. */
static bool take_extension(const char **at, struct permessage_deflate *offer)
{
    size_t length = http_token_length(*at);
    unsigned seen = 0;

    if (length == 0)
        return false;
    *offer = (struct permessage_deflate){.accepted = text_is(*at, length, "permessage-deflate"),
                                         .server_window_bits = 15};
    *at += length;
    skip_space(at);
    while (take(at, ';')) {
        struct parameter parameter;

        if (!take_parameter(at, &parameter))
            return false;
        skip_space(at);
        if (!apply_parameter(&parameter, &seen, offer))
            offer->accepted = false;
    }
    return true;
}

/* --- negotiation -------------------------------------------------------------------------- */

struct permessage_deflate extension_accept(const char *header)
{
    const struct permessage_deflate none = {.accepted = false};
    struct permessage_deflate first = none;

    /* A list may have empty elements (RFC 2616 §2.1). */
    header += strspn(header, " \t,");
    while (*header != '\0') {
        struct permessage_deflate offer;

        if (!take_extension(&header, &offer) || (*header != ',' && *header != '\0'))
            return none;
        if (offer.accepted && !first.accepted)
            first = offer;
        header += strspn(header, " \t,");
    }
    return first;
}

struct permessage_deflate extension_negotiate(const struct request *request)
{
    struct permessage_deflate deflate = {.accepted = false};
    const char *header;

    for (size_t from = 0; !deflate.accepted; from++) {
        header = request_next_header(request, "Sec-WebSocket-Extensions", &from);
        if (header == NULL)
            break;
        deflate = extension_accept(header);
    }
    return deflate;
}

/* A server may ask for client_no_context_takeover though the client did not mention it
 * (RFC 7692 §7.1.1.2). client_max_window_bits is not answered: any window can be inflated. */
void extension_write(const struct permessage_deflate *deflate, struct buffer *buffer)
{
    buffer_add_text(buffer, "permessage-deflate; server_no_context_takeover; "
                            "client_no_context_takeover");
    if (deflate->limits_server_window) {
        buffer_add_text(buffer, "; server_max_window_bits=");
        buffer_add_number(buffer, deflate->server_window_bits);
    }
}
