/* client.c: clients whose transport is memory. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/manager.h"
#include "support/host.h"

char *without_epoch(const ws_manager *manager, const char *text, size_t length)
{
    const char *epoch = manager->epoch;
    size_t epoch_length = strlen(epoch);
    char *copy = malloc(length + 1);
    size_t at = 0;
    size_t to = 0;

    while (at < length) {
        if (length - at >= epoch_length && memcmp(text + at, epoch, epoch_length) == 0) {
            copy[to++] = 'E';
            at += epoch_length;
        } else {
            copy[to++] = text[at++];
        }
    }
    copy[to] = '\0';
    return copy;
}

static int memory_send(ws_message *message, void *transport_data)
{
    struct client *client = transport_data;
    const char *payload = ws_message_payload(message, &client->last_length);
    char **messages;
    char *text;
    int result = client->send_result;

    ck_assert(!client->gone);
    if (result == WS_OK || result == WS_ERR_BACKPRESSURE) {
        messages =
            realloc(client->messages, (client->n_messages + 1) * sizeof *client->messages);
        ck_assert_ptr_nonnull(messages);
        text = without_epoch(client->host->manager, payload, client->last_length);
        messages[client->n_messages++] = text;
        client->messages = messages;
        client->last_is_text = ws_message_is_text(message);
        if (client->on_send != NULL)
            client->on_send(client, text);
    }
    return result;
}

static void memory_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct client *client = transport_data;

    ck_assert(!client->gone);
    client->gone = true;
    client->n_closes++;
    client->close_code = code;
    ck_assert_uint_lt(length, sizeof client->close_reason);
    if (length > 0)
        memcpy(client->close_reason, reason, length);
    client->close_reason[length] = '\0';
    if (client->on_close != NULL)
        client->on_close(client);
}

void client_options(struct client *client, ws_connect_options *options)
{
    static const ws_transport transport = {
        .size = sizeof transport, .send = memory_send, .close = memory_close};

    ws_connect_options_init(options);
    options->transport = &transport;
    options->transport_data = client;
    options->user_data = client;
}

int client_try(struct host *host, struct client *client, const char *name, const char *user_id,
               enum ws_protocol protocol)
{
    ws_connect_options options;

    *client = (struct client){.host = host, .name = name};
    client_options(client, &options);
    options.user_id = user_id;
    options.protocol = (int32_t)protocol;
    return ws_manager_connect(host->manager, host->loop, &options, &client->id);
}

void client_open(struct host *host, struct client *client, const char *name,
                 const char *user_id)
{
    const char *welcome;

    ck_assert_int_eq(client_try(host, client, name, user_id, WS_PROTOCOL_JSON), WS_OK);
    ck_assert_uint_ne(client->id, 0);
    host_run(host);
    welcome = client_next(client);
    ck_assert_ptr_nonnull(welcome);
    ck_assert_ptr_nonnull(strstr(welcome, "{\"type\":\"welcome\""));
}

void client_open_in(struct host *host, struct client *client, const char *name,
                    const char *room)
{
    client_open(host, client, name, NULL);
    ck_assert_int_eq(ws_manager_join_room(host->manager, client->id, room), WS_OK);
    host_run(host);
    ck_assert(ws_manager_is_member(host->manager, client->id, room));
}

void client_free(struct client *client)
{
    for (size_t i = 0; i < client->n_messages; i++)
        free(client->messages[i]);
    free(client->messages);
    client->messages = NULL;
    client->n_messages = client->n_read = 0;
}

void client_lose(struct client *client)
{
    int result =
        ws_manager_transport_closed(client->host->manager, client->id, 1006, "connection lost");

    ck_assert_int_eq(result, WS_OK);
    client->gone = true;
}

void client_say(struct client *client, const char *json)
{
    ck_assert_int_eq(
        ws_manager_receive(client->host->manager, client->id, json, strlen(json), 1), WS_OK);
}

const char *client_next(struct client *client)
{
    return client->n_read < client->n_messages ? client->messages[client->n_read++] : NULL;
}

void client_expect(struct client *client, ...)
{
    const char *expected;
    va_list list;

    va_start(list, client);
    while ((expected = va_arg(list, const char *)) != NULL) {
        const char *message = client_next(client);

        ck_assert_msg(message != NULL, "%s: not received: %s", client->name, expected);
        ck_assert_str_eq(message, expected);
    }
    va_end(list);
    expected = client_next(client);
    ck_assert_msg(expected == NULL, "%s: received beyond that: %s", client->name, expected);
}

size_t client_count(struct client *client)
{
    size_t count = client->n_messages - client->n_read;

    client->n_read = client->n_messages;
    return count;
}
