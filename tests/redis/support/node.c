/* node.c: stands for a process with a manager, one client and a carrier. */
#include "redis/support/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_NODES = 8, TURN_MS = 20 };

static struct node *nodes[MAX_NODES];
static size_t n_nodes;

uint64_t node_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- hooks ------------------------------------------------------------------------------------ */

static void watch(int fd, int events, void *user_data)
{
    struct node *node = user_data;
    struct pollfd *place = NULL;

    for (size_t i = 0; i < NODE_MAX_FDS; i++)
        if (node->fds[i].fd == fd || (place == NULL && node->fds[i].fd < 0))
            place = &node->fds[i];
    ck_assert_ptr_nonnull(place);
    place->fd = events != 0 ? fd : -1;
    place->events = (short)(((events & WS_REDIS_READ) ? POLLIN : 0) |
                            ((events & WS_REDIS_WRITE) ? POLLOUT : 0));
}

static void wake(void *user_data)
{
    struct node *node = user_data;

    node->is_woken = true;
    node->n_wakes++;
}

static void on_state(int connected, const char *text, void *user_data)
{
    struct node *node = user_data;

    node->n_told++;
    node->connected = connected;
    snprintf(node->state, sizeof node->state, "%s", text);
    if (node->expected_state != NULL && strstr(text, node->expected_state) != NULL)
        node->n_expected++;
}

static void on_message(struct client *client, const char *message)
{
    struct node *node = client->hook_data;
    const char *number = strstr(message, "\"data\":{\"n\":");

    if (number != NULL) {
        ck_assert_uint_lt(node->n_got, NODE_MAX_EVENTS);
        node->got[node->n_got++] = atoi(number + strlen("\"data\":{\"n\":"));
    }
    if (strstr(message, "\"type\":\"recovered\"") != NULL)
        node->n_missed++;
}

static void on_stored(int result, const char *id, void *user_data)
{
    struct node *node = user_data;

    if (result == WS_OK)
        node->n_stored++;
    else
        node->n_not_stored++;
    snprintf(node->stored_id, sizeof node->stored_id, "%s", id);
}

/* --- life ------------------------------------------------------------------------------------- */

void node_init(struct node *node, const char *name, const char *uri)
{
    memset(node, 0, sizeof *node);
    host_init(&node->host);
    host_without_callbacks(&node->host);
    test_memory_init(&node->memory);
    ws_redis_options_init(&node->options);
    node->options.uri = uri;
    node->options.node = name;
    node->options.watch = watch;
    node->options.wake = wake;
    node->options.on_state = on_state;
    node->options.user_data = node;
    node->options.allocator = &node->memory.allocator;
    for (size_t i = 0; i < NODE_MAX_FDS; i++)
        node->fds[i].fd = -1;
}

void node_open(struct node *node)
{
    node->got = calloc(NODE_MAX_EVENTS, sizeof *node->got);
    ck_assert_ptr_nonnull(node->got);
    ck_assert_int_eq(ws_manager_new(&node->host.options, &node->host.manager), WS_OK);
    node->host.now_ms = node_clock_ms();
    ck_assert_int_eq(ws_redis_new(node->host.manager, &node->options,
                                  node->host.now_ms + node->ahead_ms, &node->redis),
                     WS_OK);
    ck_assert_int_eq(ws_loop_new(node->host.manager, NULL, node->host.now_ms, &node->host.loop),
                     WS_OK);
    client_open(&node->host, &node->client, "client", NULL);
    node->client.on_send = on_message;
    node->client.hook_data = node;
    ck_assert_uint_lt(n_nodes, MAX_NODES);
    nodes[n_nodes++] = node;
}

void node_start(struct node *node, const char *name, const char *uri)
{
    node_init(node, name, uri);
    node_open(node);
}

void node_close(struct node *node)
{
    for (size_t i = 0; i < n_nodes; i++)
        if (nodes[i] == node)
            nodes[i--] = nodes[--n_nodes];
    ws_redis_free(node->redis);
    ck_assert_int_eq(node->memory.n_blocks, 0);
    for (size_t i = 0; i < NODE_MAX_FDS; i++)
        ck_assert_int_eq(node->fds[i].fd, -1);
    host_close(&node->host);
    client_free(&node->client);
    free(node->got);
}

/* --- turns ------------------------------------------------------------------------------------ */

static int events_of(short revents)
{
    return ((revents & (POLLIN | POLLHUP | POLLERR)) ? WS_REDIS_READ : 0) |
           ((revents & (POLLOUT | POLLHUP | POLLERR)) ? WS_REDIS_WRITE : 0);
}

static void run(struct node *node, const struct pollfd *ready)
{
    for (size_t i = 0; i < NODE_MAX_FDS; i++)
        if (ready[i].fd >= 0 && ready[i].revents != 0)
            ws_redis_ready(node->redis, ready[i].fd, events_of(ready[i].revents));
    node->is_woken = false;
    node->deadline_ms =
        ws_redis_run(node->redis, node_clock_ms() + node->ahead_ms) - node->ahead_ms;
    node->host.now_ms = node_clock_ms() + node->skipped_ms;
    if (!node->is_stuck)
        host_run(&node->host);
}

void nodes_turn(void)
{
    struct pollfd fds[MAX_NODES * NODE_MAX_FDS];
    uint64_t now_ms = node_clock_ms();
    uint64_t until_ms = now_ms + TURN_MS;

    for (size_t i = 0; i < n_nodes; i++) {
        memcpy(&fds[i * NODE_MAX_FDS], nodes[i]->fds, sizeof nodes[i]->fds);
        if (nodes[i]->is_woken)
            until_ms = now_ms;
        if (nodes[i]->deadline_ms < until_ms)
            until_ms = nodes[i]->deadline_ms;
    }
    poll(fds, (nfds_t)(n_nodes * NODE_MAX_FDS),
         until_ms > now_ms ? (int)(until_ms - now_ms) : 0);
    for (size_t i = 0; i < n_nodes; i++)
        run(nodes[i], &fds[i * NODE_MAX_FDS]);
}

/* --- events ----------------------------------------------------------------------------------- */

static int emit(struct node *node, int number, bool asks, const char *producer,
                uint64_t sequence)
{
    char data[32];
    ws_event *event;
    int result;

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    result = ws_event_new(node->host.manager, "notification", data, strlen(data), &event);
    if (result != WS_OK)
        return result;
    if (asks)
        ck_assert_int_eq(ws_event_set_stored_callback(event, on_stored, node), WS_OK);
    if (producer != NULL)
        ck_assert_int_eq(ws_event_set_sequence(event, producer, sequence), WS_OK);
    result = ws_manager_broadcast(node->host.manager, event, NULL, 0);
    ws_event_free(event);
    return result;
}

int node_emit(struct node *node, int number)
{
    return emit(node, number, false, NULL, 0);
}

int node_emit_asking(struct node *node, int number, const char *producer, uint64_t sequence)
{
    return emit(node, number, true, producer, sequence);
}

void node_emit_numbers(struct node *node, int first, int last)
{
    for (int i = first; i <= last; i++)
        ck_assert_int_eq(node_emit_asking(node, i, NULL, 0), WS_OK);
}

uint64_t node_stat(const struct node *node, const char *name)
{
    char member[64];
    const char *found;
    uint64_t value;
    char *text;

    ck_assert_int_eq(ws_redis_get_stats(node->redis, &text, NULL), WS_OK);
    snprintf(member, sizeof member, "\"%s\":", name);
    found = strstr(text, member);
    ck_assert_msg(found != NULL, "there is no %s in %s", name, text);
    value = strtoull(found + strlen(member), NULL, 10);
    ws_redis_free_text(node->redis, text);
    return value;
}

void node_expect(struct node *node, int first, int last)
{
    UNTIL(node->n_got >= (size_t)(last - first + 1));
    ck_assert_uint_eq(node->n_got, (size_t)(last - first + 1));
    for (size_t i = 0; i < node->n_got; i++)
        ck_assert_int_eq(node->got[i], first + (int)i);
    node->n_got = 0;
}

void node_expect_stored(struct node *node, int first, int last)
{
    UNTIL(node->n_stored == (size_t)last);
    node_expect(node, first, last);
    ck_assert_uint_eq(node->n_not_stored, 0);
    ck_assert_uint_eq(node_stat(node, "pending_events"), 0);
}
