/* endpoint_new.c: creates an endpoint: checks and copies its options. */
#include "transport/shared/endpoint.h"

#include <string.h>

#include <http_parser.h>

#include "base/http_text.h"
#include "base/options.h"
#include "transport/engineio/config.h"
#include "transport/engineio/session.h"
#include "transport/websocket/websocket_new.h"

enum { TOKENS_MAX = 64, MIN_HEAD_BYTES = 256 };

void ws_endpoint_options_init_size(ws_endpoint_options *options, size_t size)
{
    const ws_endpoint_options defaults = {
        .size = sizeof defaults,
        .protocol = WS_PROTOCOL_JSON,
        .max_head_bytes = 16384,
        .max_message_bytes = 65536,
        .max_fragments = 1024,
        .max_queue_bytes = 1 << 20,
        .handshake_timeout_ms = 10000,
        .ping_interval_ms = 25000,
        .pong_timeout_ms = 20000,
        .close_timeout_ms = 3000,
        .max_loop_queue_bytes = UINT64_C(1) << 30,
        .max_control_frames = 10000,
        .deflate = 1,
        /* Events of 125 B become 13 % smaller, events of 200 B 27 %; compressing one costs 4
         * us, once. */
        .deflate_min_bytes = 200,
        .max_continuation_frames = 10000,
    };

    options_init(options, size, &defaults, sizeof defaults);
}

/* Names of subprotocols, or of headers. */
static bool tokens_valid(const char *const *tokens, size_t count)
{
    if (count > TOKENS_MAX || (count > 0 && tokens == NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        if (tokens[i] == NULL || strlen(tokens[i]) > WS_NAME_MAX ||
            !http_token_valid(tokens[i]))
            return false;
    return true;
}

static bool options_valid(const ws_endpoint_options *options)
{
    bool is_engineio =
        options->protocol == WS_PROTOCOL_SOCKETIO || options->protocol == WS_PROTOCOL_ENGINEIO;

    if ((options->protocol != WS_PROTOCOL_JSON && options->protocol != WS_PROTOCOL_RAW &&
         !is_engineio) ||
        (is_engineio && options->ping_interval_ms < 1) || /* clients wait for pings */
        options->max_head_bytes < MIN_HEAD_BYTES ||
        options->max_head_bytes > HTTP_MAX_HEADER_SIZE || options->max_message_bytes < 1 ||
        options->max_queue_bytes < 1 || options->handshake_timeout_ms < 1 ||
        options->close_timeout_ms < 1 ||
        (options->ping_interval_ms > 0 && options->pong_timeout_ms < 1))
        return false;
    if (options->queue_high_bytes < options->queue_low_bytes)
        return false;
    return tokens_valid(options->subprotocols, options->n_subprotocols) &&
           tokens_valid(options->allowed_headers, options->n_allowed_headers);
}

static void default_marks(ws_endpoint_options *options)
{
    if (options->queue_high_bytes == 0)
        options->queue_high_bytes = options->max_queue_bytes / 2;
    if (options->queue_low_bytes == 0)
        options->queue_low_bytes = options->queue_high_bytes / 4;
}

/* Copies tokens: the pointers and the texts are in one block. *tokens is NULL if there are none, or
 * if memory ran out, which returns false. */
static bool copy_tokens(const ws_manager *manager, const char *const **tokens, size_t count)
{
    const char *const *from = *tokens;
    size_t bytes = count * sizeof(char *);
    const char **pointers;
    char *text;

    *tokens = NULL;
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(from[i]) + 1;
    pointers = memory_alloc(&manager->memory, bytes);
    if (pointers == NULL)
        return false;
    text = (char *)(pointers + count);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(from[i]) + 1;

        memcpy(text, from[i], size);
        pointers[i] = text;
        text += size;
    }
    *tokens = pointers;
    return true;
}

/* Copies what the caller's options point to; false if memory ran out. */
static bool copy_texts(ws_endpoint *endpoint)
{
    ws_endpoint_options *options = &endpoint->options;
    bool has_subprotocols =
        copy_tokens(endpoint->manager, &options->subprotocols, options->n_subprotocols);
    bool has_headers =
        copy_tokens(endpoint->manager, &options->allowed_headers, options->n_allowed_headers);

    return has_subprotocols && has_headers;
}

static bool make_counts(ws_endpoint *endpoint)
{
    if (endpoint->options.max_sessions_per_client > 0)
        endpoint->clients = client_counts_new(endpoint->manager);
    return endpoint->options.max_sessions_per_client == 0 || endpoint->clients != NULL;
}

/* Notes which messages are compressed: clients pay for those that they cause. */
static void note_compression(ws_manager *manager, const ws_endpoint_options *options)
{
    manager_lock(manager);
    if (options->deflate && options->deflate_min_bytes < manager->compressed_from)
        manager->compressed_from = options->deflate_min_bytes;
    manager_unlock(manager);
}

int ws_endpoint_new(ws_manager *manager, const ws_endpoint_options *options,
                    ws_endpoint **endpoint)
{
    ws_endpoint_options copy;
    ws_endpoint *made;
    int result;

    ws_endpoint_options_init(&copy);
    if (manager == NULL || endpoint == NULL || !options_copy(&copy, sizeof copy, options))
        return WS_ERR_INVALID;
    default_marks(&copy);
    if (!options_valid(&copy))
        return WS_ERR_INVALID;
    made = memory_zalloc(&manager->memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (made->sha1 == NULL) {
        memory_free(&manager->memory, made);
        return WS_ERR_SYSTEM;
    }
    made->manager = manager;
    made->options = copy;
    atomic_init(&made->refs, 1);
    result = copy_texts(made) ? WS_OK : WS_ERR_NO_MEMORY;
    if (result == WS_OK && copy.protocol == WS_PROTOCOL_SOCKETIO)
        result = socketio_config_new(manager, copy.socketio, &made->socketio);
    if (result == WS_OK && !make_counts(made))
        result = WS_ERR_NO_MEMORY;
    made->free_socketio = socketio_config_free;
    made->options.socketio = NULL; /* the caller's */
    if (result != WS_OK) {
        if (made->socketio != NULL)
            socketio_config_free(manager, made->socketio);
        EVP_MD_free(made->sha1);
        memory_free(&manager->memory, (void *)(uintptr_t)made->options.subprotocols);
        memory_free(&manager->memory, (void *)(uintptr_t)made->options.allowed_headers);
        memory_free(&manager->memory, made);
        return result;
    }
    manager_ref(manager);
    note_compression(manager, &made->options);
    atomic_store_explicit(&manager->builtin[TRANSPORT_WEBSOCKET], &websocket_transport,
                          memory_order_release);
    atomic_store_explicit(&manager->builtin[TRANSPORT_ENGINEIO], &engineio_transport,
                          memory_order_release);
    *endpoint = made;
    return WS_OK;
}
