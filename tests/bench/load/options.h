/* options.h: the load generator's command line.
 * Not here: what the modes do (modes.h). */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum mode {
    MODE_FANOUT,
    MODE_PACED,
    MODE_ECHO,
    MODE_IDLE,
    MODE_HANDSHAKES,
    MODE_DISCONNECTS,
    N_MODES
};

struct protocol;

struct options {
    int port;
    const char *path;
    const struct protocol *protocol;
    const char *publisher_path; /* of connection 0; NULL: as the others */
    const struct protocol *publisher_protocol;
    enum mode mode;
    size_t connections;
    size_t outstanding; /* messages not yet delivered to every connection */
    size_t bytes;       /* size of a message's marker and padding */
    double seconds;
    double rate; /* messages/s */
    int server_pid;
    const char *hello;
    const char *publish;
    bool deflate;
};

/* Returns false after printing the reason on stderr. */
bool options_parse(int argc, char **argv, struct options *options);

#endif
