/* options.h: the command line, parsed and checked, with its defaults. */
#ifndef BACKEND_OPTIONS_H
#define BACKEND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/parts/origin.h"

enum { DEFAULT_MAX_CONNECTIONS = 100000, MOST_TRUSTED_PROXIES = 64 };

struct options {
    const char *listen;
    const char *admin; /* NULL: none */
    uint32_t threads;
    const char *redis_uri; /* NULL: no cluster */
    const char *node;      /* NULL: it has no name */
    const char *db_file;
    const char *static_dir;
    const char *tls_cert_file; /* NULL: no TLS; then the key's is NULL too */
    const char *tls_key_file;
    const char *jwt_secret_file; /* of these two at most one */
    const char *jwt_public_key;
    const char *jwt_audience; /* NULL: any */
    struct origin_rules origins;
    const char *trusted_proxies[MOST_TRUSTED_PROXIES];
    size_t n_trusted_proxies;
    bool topic_rooms;
    bool relay;
    bool echo;
    bool no_deflate;
    bool no_presence;
    uint32_t history_events; /* 0: none are kept */
    uint32_t max_message_bytes;
    uint32_t max_queue_bytes;
    uint32_t ping_interval_ms; /* 0: no pings */
    size_t max_descriptors;    /* of clients' connections and the files of answers */
    bool lacks_descriptors;    /* descriptors_limit() has lowered max_connections */
    bool wants_descriptors;    /* and it was not the default */
    uint32_t max_connections;  /* this and those below: 0 is no limit */
    uint32_t max_per_address;
    uint32_t max_fragments;
    uint32_t max_continuation_frames;
    uint32_t max_rooms;
    uint32_t message_rate;
    int log_level;
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_BAD };

/* Parses the command line. On OPTIONS_BAD, `problem` has one line. The options point into
 * `argv`. */
enum options_result options_parse(int argc, char **argv, struct options *options, char *problem,
                                  size_t problem_size);

/* The text of --help. */
const char *options_help(void);

#endif
