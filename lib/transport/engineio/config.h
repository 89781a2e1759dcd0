/* config.h: an endpoint's options of Socket.IO, checked and copied. */
#ifndef WS_TRANSPORT_ENGINEIO_CONFIG_H
#define WS_TRANSPORT_ENGINEIO_CONFIG_H

#include <ws_manager/socketio.h>

#include "base/json_text.h"

enum {
    CONFIG_SPACES_MAX = 16, /* beside the default namespace */
    CONFIG_NO_SPACE = 255
};

/* One block of memory: its namespaces and their names are in it. */
struct socketio_config {
    ws_socketio_options options;
    struct kept *kept; /* NULL: clients cannot recover their sessions */
};

/* Makes a copy of the options (NULL: the defaults). WS_ERR_INVALID or WS_ERR_NO_MEMORY. */
int socketio_config_new(ws_manager *manager, const ws_socketio_options *options,
                        struct socketio_config **config);
void socketio_config_free(ws_manager *manager, struct socketio_config *config);

/* The number of a namespace, as in a packet: 0 for the default one, CONFIG_NO_SPACE for one that is
 * not registered. */
uint8_t socketio_config_find(const struct socketio_config *config, struct json_slice name);

/* The name of a namespace, given by its number. */
const char *socketio_config_name(const struct socketio_config *config, uint8_t space);

#endif
