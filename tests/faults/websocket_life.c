/* websocket_life.c: a host in memory with two WebSockets, which continues after failed allocations.
 * Not here: the failures (each_failure.c) and the clients' messages. */
#include "faults/websocket_life.h"

#include <string.h>

#include "faults/each_failure.h"

bool life_begin(struct websocket_life *life, const ws_manager_options *options,
                const ws_endpoint_options *endpoint_options)
{
    memset(life, 0, sizeof *life);
    if (ws_manager_new(options, &life->manager) != WS_OK ||
        ws_loop_new(life->manager, NULL, 0, &life->loop) != WS_OK ||
        ws_endpoint_new(life->manager, endpoint_options, &life->endpoint) != WS_OK)
        return false;
    for (size_t i = 0; i < N_CLIENTS; i++)
        ws_websocket_new(life->loop, life->endpoint, &life->clients[i],
                         &life->clients[i].websocket);
    return true;
}

static void write_output(struct client *client)
{
    struct iovec pieces[16];
    size_t sent = 0;
    int n = ws_websocket_output(client->websocket, pieces, 16);

    for (int i = 0; i < n; i++) {
        expect(client->length + pieces[i].iov_len <= GOT_MAX_BYTES,
               "too many bytes were written");
        memcpy(client->got + client->length, pieces[i].iov_base, pieces[i].iov_len);
        client->length += pieces[i].iov_len;
        sent += pieces[i].iov_len;
    }
    if (n > 0)
        ws_websocket_sent(client->websocket, sent);
}

void life_turn(struct websocket_life *life)
{
    ws_websocket *websocket;

    for (int i = 0; i < 1000 && ws_loop_run(life->loop, life->now_ms) == life->now_ms; i++)
        ;
    while ((websocket = ws_loop_next_output(life->loop)) != NULL)
        write_output(ws_websocket_user_data(websocket));
}

void life_feed(struct websocket_life *life, const struct bytes *bytes)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (life->clients[i].websocket != NULL)
            ws_websocket_receive(life->clients[i].websocket, bytes->data, bytes->length);
    life_turn(life);
}

void life_end(struct websocket_life *life)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        ws_websocket_free(life->clients[i].websocket);
    ws_endpoint_free(life->endpoint);
    ws_loop_free(life->loop);
    ws_manager_free(life->manager);
}

void life_expect(const struct websocket_life *life, const char *const *texts, size_t n_texts)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        for (size_t j = 0; j < n_texts; j++)
            expect(memmem(life->clients[i].got, life->clients[i].length, texts[j],
                          strlen(texts[j])) != NULL,
                   texts[j]);
}
