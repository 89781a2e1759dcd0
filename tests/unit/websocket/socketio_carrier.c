/* socketio_carrier.c: a cluster's carrier that is an array. */
#include "websocket/socketio_carrier.h"

#include <stdio.h>
#include <string.h>

struct carrier carrier;
struct host_options options;
ws_socketio_options socketio;
int (*carrier_judge)(struct host *of, struct peer *peer, ws_handshake *handshake);

/* --- the carrier ------------------------------------------------------------------------------ */

static struct value *find(const char *key)
{
    for (size_t i = 0; i < carrier.n_values; i++)
        if (strcmp(carrier.values[i].key, key) == 0)
            return &carrier.values[i];
    return NULL;
}

static int remember(const char *key, uint64_t rank, const void *value, size_t length,
                    uint64_t ttl_ms, void *data)
{
    struct value *known = find(key);

    (void)data;
    carrier.n_remembers++;
    carrier.n_bytes += length;
    if (carrier.result != WS_OK)
        return carrier.result;
    if (known == NULL) {
        ck_assert_uint_lt(carrier.n_values, VALUES);
        known = &carrier.values[carrier.n_values++];
        snprintf(known->key, sizeof known->key, "%s", key);
    }
    ck_assert_uint_le(length, sizeof known->bytes);
    if (rank < known->rank)
        return WS_OK;
    known->rank = rank;
    known->ttl_ms = ttl_ms;
    known->length = length;
    if (length > 0)
        memcpy(known->bytes, value, length);
    return WS_OK;
}

static void answer(size_t at)
{
    const struct value *value = find(carrier.questions[at].key);
    const char *bytes = value != NULL ? value->bytes : NULL;

    ck_assert_int_eq(
        ws_manager_cluster_recalled(host.manager, carrier.questions[at].request,
                                    carrier.is_unknown ? "" : bytes,
                                    value != NULL && !carrier.is_unknown ? value->length : 0),
        WS_OK);
}

void carrier_answer_all(void)
{
    for (size_t i = 0; i < carrier.n_questions; i++)
        answer(i);
    carrier.n_questions = 0;
}

static int recall(const char *key, void *request, void *data)
{
    size_t at = carrier.n_questions++;

    (void)data;
    ck_assert_uint_lt(at, QUESTIONS);
    carrier.questions[at].request = request;
    snprintf(carrier.questions[at].key, KEY, "%s", key);
    if (carrier.is_silent)
        return WS_OK;
    answer(at);
    carrier.n_questions--;
    return WS_OK;
}

static int publish(const ws_cluster_event *event, void *receipt, void *data)
{
    size_t at = carrier.n_events++;

    (void)data;
    ck_assert_ptr_null(receipt);
    ck_assert_uint_lt(at, EVENTS);
    carrier.events[at] = *event;
    snprintf(carrier.texts[at], sizeof carrier.texts[at], "%.*s", (int)event->length,
             event->text);
    carrier.events[at].text = carrier.texts[at];
    if (event->target != NULL)
        snprintf(carrier.targets[at], sizeof carrier.targets[at], "%s", event->target);
    carrier.events[at].target = event->target != NULL ? carrier.targets[at] : NULL;
    carrier.events[at].exclude = NULL;
    carrier.events[at].producer = NULL;
    carrier.events[at].position = at + 1;
    return WS_OK;
}

static int fetch(uint64_t after, uint32_t max_events, void *request, void *data)
{
    (void)after;
    (void)max_events;
    (void)request;
    (void)data;
    return WS_ERR_BACKPRESSURE;
}

static const ws_cluster cluster = {.size = sizeof cluster,
                                   .publish = publish,
                                   .fetch = fetch,
                                   .remember = remember,
                                   .recall = recall};

/* --- processes -------------------------------------------------------------------------------- */

static void begin_process(void)
{
    socketio_open(&options);
    host.judge = carrier_judge;
    ck_assert_int_eq(ws_manager_cluster_start(host.manager, "aaaaaaaaaa", carrier.n_events,
                                              carrier.events, carrier.n_events),
                     WS_OK);
    host_turn(&host);
}

void carrier_kill_process(void)
{
    carrier.result = WS_ERR_BACKPRESSURE;
    socketio_close();
    carrier.result = WS_OK;
    begin_process();
}

void carrier_setup(void)
{
    memset(&carrier, 0, sizeof carrier);
    socketio_options_init(&options);
    socketio = *options.endpoint.socketio;
    socketio.recovery_ms = 120000;
    options.endpoint.socketio = &socketio;
    options.cluster = &cluster;
    begin_process();
}

void carrier_teardown(void)
{
    if (host.manager != NULL)
        carrier_answer_all();
    socketio_close();
}

struct peer *carrier_come_back(const struct life *before, bool recovers)
{
    struct life life;
    struct peer *peer = lives_join(lives_auth(before, NULL), &life);

    if (recovers)
        ck_assert_str_eq(life.pid, before->pid);
    else
        ck_assert_str_ne(life.pid, before->pid);
    return peer;
}
