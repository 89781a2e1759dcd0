/* processes.c: several processes with presence on a stream in memory. */
#include "support/processes.h"

#include <stdlib.h>
#include <string.h>

struct process processes[N_PROCESSES];
bool is_cut[N_PROCESSES];
bool is_away;
size_t n_waiting;
void (*processes_options)(ws_manager_options *options);
size_t n_of_clients, n_signs;

static struct waiting_order {
    struct process *process;
    char *text;
} waiting[1024];

static int allow(ws_manager *manager, const ws_connection_info *connection, const char *room,
                 void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

static int publish(const ws_cluster_event *event, void *receipt, void *data)
{
    static const char sign[] = "{\"order\":\"presence_alive\"";

    if (event->for_client)
        n_of_clients++;
    else
        n_signs += strncmp(event->text, sign, strlen(sign)) == 0;
    if (!is_away)
        return stream_carrier.publish(event, receipt, data);
    ck_assert_uint_lt(n_waiting, sizeof waiting / sizeof *waiting);
    waiting[n_waiting++] = (struct waiting_order){data, strndup(event->text, event->length)};
    return WS_OK;
}

void processes_come_back(void)
{
    is_away = false;
    for (size_t i = 0; i < N_PROCESSES; i++) {
        for (size_t n = 0; n < n_waiting; n++) {
            const ws_cluster_event event = {.size = sizeof event,
                                            .scope = WS_SCOPE_PROCESSES,
                                            .text = waiting[n].text,
                                            .length = strlen(waiting[n].text)};

            if (waiting[n].process == &processes[i])
                ck_assert_int_eq(stream_carrier.publish(&event, NULL, &processes[i]), WS_OK);
        }
    }
    while (n_waiting > 0)
        free(waiting[--n_waiting].text);
}

void processes_open_one(size_t i)
{
    struct process *process = &processes[i];
    struct host *host = &process->host;
    ws_cluster carrier = stream_carrier;

    carrier.publish = publish;
    host_init(host);
    host_without_callbacks(host);
    host->options.authorize_presence = allow;
    host->options.presence_events = WS_PRESENCE_OFF;
    host->options.presence_grace_ms = 1000;
    if (processes_options != NULL)
        processes_options(&host->options);
    ck_assert_int_eq(ws_manager_new(&host->options, &host->manager), WS_OK);
    ck_assert_int_eq(ws_manager_set_cluster(host->manager, &carrier, process), WS_OK);
    ck_assert_int_eq(ws_loop_new(host->manager, NULL, 0, &host->loop), WS_OK);
    process->n_read = 0;
    process_start(process, 0);
    is_cut[i] = false;
}

void processes_open(void)
{
    stream_reset();
    n_of_clients = n_signs = 0;
    is_away = false;
    for (size_t i = 0; i < N_PROCESSES; i++)
        processes_open_one(i);
}

void processes_close(void)
{
    for (size_t i = 0; i < N_PROCESSES; i++)
        process_close(&processes[i]);
    while (n_waiting > 0)
        free(waiting[--n_waiting].text);
}

/* An order for which memory was short is delivered again later. */
static void read_all(struct process *process)
{
    int result = WS_OK;

    while (result == WS_OK && process->n_read < stream.count) {
        ws_cluster_event event = stream_event(process->n_read + 1);

        result = ws_manager_cluster_deliver(process->host.manager, &event);
        ck_assert(result == WS_OK || result == WS_ERR_NO_MEMORY);
        process->n_read += result == WS_OK;
    }
}

void processes_pass(uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 50) {
        for (size_t i = 0; i < N_PROCESSES; i++) {
            struct process *process = &processes[i];

            if (process->host.manager == NULL)
                continue;
            process->host.now_ms += 50;
            if (!is_cut[i])
                read_all(process);
            host_run(&process->host);
        }
    }
}
