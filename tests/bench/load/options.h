/* options.h: the load generator's command line.
 * What the modes do is in their files; see modes.h. */
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

struct options {
    int port;
    const char *path;
    enum mode mode;
    size_t connections;
    size_t outstanding; /* messages that are not yet delivered to everyone */
    size_t bytes;       /* marker and padding of a message */
    double seconds;
    double rate; /* messages/s */
    int server_pid;
    const char *hello;
    const char *publish;
    bool deflate;
};

/* False after saying on stderr what is wrong. */
bool options_parse(int argc, char **argv, struct options *options);

#endif
