/* traffic.c: messages that go to the server and come back, from the first connection to the last
 * figure. Not here: when they are sent, which the modes decide. */
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "inflate.h"
#include "measurement.h"

enum { SAMPLE_EVERY = 64 };

#define TURN_NS (100 * NS_PER_MS)
#define MIN_WARM_UP_NS (300 * NS_PER_MS)
#define DRAIN_LIMIT_NS (30 * NS_PER_S)

void traffic_add(struct traffic *traffic, uint64_t sent_ns)
{
    message_renew(&traffic->message, sent_ns);
    bytes_append(&traffic->batch, traffic->message.frame.data, traffic->message.frame.length);
    traffic->sent++;
}

void traffic_send_batch(struct traffic *traffic, struct client *client)
{
    client_send(&traffic->clients, client, traffic->batch.data, traffic->batch.length);
    traffic->batch.length = 0;
}

static void add_latency(struct traffic *traffic, uint64_t sent_ns)
{
    uint64_t received_ns = traffic->clients.received_ns;

    histogram_add(&traffic->latency, received_ns > sent_ns ? received_ns - sent_ns : 0);
}

/* With compression, every frame that arrives is a published message. Inflating all of them would
 * make the generator the bottleneck, so only samples are inflated. */
static void count_unread(struct traffic *traffic, const struct frame *frame)
{
    struct frame sample = *frame;
    uint64_t sent_ns;

    traffic->compressed += frame->compressed;
    if (traffic->delivered % SAMPLE_EVERY != 0)
        return;
    if ((frame->compressed && !inflate_frame(&sample)) ||
        !message_find_marker(sample.payload, sample.length, &sent_ns))
        traffic->bad++;
    else
        add_latency(traffic, sent_ns);
}

static bool count_marked(struct traffic *traffic, const struct frame *frame)
{
    uint64_t sent_ns;

    if (!message_find_marker(frame->payload, frame->length, &sent_ns))
        return false;
    add_latency(traffic, sent_ns);
    return true;
}

static void on_frame(struct clients *clients, struct client *client, const struct frame *frame)
{
    struct traffic *traffic = clients->mode;

    if (traffic->sent == 0) /* the server's greeting */
        return;
    if (clients->options->deflate)
        count_unread(traffic, frame);
    else if (!count_marked(traffic, frame))
        return;
    traffic->delivered++;
    if (traffic->kind->delivered != NULL)
        traffic->kind->delivered(traffic, client);
}

static uint64_t expected(const struct traffic *traffic)
{
    return traffic->sent * (traffic->kind->to_everyone ? traffic->clients.count : 1);
}

static void run_until(struct traffic *traffic, uint64_t end_ns)
{
    while (now_ns() < end_ns && traffic->clients.n_lost == 0) {
        uint64_t wait_ns = traffic->kind->feed != NULL ? traffic->kind->feed(traffic) : TURN_NS;

        clients_turn(&traffic->clients, wait_ns < TURN_NS ? wait_ns : TURN_NS);
    }
}

/* Waits for the outstanding messages, and then for any that should not arrive. */
static void drain(struct traffic *traffic)
{
    uint64_t limit_ns = now_ns() + DRAIN_LIMIT_NS;

    traffic->ending = true;
    while (traffic->delivered < expected(traffic) && traffic->clients.n_lost == 0 &&
           now_ns() < limit_ns)
        clients_turn(&traffic->clients, TURN_NS);
    clients_settle(&traffic->clients);
}

static void print_latency(const struct histogram *latency)
{
    print_figure("latency_p50", (double)histogram_quantile_ns(latency, 0.5) / NS_PER_US, "us");
    print_figure("latency_p99", (double)histogram_quantile_ns(latency, 0.99) / NS_PER_US, "us");
    print_figure("latency_max", (double)latency->max_ns / NS_PER_US, "us");
}

static void print_since(const struct traffic *traffic, const struct traffic *before,
                        const struct measurement *measurement)
{
    uint64_t delivered = traffic->delivered - before->delivered;
    double count = (double)delivered;
    double seconds = (double)measurement->duration_ns / (double)NS_PER_S;
    double wire_bytes = (double)(traffic->clients.wire_bytes - before->clients.wire_bytes);
    double compressed = (double)(traffic->compressed - before->compressed);

    print_figure("deliveries", count / seconds, "1/s");
    print_figure("messages", (double)(traffic->sent - before->sent) / seconds, "1/s");
    print_latency(&traffic->latency);
    if (delivered > 0) {
        print_figure("wire", wire_bytes / count, "B");
        print_figure("compressed", 100 * compressed / count, "%");
    }
    measurement_print_cpu(measurement, delivered);
}

static void measure(struct traffic *traffic)
{
    const struct options *options = traffic->clients.options;
    uint64_t measured_ns = (uint64_t)(options->seconds * (double)NS_PER_S);
    uint64_t warm_up_ns = measured_ns / 5 > MIN_WARM_UP_NS ? measured_ns / 5 : MIN_WARM_UP_NS;
    struct measurement measurement;
    struct traffic before;

    run_until(traffic, now_ns() + warm_up_ns);
    traffic->latency = (struct histogram){0};
    before = *traffic;
    measurement_begin(&measurement, options->server_pid);
    run_until(traffic, now_ns() + measured_ns);
    measurement_end(&measurement);
    print_since(traffic, &before, &measurement);
}

/* Prints on stderr what is wrong with the deliveries. */
static int check(const struct traffic *traffic)
{
    if (traffic->bad > 0)
        fprintf(stderr, "load: %llu samples are not what was sent\n",
                (unsigned long long)traffic->bad);
    if (traffic->delivered != expected(traffic))
        fprintf(stderr, "load: %llu messages were delivered instead of %llu\n",
                (unsigned long long)traffic->delivered, (unsigned long long)expected(traffic));
    return traffic->bad > 0 || traffic->delivered != expected(traffic) ||
           traffic->clients.n_lost > 0;
}

int traffic_run(const struct options *options, const struct traffic_kind *kind)
{
    static struct traffic traffic;
    int status = 1;

    traffic.kind = kind;
    if (!clients_init(&traffic.clients, options, options->connections))
        goto end;
    if (!message_init(&traffic.message, options->publish, options->bytes)) {
        fputs("load: the template has no %M\n", stderr);
        goto end;
    }
    traffic.clients.on_frame = on_frame;
    traffic.clients.mode = &traffic;
    if (!clients_open_all(&traffic.clients))
        goto end;
    measure(&traffic);
    drain(&traffic);
    print_figure("delivered", (double)traffic.delivered, "messages");
    status = check(&traffic);
end:
    clients_free(&traffic.clients);
    message_free(&traffic.message);
    free(traffic.batch.data);
    return status;
}
