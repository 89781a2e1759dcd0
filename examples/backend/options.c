/* options.c: parses and checks the command line. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include <ws_manager/manager.h>

#include "base/core_count.h"
#include "server/parts/text.h"

enum {
    MOST_THREADS = 256,        /* the most loops of a manager */
    MOST_HISTORY = 1073741824, /* the most that a manager keeps */
    LONGEST_PING_INTERVAL_S = 86400
};

/* How an option's value is parsed, and the type of its member in struct options. */
enum option_kind {
    OPTION_FLAG,      /* bool, takes no value */
    OPTION_TEXT,      /* const char * */
    OPTION_NUMBER,    /* uint32_t */
    OPTION_SECONDS,   /* uint32_t, in milliseconds */
    OPTION_SIZE,      /* uint32_t; 0 becomes the largest value */
    OPTION_ORIGIN,    /* one more of struct origin_rules */
    OPTION_PROXY,     /* one more of trusted_proxies */
    OPTION_LOG_LEVEL, /* int */
    OPTION_HELP
};

struct option_spec {
    const char *name;
    enum option_kind kind;
    size_t offset;
    uint32_t min;
    uint32_t max;
};

static const struct option_spec specs[] = {
    {"listen", OPTION_TEXT, offsetof(struct options, listen), 0, 0},
    {"admin-listen", OPTION_TEXT, offsetof(struct options, admin), 0, 0},
    {"threads", OPTION_NUMBER, offsetof(struct options, threads), 1, MOST_THREADS},
    {"db", OPTION_TEXT, offsetof(struct options, db_file), 0, 0},
    {"static", OPTION_TEXT, offsetof(struct options, static_dir), 0, 0},
    {"redis", OPTION_TEXT, offsetof(struct options, redis_uri), 0, 0},
    {"node", OPTION_TEXT, offsetof(struct options, node), 0, 0},
    {"tls-cert", OPTION_TEXT, offsetof(struct options, tls_cert_file), 0, 0},
    {"tls-key", OPTION_TEXT, offsetof(struct options, tls_key_file), 0, 0},
    {"jwt-secret-file", OPTION_TEXT, offsetof(struct options, jwt_secret_file), 0, 0},
    {"jwt-public-key", OPTION_TEXT, offsetof(struct options, jwt_public_key), 0, 0},
    {"jwt-audience", OPTION_TEXT, offsetof(struct options, jwt_audience), 0, 0},
    {"allow-origin", OPTION_ORIGIN, 0, 0, 0},
    {"trusted-proxy", OPTION_PROXY, 0, 0, 0},
    {"topic-rooms", OPTION_FLAG, offsetof(struct options, topic_rooms), 0, 0},
    {"relay", OPTION_FLAG, offsetof(struct options, relay), 0, 0},
    {"echo", OPTION_FLAG, offsetof(struct options, echo), 0, 0},
    {"history", OPTION_NUMBER, offsetof(struct options, history_events), 0, MOST_HISTORY},
    {"no-deflate", OPTION_FLAG, offsetof(struct options, no_deflate), 0, 0},
    {"no-presence", OPTION_FLAG, offsetof(struct options, no_presence), 0, 0},
    {"max-message", OPTION_SIZE, offsetof(struct options, max_message_bytes), 0, UINT32_MAX},
    {"max-queue", OPTION_SIZE, offsetof(struct options, max_queue_bytes), 0, UINT32_MAX},
    {"ping-interval", OPTION_SECONDS, offsetof(struct options, ping_interval_ms), 0,
     LONGEST_PING_INTERVAL_S},
    {"max-connections", OPTION_NUMBER, offsetof(struct options, max_connections), 0,
     UINT32_MAX},
    {"max-per-address", OPTION_NUMBER, offsetof(struct options, max_per_address), 0,
     UINT32_MAX},
    {"max-fragments", OPTION_NUMBER, offsetof(struct options, max_fragments), 0, UINT32_MAX},
    {"max-continuation-frames", OPTION_NUMBER,
     offsetof(struct options, max_continuation_frames), 0, UINT32_MAX},
    {"message-rate", OPTION_NUMBER, offsetof(struct options, message_rate), 0, 64000},
    {"max-rooms", OPTION_NUMBER, offsetof(struct options, max_rooms), 0, UINT32_MAX},
    {"log-level", OPTION_LOG_LEVEL, offsetof(struct options, log_level), 0, 0},
    {"help", OPTION_HELP, 0, 0, 0},
};

const char *options_help(void)
{
    return "usage: orders-backend [OPTION]...\n"
           "Orders, clients and inventory over HTTP, with live events over WebSocket.\n"
           "\n"
           "  --listen ADDR:PORT         where to listen (127.0.0.1:8080); port 0: any free "
           "one\n"
           "  --admin-listen ADDR:PORT   serve /ws/stats, /metrics and /healthz only here\n"
           "  --threads N                event-loop threads (number of cores)\n"
           "  --db FILE                  SQLite database (orders.db); :memory: keeps nothing\n"
           "  --static DIR               folder of static files\n"
           "  --redis URI                share events with other processes through this "
           "Redis:\n"
           "                             redis://HOST:PORT, or "
           "redis+sentinel://HOST,HOST/MASTER\n"
           "  --node NAME                name of this process among them; it emits the events\n"
           "                             that its predecessor of this name left in the "
           "database\n"
           "  --tls-cert FILE            HTTPS: certificate chain, PEM; SIGHUP reloads it\n"
           "  --tls-key FILE             its key, PEM, without a passphrase\n"
           "  --jwt-secret-file FILE     require tokens, signed with HS256 and these bytes\n"
           "  --jwt-public-key FILE      require tokens, signed with RS256 or ES256; key in "
           "PEM\n"
           "  --jwt-audience NAME        audience that tokens must name\n"
           "  --allow-origin ORIGIN      scheme://host[:port] whose pages may connect, "
           "besides\n"
           "                             this server's own; its host also becomes a name of\n"
           "                             this server; repeatable; *: all\n"
           "  --trusted-proxy CIDR       address or range of proxies that may name their "
           "client,\n"
           "                             by X-Forwarded-For, Forwarded or the PROXY protocol;\n"
           "                             repeatable\n"
           "  --topic-rooms              send events to the rooms orders, inventory, clients\n"
           "  --relay                    pass a client's message on to the room that it names\n"
           "  --echo                     raw WebSocket echo at /echo\n"
           "  --history N                events kept for reconnecting clients (10000); 0: "
           "none\n"
           "  --no-deflate               no compression (permessage-deflate)\n"
           "  --no-presence              no user_connected and user_disconnected events\n"
           "  --max-message BYTES        size of a message from a client (65536)\n"
           "  --max-queue BYTES          bytes queued for a slow client (1048576)\n"
           "  --ping-interval SECONDS    between pings (25); 0: no pings\n"
           "  --max-connections N        WebSocket connections in total (100000)\n"
           "  --max-per-address N        connections of a client address, or /64 of IPv6 (0)\n"
           "  --max-fragments N          frames of a message, unless each has 64 bytes (1024)\n"
           "  --max-continuation-frames N\n"
           "                             frames of all messages per second, unless each has\n"
           "                             64 bytes (10000)\n"
           "  --message-rate N           messages of a client per second (0)\n"
           "  --max-rooms N              rooms that a connection may be in (1000)\n"
           "  --log-level LEVEL          error, warn, info or debug (info)\n"
           "  --help                     this text\n"
           "\n"
           "A limit of 0 disables the limit.\n";
}

static bool parse_log_level(const char *text, int *level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (int i = WS_LOG_ERROR; i <= WS_LOG_DEBUG; i++) {
        if (strcmp(text, names[i]) == 0) {
            *level = i;
            return true;
        }
    }
    return false;
}

static const struct option_spec *find_spec(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        if (strlen(specs[i].name) == length && strncmp(specs[i].name, name, length) == 0)
            return &specs[i];
    return NULL;
}

/* Reports why a list does not accept a value; `wrong` is NULL if it does. */
static bool judge(const struct option_spec *spec, const char *value, const char *wrong,
                  char *problem, size_t size)
{
    if (wrong != NULL)
        snprintf(problem, size, "--%s: '%s' %s", spec->name, value, wrong);
    return wrong == NULL;
}

/* Stores a value; false with a line in `problem`. */
static bool set_value(const struct option_spec *spec, const char *value,
                      struct options *options, char *problem, size_t size)
{
    char *target = (char *)options + spec->offset;
    int64_t number = 0;
    uint32_t stored;

    switch (spec->kind) {
    case OPTION_TEXT:
        memcpy(target, &value, sizeof value);
        return true;
    case OPTION_ORIGIN:
        return judge(spec, value, origin_rules_add(&options->origins, value), problem, size);
    case OPTION_PROXY:
        if (options->n_trusted_proxies == MOST_TRUSTED_PROXIES) {
            snprintf(problem, size, "--%s: there are more than %d", spec->name,
                     MOST_TRUSTED_PROXIES);
            return false;
        }
        options->trusted_proxies[options->n_trusted_proxies++] = value;
        return true;
    case OPTION_LOG_LEVEL:
        if (!parse_log_level(value, &options->log_level)) {
            snprintf(problem, size, "--log-level: '%s' is not error, warn, info or debug",
                     value);
            return false;
        }
        return true;
    default:
        break;
    }
    if (!text_parse_number(value, spec->min, spec->max, &number)) {
        snprintf(problem, size, "--%s: '%s' is not a number from %u to %u", spec->name, value,
                 (unsigned)spec->min, (unsigned)spec->max);
        return false;
    }
    stored = (uint32_t)number;
    if (spec->kind == OPTION_SECONDS)
        stored *= 1000;
    else if (spec->kind == OPTION_SIZE && stored == 0)
        stored = UINT32_MAX;
    memcpy(target, &stored, sizeof stored);
    return true;
}

static void set_defaults(struct options *options)
{
    *options = (struct options){
        .listen = "127.0.0.1:8080",
        .threads = core_count(MOST_THREADS),
        .db_file = "orders.db",
        .static_dir = BACKEND_STATIC_DIR,
        .history_events = 10000,
        .max_message_bytes = 65536,
        .max_queue_bytes = 1048576,
        .ping_interval_ms = 25000,
        .max_connections = DEFAULT_MAX_CONNECTIONS,
        .max_fragments = 1024,
        .max_continuation_frames = 10000,
        .max_rooms = 1000,
        .log_level = WS_LOG_INFO,
    };
}

/* Checks options that depend on each other. */
static bool options_fit(const struct options *options, char *problem, size_t size)
{
    bool has_secret = options->jwt_secret_file != NULL;
    bool has_public_key = options->jwt_public_key != NULL;

    if (has_secret && has_public_key) {
        snprintf(problem, size, "--jwt-secret-file and --jwt-public-key exclude each other");
        return false;
    }
    if (options->jwt_audience != NULL && !has_secret && !has_public_key) {
        snprintf(problem, size, "--jwt-audience needs --jwt-secret-file or --jwt-public-key");
        return false;
    }
    if ((options->tls_cert_file == NULL) != (options->tls_key_file == NULL)) {
        snprintf(problem, size, "--tls-cert and --tls-key must be given together");
        return false;
    }
    return true;
}

enum options_result options_parse(int argc, char **argv, struct options *options, char *problem,
                                  size_t problem_size)
{
    set_defaults(options);
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + 2;
        const char *value = NULL;
        const struct option_spec *spec;
        size_t length;

        if (strncmp(argv[i], "--", 2) != 0) {
            snprintf(problem, problem_size, "'%s' is not an option; see --help", argv[i]);
            return OPTIONS_BAD;
        }
        length = strcspn(name, "=");
        spec = find_spec(name, length);
        if (spec == NULL) {
            snprintf(problem, problem_size, "unknown option '%s'; see --help", argv[i]);
            return OPTIONS_BAD;
        }
        if (name[length] == '=')
            value = name + length + 1;
        if (spec->kind == OPTION_FLAG || spec->kind == OPTION_HELP) {
            if (value != NULL) {
                snprintf(problem, problem_size, "--%s takes no value", spec->name);
                return OPTIONS_BAD;
            }
            if (spec->kind == OPTION_HELP)
                return OPTIONS_HELP;
            memcpy((char *)options + spec->offset, &(bool){true}, sizeof(bool));
            continue;
        }
        if (value == NULL && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0)
            value = argv[++i];
        if (value == NULL || *value == '\0') {
            snprintf(problem, problem_size, "--%s needs a value", spec->name);
            return OPTIONS_BAD;
        }
        if (!set_value(spec, value, options, problem, problem_size))
            return OPTIONS_BAD;
    }
    return options_fit(options, problem, problem_size) ? OPTIONS_OK : OPTIONS_BAD;
}
