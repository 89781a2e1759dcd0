/* stream.c: a cluster's stream in memory. */
#include "support/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/events/ids.h"

struct stream stream;

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

void stream_reset(void)
{
    for (size_t i = 0; i < stream.count; i++) {
        free(stream.events[i].target);
        free(stream.events[i].exclude);
        free(stream.events[i].text);
        free(stream.events[i].producer);
        free(stream.events[i].key);
    }
    memset(&stream, 0, sizeof stream);
    strcpy(stream.epoch, "aaaabbbb22");
}

ws_cluster_event stream_event(uint64_t position)
{
    const struct stored *stored = &stream.events[position - 1];

    return (ws_cluster_event){
        .size = sizeof(ws_cluster_event),
        .scope = stored->scope,
        .target = stored->target,
        .exclude = stored->exclude,
        .text = stored->text,
        .length = strlen(stored->text),
        .position = position,
    };
}

const char *stream_id(uint64_t position)
{
    static char ids[4][EVENT_ID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 4];

    event_id_write(stream.epoch, position, id);
    return id;
}

/* --- the carrier ----------------------------------------------------------------------------- */

static int publish(const ws_cluster_event *event, void *receipt, void *data)
{
    (void)data;
    if (stream.publish_result != WS_OK)
        return stream.publish_result;
    ck_assert_uint_lt(stream.count, STREAM_MAX);
    stream.events[stream.count++] = (struct stored){
        .scope = event->scope,
        .target = copy(event->target),
        .exclude = copy(event->exclude),
        .text = strndup(event->text, event->length),
        .producer = copy(event->producer),
        .sequence = event->sequence,
        .receipt = receipt,
        .keep = event->keep != NULL ? *event->keep : (ws_cluster_keep){.size = 0},
        .key = event->keep != NULL ? copy(event->keep->key) : NULL,
    };
    return WS_OK;
}

static int fetch(uint64_t after, uint32_t max_events, void *request, void *data)
{
    ck_assert_uint_gt(max_events, 0);
    stream.n_fetches++;
    if (stream.fetch_result != WS_OK)
        return stream.fetch_result;
    ck_assert_uint_lt(stream.n_asked, STREAM_MAX_REQUESTS);
    stream.asked[stream.n_asked++] = (struct asked){data, request, after, max_events};
    return WS_OK;
}

const ws_cluster stream_carrier = {
    .size = sizeof stream_carrier, .publish = publish, .fetch = fetch};

int stream_answer_with(uint64_t after, size_t n)
{
    const struct asked asked = stream.asked[0];
    ws_cluster_event *events = calloc(n + 1, sizeof *events);
    int result;

    ck_assert_uint_gt(stream.n_asked, 0);
    ck_assert_ptr_nonnull(events);
    for (size_t i = 0; i < n; i++)
        events[i] = stream_event(after + 1 + i);
    result = ws_manager_cluster_fetched(asked.process->host.manager, asked.request, events, n);
    free(events);
    if (result == WS_OK)
        memmove(stream.asked, stream.asked + 1, --stream.n_asked * sizeof *stream.asked);
    return result;
}

void stream_answer(void)
{
    ck_assert_int_eq(stream_answer_with(stream.asked[0].after, stream.asked[0].max_events),
                     WS_OK);
}

void stream_answer_all(void)
{
    while (stream.n_asked > 0) {
        struct process *process = stream.asked[0].process;

        stream_answer();
        host_run(&process->host);
    }
}

/* --- processes ------------------------------------------------------------------------------- */

void process_open(struct process *process, uint32_t history_events)
{
    host_init(&process->host);
    process->host.options.history_events = history_events;
    process->n_read = 0;
    ck_assert_int_eq(ws_manager_new(&process->host.options, &process->host.manager), WS_OK);
    ck_assert_int_eq(ws_manager_set_cluster(process->host.manager, &stream_carrier, process),
                     WS_OK);
    ck_assert_int_eq(ws_loop_new(process->host.manager, NULL, 0, &process->host.loop), WS_OK);
}

void process_start(struct process *process, size_t n)
{
    ws_cluster_event *events = calloc(n + 1, sizeof *events);

    ck_assert_ptr_nonnull(events);
    for (size_t i = 0; i < n; i++)
        events[i] = stream_event(stream.count - n + 1 + i);
    ck_assert_int_eq(
        ws_manager_cluster_start(process->host.manager, stream.epoch, stream.count, events, n),
        WS_OK);
    free(events);
    process->n_read = stream.count;
    host_run(&process->host);
}

void process_read_all(struct process *process)
{
    while (process->n_read < stream.count) {
        ws_cluster_event event = stream_event(process->n_read + 1);

        ck_assert_int_eq(ws_manager_cluster_deliver(process->host.manager, &event), WS_OK);
        process->n_read++;
    }
    host_run(&process->host);
}

void process_pass(struct process *process, uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 200) {
        process->host.now_ms += 200;
        host_run(&process->host);
    }
}

void process_close(struct process *process)
{
    if (process->host.manager != NULL)
        host_close(&process->host);
    process->host.manager = NULL;
}

void process_come_back(struct process *process, struct client *client, const char *after,
                       const char *former)
{
    ws_connect_options options;

    client_free(client);
    *client = (struct client){.host = &process->host, .name = "ann"};
    client_options(client, &options);
    options.user_id = "ann";
    options.after = after;
    options.former_connection_id = former;
    ck_assert_int_eq(
        ws_manager_connect(process->host.manager, process->host.loop, &options, &client->id),
        WS_OK);
}

const char *recovered_message(bool is_complete, size_t count, uint64_t position)
{
    static char text[128];

    snprintf(
        text, sizeof text,
        "{\"type\":\"recovered\",\"data\":{\"complete\":%s,\"count\":%zu,\"id\":\"E.%llu\"}}",
        is_complete ? "true" : "false", count, (unsigned long long)position);
    return text;
}
