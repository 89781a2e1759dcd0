/* proxy_header.c: the header of the PROXY protocol, versions 1 and 2, by which a proxy names its
 * client before anything else (HAProxy's proxy-protocol.txt). Which peers are trusted, and
 * reading from the socket, is in connection_proxy.c. */
#include "server/parts/proxy_header.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/parts/address.h"
#include "server/parts/text.h"

enum {
    V1_MAX_BYTES = 107, /* with its line end */
    V1_WORDS = 6,
    V2_FIXED_BYTES = 16,
    V2_VERSION = 0x20,
    V2_LOCAL = 0,
    V2_PROXY = 1,
    V2_TCP_OVER_V4 = 0x11,
    V2_TCP_OVER_V6 = 0x21,
    V2_V4_BYTES = 12, /* two addresses and two ports */
    V2_V6_BYTES = 36
};

static const char v1_start[] = "PROXY ";
static const unsigned char v2_start[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                         0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

/* Whether the bytes, as far as they go, begin like that. */
static bool begins_like(const void *bytes, size_t length, const void *start,
                        size_t start_length)
{
    return memcmp(bytes, start, length < start_length ? length : start_length) == 0;
}

static bool is_port(const char *word)
{
    int64_t port;

    return (word[0] != '0' || word[1] == '\0') && text_parse_number(word, 0, UINT16_MAX, &port);
}

/* Each address must be of the family that the line names. */
static bool parse_address(const char *word, bool is_v6, struct in6_addr *address)
{
    return (strchr(word, ':') != NULL) == is_v6 && address_parse(word, strlen(word), address);
}

/* "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443", without its line end. */
static enum proxy_header_result read_line(struct proxy_header *header, char *line)
{
    char *words[V1_WORDS] = {line};
    size_t n_words = 1;
    struct in6_addr proxy;
    bool is_v6;

    for (char *at = strchr(line, ' '); at != NULL; at = strchr(at, ' ')) {
        *at++ = '\0';
        if (n_words == 2 && strcmp(words[1], "UNKNOWN") == 0)
            return PROXY_HEADER_UNKNOWN; /* whatever follows */
        if (n_words == V1_WORDS)
            return PROXY_HEADER_BAD;
        words[n_words++] = at;
    }
    if (n_words == 2 && strcmp(words[1], "UNKNOWN") == 0)
        return PROXY_HEADER_UNKNOWN;
    if (n_words != V1_WORDS)
        return PROXY_HEADER_BAD;
    is_v6 = strcmp(words[1], "TCP6") == 0;
    return (is_v6 || strcmp(words[1], "TCP4") == 0) &&
                   parse_address(words[2], is_v6, &header->client) &&
                   parse_address(words[3], is_v6, &proxy) && is_port(words[4]) &&
                   is_port(words[5])
               ? PROXY_HEADER_CLIENT
               : PROXY_HEADER_BAD;
}

static enum proxy_header_result read_v1(struct proxy_header *header, const char *bytes,
                                        size_t length)
{
    size_t limit = length < V1_MAX_BYTES ? length : V1_MAX_BYTES;
    const char *end = memchr(bytes, '\n', limit);
    char line[V1_MAX_BYTES];
    size_t line_length;

    if (end == NULL)
        return limit < V1_MAX_BYTES ? PROXY_HEADER_PARTIAL : PROXY_HEADER_BAD;
    header->length = (size_t)(end - bytes) + 1;
    if (end == bytes || end[-1] != '\r')
        return PROXY_HEADER_BAD;
    line_length = header->length - strlen("\r\n");
    if (memchr(bytes, '\0', line_length) != NULL)
        return PROXY_HEADER_BAD;
    memcpy(line, bytes, line_length);
    line[line_length] = '\0';
    return read_line(header, line);
}

static enum proxy_header_result read_v2_client(struct proxy_header *header, unsigned family,
                                               const unsigned char *bytes, size_t length)
{
    if (family == V2_TCP_OVER_V4 && length >= V2_V4_BYTES) {
        header->client = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
        memcpy(&header->client.s6_addr[12], bytes, sizeof(struct in_addr));
        return PROXY_HEADER_CLIENT;
    }
    if (family == V2_TCP_OVER_V6 && length >= V2_V6_BYTES) {
        memcpy(&header->client, bytes, sizeof header->client);
        return PROXY_HEADER_CLIENT;
    }
    return family == V2_TCP_OVER_V4 || family == V2_TCP_OVER_V6 ? PROXY_HEADER_BAD
                                                                : PROXY_HEADER_UNKNOWN;
}

static enum proxy_header_result read_v2(struct proxy_header *header, const unsigned char *bytes,
                                        size_t length)
{
    unsigned command;
    size_t rest;

    if (length < V2_FIXED_BYTES)
        return PROXY_HEADER_PARTIAL;
    command = bytes[12] ^ V2_VERSION; /* any other version leaves higher bits set */
    rest = (size_t)bytes[14] << 8 | bytes[15];
    header->length = V2_FIXED_BYTES + rest;
    if ((command != V2_LOCAL && command != V2_PROXY) || header->length > PROXY_HEADER_MAX_BYTES)
        return PROXY_HEADER_BAD;
    if (length < header->length)
        return PROXY_HEADER_PARTIAL;
    return command == V2_LOCAL
               ? PROXY_HEADER_LOCAL
               : read_v2_client(header, bytes[13], bytes + V2_FIXED_BYTES, rest);
}

enum proxy_header_result proxy_header_read(struct proxy_header *header, const void *bytes,
                                           size_t length)
{
    size_t v1_length = strlen(v1_start);

    *header = (struct proxy_header){0};
    if (begins_like(bytes, length, v2_start, sizeof v2_start))
        return length < sizeof v2_start ? PROXY_HEADER_PARTIAL : read_v2(header, bytes, length);
    if (begins_like(bytes, length, v1_start, v1_length))
        return length < v1_length ? PROXY_HEADER_PARTIAL : read_v1(header, bytes, length);
    return PROXY_HEADER_NONE;
}
