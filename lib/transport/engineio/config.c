/* config.c: an endpoint's options of Socket.IO, checked and copied. */
#include "transport/engineio/config.h"

#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/utf8.h"
#include "protocol/socketio/packet.h"
#include "transport/engineio/kept.h"

enum { ATTACHMENTS_MAX = 4096, WAITING_ACKS_MAX = 65536, RECOVERY_MAX_MS = 86400000 };

void ws_socketio_options_init_size(ws_socketio_options *options, size_t size)
{
    const ws_socketio_options defaults = {
        .size = sizeof defaults,
        .connect_timeout_ms = 10000,
        .max_attachments = 16,
        .max_waiting_acks = 1000,
        .recovery_ms = 120000,
        .max_recoveries = 10000,
        .max_recovery_bytes = 16 << 20,
    };

    options_init(options, size, &defaults, sizeof defaults);
}

/* A name with a comma could not be written in a packet. */
static bool space_valid(const char *name)
{
    return name_text_valid(name) && *name == '/' && name[1] != '\0' &&
           strchr(name, ',') == NULL;
}

static bool options_valid(const ws_socketio_options *options)
{
    if (options->connect_timeout_ms < 1 || options->max_attachments > ATTACHMENTS_MAX ||
        options->max_waiting_acks > WAITING_ACKS_MAX ||
        options->recovery_ms > RECOVERY_MAX_MS || options->n_namespaces > CONFIG_SPACES_MAX ||
        (options->n_namespaces > 0 && options->namespaces == NULL))
        return false;
    for (size_t i = 0; i < options->n_namespaces; i++)
        if (!space_valid(options->namespaces[i]))
            return false;
    return true;
}

static struct kept *make_kept(ws_manager *manager, const ws_socketio_options *options)
{
    const struct kept_limits limits = {
        .recovery_ms = options->recovery_ms,
        .max_sessions = options->max_recoveries,
        .max_bytes = options->max_recovery_bytes,
    };

    return kept_new(manager, &limits);
}

int socketio_config_new(ws_manager *manager, const ws_socketio_options *options,
                        struct socketio_config **config)
{
    const ws_allocator *memory = &manager->memory;
    ws_socketio_options copy;
    struct socketio_config *made;
    const char **names;
    char *text;
    size_t bytes;

    ws_socketio_options_init(&copy);
    if (!options_copy(&copy, sizeof copy, options) || !options_valid(&copy))
        return WS_ERR_INVALID;
    bytes = copy.n_namespaces * sizeof *names;
    for (size_t i = 0; i < copy.n_namespaces; i++)
        bytes += strlen(copy.namespaces[i]) + 1;
    made = memory_alloc(memory, sizeof *made + bytes);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    names = (const char **)(void *)(made + 1);
    text = (char *)(names + copy.n_namespaces);
    for (size_t i = 0; i < copy.n_namespaces; i++) {
        names[i] = text;
        text = stpcpy(text, copy.namespaces[i]) + 1;
    }
    copy.namespaces = names;
    made->options = copy;
    made->kept = copy.recovery_ms > 0 ? make_kept(manager, &copy) : NULL;
    if (copy.recovery_ms > 0 && made->kept == NULL) {
        memory_free(memory, made);
        return WS_ERR_NO_MEMORY;
    }
    *config = made;
    return WS_OK;
}

void socketio_config_free(ws_manager *manager, struct socketio_config *config)
{
    kept_free(config->kept);
    memory_free(&manager->memory, config);
}

uint8_t socketio_config_find(const struct socketio_config *config, struct json_slice name)
{
    if (name.text == NULL)
        return 0;
    for (size_t i = 0; i < config->options.n_namespaces; i++) {
        const char *known = config->options.namespaces[i];

        if (strlen(known) == name.length && memcmp(known, name.text, name.length) == 0)
            return (uint8_t)(i + 1);
    }
    return CONFIG_NO_SPACE;
}

const char *socketio_config_name(const struct socketio_config *config, uint8_t space)
{
    return space == 0 ? "/" : config->options.namespaces[space - 1];
}
