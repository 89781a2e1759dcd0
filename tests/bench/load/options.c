/* options.c: checks the load generator's command line and fills in the defaults.
 * The usage text is also here. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

static const char usage[] =
    "usage: load --port P [OPTION]...\n"
    "Clients for one server on 127.0.0.1; prints lines NAME VALUE UNIT.\n"
    "\n"
    "  --path PATH         path and query of the requests (/ws)\n"
    "  --protocol PROTOCOL what the clients speak (websocket):\n"
    "    websocket           texts\n"
    "    socketio            Socket.IO 5 over WebSocket\n"
    "    polling             Socket.IO 5 over HTTP long-polling\n"
    "    sse                 event streams; these clients only receive\n"
    "  --publisher PATH    path of connection 0, if it is not as the others\n"
    "  --publisher-protocol PROTOCOL\n"
    "                      what it speaks: websocket or socketio (websocket)\n"
    "  --mode MODE         what is measured (fanout):\n"
    "    fanout              connection 0 publishes, with W messages outstanding\n"
    "    paced               connection 0 publishes R messages per second, without waiting\n"
    "    echo                each connection sends a message when its last one came back\n"
    "    idle                the server's memory for each connection\n"
    "    handshakes          opening and closing as fast as possible\n"
    "    disconnects         closing all at once\n"
    "  --connections N     number of connections (100; for handshakes: 64 at a time)\n"
    "  --seconds T         duration of the measurement (2)\n"
    "  --bytes S           size of a message's marker and padding (128)\n"
    "  --outstanding W     messages not yet delivered to every connection (1)\n"
    "  --rate R            messages per second (100)\n"
    "  --server-pid PID    the process whose CPU time and memory are reported\n"
    "  --hello TEXT        first message of every connection, except for event streams\n"
    "  --publish TEMPLATE  the message: %M becomes the marker, %P padding, %N a number that\n"
    "                      changes with each message (%M %P)\n"
    "  --deflate           offer permessage-deflate\n";

enum { PATH_MAX_BYTES = 512 };

enum kind { KIND_TEXT, KIND_SIZE, KIND_INT, KIND_REAL, KIND_MODE, KIND_PROTOCOL };

static const struct {
    const char *name;
    enum kind kind;
    size_t offset;
} specs[] = {
    {"--port", KIND_INT, offsetof(struct options, port)},
    {"--path", KIND_TEXT, offsetof(struct options, path)},
    {"--protocol", KIND_PROTOCOL, offsetof(struct options, protocol)},
    {"--publisher", KIND_TEXT, offsetof(struct options, publisher_path)},
    {"--publisher-protocol", KIND_PROTOCOL, offsetof(struct options, publisher_protocol)},
    {"--mode", KIND_MODE, offsetof(struct options, mode)},
    {"--connections", KIND_SIZE, offsetof(struct options, connections)},
    {"--seconds", KIND_REAL, offsetof(struct options, seconds)},
    {"--bytes", KIND_SIZE, offsetof(struct options, bytes)},
    {"--outstanding", KIND_SIZE, offsetof(struct options, outstanding)},
    {"--rate", KIND_REAL, offsetof(struct options, rate)},
    {"--server-pid", KIND_INT, offsetof(struct options, server_pid)},
    {"--hello", KIND_TEXT, offsetof(struct options, hello)},
    {"--publish", KIND_TEXT, offsetof(struct options, publish)},
};

static bool parse_mode(const char *text, enum mode *mode)
{
    static const char *const names[N_MODES] = {
        [MODE_FANOUT] = "fanout",
        [MODE_PACED] = "paced",
        [MODE_ECHO] = "echo",
        [MODE_IDLE] = "idle",
        [MODE_HANDSHAKES] = "handshakes",
        [MODE_DISCONNECTS] = "disconnects",
    };

    for (enum mode i = 0; i < N_MODES; i++) {
        if (strcmp(text, names[i]) == 0) {
            *mode = i;
            return true;
        }
    }
    return false;
}

static bool parse_protocol(const char *text, const struct protocol **protocol)
{
    static const struct {
        const char *name;
        const struct protocol *protocol;
    } protocols[] = {
        {"websocket", &websocket_protocol},
        {"socketio", &socketio_protocol},
        {"polling", &polling_protocol},
        {"sse", &event_stream_protocol},
    };

    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        if (strcmp(text, protocols[i].name) == 0) {
            *protocol = protocols[i].protocol;
            return true;
        }
    }
    return false;
}

static bool parse_value(const char *text, enum kind kind, void *target)
{
    char *end;
    double number;

    if (kind == KIND_TEXT) {
        memcpy(target, &text, sizeof text);
        return true;
    }
    if (kind == KIND_MODE)
        return parse_mode(text, target);
    if (kind == KIND_PROTOCOL)
        return parse_protocol(text, target);
    number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number > 0 && number < 1e9))
        return false;
    if (kind == KIND_SIZE)
        *(size_t *)target = (size_t)number;
    else if (kind == KIND_INT)
        *(int *)target = (int)number;
    else
        *(double *)target = number;
    return true;
}

static bool parse_option(const char *name, const char *value, struct options *options)
{
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        if (strcmp(name, specs[i].name) == 0)
            return value != NULL &&
                   parse_value(value, specs[i].kind, (char *)options + specs[i].offset);
    return false;
}

/* Whether the clients that send messages can do it: traffic.c sends frames. */
static bool can_publish(const struct options *options)
{
    const struct protocol *protocol =
        options->publisher_path != NULL ? options->publisher_protocol : options->protocol;
    bool is_echo = options->mode == MODE_ECHO;

    if (options->mode != MODE_FANOUT && options->mode != MODE_PACED && !is_echo)
        return true;
    return (protocol == &websocket_protocol || protocol == &socketio_protocol) &&
           (!is_echo || options->publisher_path == NULL);
}

bool options_parse(int argc, char **argv, struct options *options)
{
    *options = (struct options){
        .path = "/ws",
        .protocol = &websocket_protocol,
        .publisher_protocol = &websocket_protocol,
        .connections = 100,
        .outstanding = 1,
        .bytes = 128,
        .seconds = 2,
        .rate = 100,
        .publish = "%M %P",
    };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--deflate") == 0) {
            options->deflate = true;
            continue;
        }
        if (!parse_option(argv[i], argv[i + 1], options)) {
            fprintf(stderr, "load: %s: unknown, or its value is missing or wrong\n%s", argv[i],
                    usage);
            return false;
        }
        i++;
    }
    if (options->port == 0) {
        fprintf(stderr, "load: --port is missing\n%s", usage);
        return false;
    }
    if (strlen(options->path) > PATH_MAX_BYTES ||
        (options->publisher_path != NULL && strlen(options->publisher_path) > PATH_MAX_BYTES)) {
        fputs("load: the path is too long\n", stderr);
        return false;
    }
    if (!can_publish(options)) {
        fputs("load: messages are sent over WebSocket only; --publisher is missing\n", stderr);
        return false;
    }
    if ((options->mode == MODE_IDLE || options->mode == MODE_DISCONNECTS) &&
        options->server_pid == 0) {
        fputs("load: this mode needs --server-pid\n", stderr);
        return false;
    }
    return true;
}
