/* conformance_test.c: the cases of tests/conformance (RFC 6455 and 7692, clause by clause), each
 * with its bytes arriving in every chunking. Not here: what only one chunking can show (frames,
 * message limits, close). */
#include <string.h>

#include "websocket/conformance_cases.h"
#include "websocket/host.h"

enum feeding {
    STEP_BY_STEP, /* after each line, everything that is expected before the next line has
                     arrived, and no more */
    AT_ONCE,
    IN_BYTES,
    IN_RANDOM_CHUNKS,
    PIPELINED, /* directly after the handshake's request, without waiting for its answer */
    PIPELINED_IN_BYTES,
    PIPELINED_IN_RANDOM_CHUNKS,
    N_FEEDINGS
};

enum {
    MAX_CASES = 512,
    MAX_MESSAGE_BYTES = 1 << 20,
    BYTEWISE_MAX = 200000 /* more bytes take seconds, and show nothing else */
};

static const char *const tables[] = {
    "framing.txt",     "reserved.txt",           "fragmentation.txt", "control.txt",
    "utf8.txt",        "utf8_invalid.txt",       "close.txt",         "negotiation.txt",
    "compression.txt", "compression_errors.txt",
};
static struct conformance_name names[MAX_CASES];
static size_t n_names;
static struct conformance_case current;
static struct host host;

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.max_message_bytes = MAX_MESSAGE_BYTES;
    options.endpoint.max_queue_bytes = 4 * MAX_MESSAGE_BYTES;
    host_open(&host, &options);
}

static void teardown(void)
{
    conformance_free(&current);
    host_close(&host);
}

/* --- expected frames ------------------------------------------------------------------------- */

/* A close's reason is free; without a code its payload is empty. */
static void check_frame(const struct step *step, const struct frame *frame)
{
    const struct bytes *wanted = &step->bytes;

    ck_assert_uint_eq(frame->opcode, step->opcode);
    if (step->opcode == CLOSE && wanted->length == 2)
        ck_assert_uint_ge(frame->length, 2);
    else
        ck_assert_uint_eq(frame->length, wanted->length);
    ck_assert_int_eq(memcmp(frame->payload, wanted->data, wanted->length), 0);
}

/* The next frame of this kind: a pong need not wait for the message before it (RFC 6455 section
 * 5.5.3). */
static size_t find_expected(const struct conformance_case *of, size_t from, size_t until,
                            const bool *came, unsigned opcode)
{
    size_t i = from;

    while (i < until && (of->steps[i].is_sent || came[i] ||
                         (of->steps[i].opcode == PONG) != (opcode == PONG)))
        i++;
    return i;
}

/* Everything that the steps expect has arrived, and nothing else; a close comes last. */
static void expect_steps(struct peer *peer, const struct conformance_case *of, size_t from,
                         size_t until)
{
    bool came[CASE_MAX_STEPS] = {false};
    bool is_closed = false;
    struct frame frame;

    while (peer_next(peer, &frame)) {
        size_t i = find_expected(of, from, until, came, frame.opcode);

        ck_assert_msg(i < until && !is_closed, "unexpected frame: opcode %u, %zu bytes",
                      frame.opcode, frame.length);
        check_frame(&of->steps[i], &frame);
        came[i] = true;
        is_closed = frame.opcode == CLOSE;
    }
    for (size_t i = from; i < until; i++)
        ck_assert_msg(of->steps[i].is_sent || came[i], "the frame of line %zu did not arrive",
                      i + 1);
}

static void check_extensions(const struct peer *peer, const struct conformance_case *of)
{
    const char *head = (const char *)peer->received.data;
    const char *found = strstr(head, "Sec-WebSocket-Extensions");

    if (of->answer[0] == '\0')
        ck_assert_ptr_null(found);
    else
        ck_assert_ptr_nonnull(strstr(head, of->answer));
}

/* --- sending --------------------------------------------------------------------------------- */

static void step_by_step(struct peer *peer, const struct conformance_case *of)
{
    for (size_t i = 0, next; i < of->n_steps; i = next) {
        if (of->steps[i].is_sent)
            peer_send(peer, &of->steps[i].bytes);
        for (next = i + 1; next < of->n_steps && !of->steps[next].is_sent;)
            next++;
        expect_steps(peer, of, i, next);
    }
}

static void together(struct peer *peer, const struct conformance_case *of,
                     const char *request_headers, enum chunking chunking)
{
    struct bytes bytes = {0};

    bytes_add(&bytes, "", 0);
    if (request_headers != NULL)
        client_request(&bytes, "/ws", request_headers);
    for (size_t i = 0; i < of->n_steps; i++)
        if (of->steps[i].is_sent)
            bytes_add(&bytes, of->steps[i].bytes.data, of->steps[i].bytes.length);
    if (chunking == BYTE_BY_BYTE && bytes.length > BYTEWISE_MAX)
        chunking = RANDOM_CHUNKS;
    peer_send_chunked(peer, &bytes, chunking);
    bytes_free(&bytes);
    if (request_headers != NULL)
        ck_assert_int_eq(peer_head(peer), 101);
    expect_steps(peer, of, 0, of->n_steps);
}

/* NULL if the connection continues. */
static const struct step *last_close(const struct conformance_case *of)
{
    const struct step *last = &of->steps[of->n_steps - 1];

    return !last->is_sent && last->opcode == CLOSE ? last : NULL;
}

static void check_ended(const struct peer *peer, const struct step *close)
{
    const uint8_t *code = close->bytes.data;

    ck_assert(peer->ended);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, close->bytes.length == 0 ? 1005 : code[0] << 8 | code[1]);
}

/* The connection has ended, or continues as if nothing had happened. */
static void check_after(struct peer *peer, const struct conformance_case *of)
{
    const struct step *close = last_close(of);

    if (close != NULL)
        check_ended(peer, close);
    peer_send_frame(peer, FIN | PING, "after", 5);
    peer_send_frame(peer, FIN | TEXT, "after", 5);
    if (close == NULL) {
        peer_expect(peer, PONG, "after", 5);
        peer_expect_text(peer, "after");
        ck_assert(!peer->ended);
    }
    peer_expect_nothing(peer);
}

START_TEST(case_conforms)
{
    enum feeding feeding = (enum feeding)(_i % N_FEEDINGS);
    struct peer *peer;

    ck_assert_uint_lt(n_names, MAX_CASES); /* no case is left out */
    conformance_read(&names[_i / N_FEEDINGS], &current);
    peer = feeding < PIPELINED ? host_client_with(&host, current.headers) : host_peer(&host);
    if (feeding == STEP_BY_STEP)
        step_by_step(peer, &current);
    else if (feeding < PIPELINED)
        together(peer, &current, NULL, (enum chunking)(feeding - AT_ONCE));
    else
        together(peer, &current, current.headers, (enum chunking)(feeding - PIPELINED));
    check_extensions(peer, &current);
    check_after(peer, &current);
}
END_TEST

/* Each case has its own TCase, so that a failure is reported with its clause. */
Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-conformance");

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        n_names = conformance_list(tables[i], names, n_names, MAX_CASES);
    for (size_t i = 0; i < n_names; i++) {
        TCase *tests = tcase_create(names[i].name);

        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_loop_test(tests, case_conforms, (int)(i * N_FEEDINGS),
                            (int)((i + 1) * N_FEEDINGS));
        suite_add_tcase(suite, tests);
    }
    return suite;
}
