/* tls_test.c: Redis with rediss://, and verifying its identity. The command openssl creates the
 * certificates; each is its own authority. */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "redis/support/addresses.h"
#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

static char folder[64]; /* the current one during a test */
static char tls_port[16];
static struct server server;
static struct node ann;
static struct node bob;

static void run(const char *command)
{
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* Creates NAME.pem and NAME.key, for the subject in `whose`. */
static void make_certificate(const char *name, const char *whose)
{
    char command[512];

    snprintf(
        command, sizeof command,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=%s -addext subjectAltName=%s -keyout %s.key -out %s.pem 2>/dev/null",
        name, whose, name, name);
    run(command);
}

/* Starts a Redis whose certificate is redis.pem, and which may require client.pem of its
 * clients. */
static void begin(const char *demands)
{
    static const char *const files[] = {"redis.pem", "redis.key", "client.pem"};
    static char paths[3][128];

    strcpy(folder, "/tmp/ws-redis-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    make_certificate("redis", "IP:127.0.0.1,DNS:redis.example");
    make_certificate("client", "DNS:client.example");
    for (int i = 0; i < 3; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, files[i]);
    snprintf(tls_port, sizeof tls_port, "%d", server_free_port());
    server_start(&server,
                 (const char *const[]){"--tls-port", tls_port, "--tls-auth-clients", demands,
                                       "--tls-cert-file", paths[0], "--tls-key-file", paths[1],
                                       "--tls-ca-cert-file", paths[2], "--appendonly", "yes",
                                       "--appendfsync", "always", NULL});
}

static void end(void)
{
    char command[128];

    server_end(&server);
    snprintf(command, sizeof command, "rm -r %s", folder);
    run(command);
}

static const char *uri(const char *host, const char *parameters)
{
    static char text[256];

    snprintf(text, sizeof text, "rediss://%s:%s%s", host, tls_port, parameters);
    return text;
}

/* The server is refused, and the reason is given; NULL: the reason depends on timing. */
static void expect_refusal(const char *from, const char *why)
{
    node_start(&ann, "ann", from);
    UNTIL(ann.state[0] != '\0');
    ck_assert(!ann.connected);
    if (why != NULL)
        ck_assert_msg(strstr(ann.state, why) != NULL, "%s: %s", from, ann.state);
    node_close(&ann);
}

static void expect_connection(const char *from)
{
    node_start(&ann, "ann", from);
    UNTIL(ann.connected);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    node_expect(&ann, 1, 1);
    node_close(&ann);
}

static void emit_large(struct node *node, int number, size_t bytes)
{
    char *data = malloc(bytes);
    ws_event *event;

    ck_assert_ptr_nonnull(data);
    memset(data, 'x', bytes);
    data[snprintf(data, bytes, "{\"n\":%d,\"x\":\"", number)] = 'x';
    memcpy(data + bytes - 2, "\"}", 2);
    ck_assert_int_eq(ws_event_new(node->host.manager, "notification", data, bytes, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(node->host.manager, event, NULL, 0), WS_OK);
    ws_event_free(event);
    free(data);
}

START_TEST(large_and_many_events)
{
    enum { N = 2000, BYTES = 20000 };

    begin("no");
    node_start(&ann, "ann", uri("127.0.0.1", "?ca=redis.pem"));
    node_start(&bob, "bob", uri("127.0.0.1", "?ca=redis.pem"));
    UNTIL(ann.connected && bob.connected);
    for (int i = 1; i <= N; i++) {
        emit_large(&ann, i, BYTES);
        if (i % 100 == 0)
            nodes_turn();
    }
    node_expect(&bob, 1, N);
    node_expect(&ann, 1, N);
    ck_assert_uint_eq(node_stat(&ann, "failures"), 0);
    ck_assert_uint_eq(node_stat(&bob, "failures"), 0);
    node_close(&ann);
    node_close(&bob);
    end();
}
END_TEST

/* The host uses OpenSSL too, on the same thread, and has left an error there. */
static bool is_so_after_an_error(bool condition)
{
    ERR_raise(ERR_LIB_USER, 1);
    return condition;
}

/* The bytes to be written grow meanwhile: by a heartbeat. */
START_TEST(redis_is_slow)
{
    enum { N = 3, BYTES = 16000000, HEARTBEAT_MS = 20, PAUSE_MS = 400 };
    uint64_t end_ms;

    begin("no");
    node_init(&ann, "ann", uri("127.0.0.1", "?ca=redis.pem"));
    ann.host.options.max_event_bytes = BYTES + 1000;
    ann.options.heartbeat_interval_ms = HEARTBEAT_MS;
    node_open(&ann);
    UNTIL(ann.connected);
    for (int i = 1; i <= N; i++) {
        server_signal(&server, SIGSTOP);
        emit_large(&ann, i, BYTES);
        end_ms = node_clock_ms() + PAUSE_MS;
        UNTIL(is_so_after_an_error(node_clock_ms() >= end_ms));
        server_signal(&server, SIGCONT);
        UNTIL(is_so_after_an_error(ann.n_got == 1));
        node_expect(&ann, i, i);
    }
    ck_assert_msg(node_stat(&ann, "failures") == 0, "%s", ann.state);
    node_close(&ann);
    end();
}
END_TEST

static void (*watch)(int fd, int events, void *user_data);

static void watch_narrow(int fd, int events, void *user_data)
{
    static const int bytes = 4096;

    if (events != 0)
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
    watch(fd, events, user_data);
}

/* Much waits from the start, and the socket accepts little of it. */
START_TEST(socket_is_narrow)
{
    enum { N = 40, BYTES = 20000 };

    begin("no");
    node_init(&ann, "ann", uri("127.0.0.1", "?ca=redis.pem"));
    watch = ann.options.watch;
    ann.options.watch = watch_narrow;
    node_open(&ann);
    for (int i = 1; i <= N; i++)
        emit_large(&ann, i, BYTES);
    node_expect(&ann, 1, N);
    ck_assert_uint_eq(node_stat(&ann, "failures"), 0);
    node_close(&ann);
    end();
}
END_TEST

START_TEST(killed_and_restarted)
{
    enum { ROUNDS = 3, EACH = 500 };

    begin("no");
    node_start(&ann, "ann", uri("127.0.0.1", "?ca=redis.pem"));
    UNTIL(ann.connected);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 1; i <= EACH; i++)
            ck_assert_int_eq(node_emit_asking(&ann, round * EACH + i, NULL, 0), WS_OK);
        nodes_turn();
        server_signal(&server, SIGKILL);
        UNTIL(!ann.connected);
        server_restart(&server);
    }
    UNTIL(ann.n_stored == ROUNDS * EACH);
    node_expect(&ann, 1, ROUNDS * EACH);
    node_close(&ann);
    end();
}
END_TEST

START_TEST(another_server_is_refused)
{
    begin("no");
    make_certificate("other", "IP:127.0.0.1");
    expect_refusal(uri("127.0.0.1", "?ca=other.pem"),
                   "the certificate of the server was refused: self");
    expect_refusal(uri("127.0.0.1", ""), "the certificate of the server was refused: self");
    expect_refusal(uri("localhost", "?ca=redis.pem"),
                   "the certificate of the server was refused: hostname mismatch");
    make_certificate("named", "DNS:127.0.0.1");
    server_do(&server, "CONFIG SET tls-cert-file %s/named.pem tls-key-file %s/named.key",
              folder, folder);
    expect_refusal(uri("127.0.0.1", "?ca=named.pem"),
                   "the certificate of the server was refused: IP address mismatch");
    end();
}
END_TEST

static int resolve(ws_redis_lookup *lookup, const char *host, void *user_data)
{
    struct addrinfo *list = address_list((const char *const[]){"127.0.0.1", NULL});

    (void)host;
    (void)user_data;
    ws_redis_lookup_done(lookup, list, NULL);
    address_list_free(list);
    return WS_OK;
}

/* Whatever its address, Redis must have the identity that the URI names. */
START_TEST(the_identity_is_the_host_name)
{
    static const struct {
        const char *host;
        const char *refusal;
    } names[] = {{"redis.example", NULL},
                 {"REDIS.example.", NULL}, /* the dot belongs to DNS only */
                 {"other.example", "hostname mismatch"},
                 {"redis.example.org", "hostname mismatch"}};

    begin("no");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        node_init(&ann, "ann", uri(names[i].host, "?ca=redis.pem"));
        ann.options.resolve = resolve;
        node_open(&ann);
        UNTIL(ann.state[0] != '\0');
        if (names[i].refusal != NULL)
            ck_assert_msg(strstr(ann.state, names[i].refusal) != NULL, "%s", ann.state);
        else
            ck_assert_msg(ann.connected, "%s: %s", names[i].host, ann.state);
        node_close(&ann);
    }
    end();
}
END_TEST

START_TEST(only_one_side_uses_tls)
{
    char text[128];

    begin("no");
    snprintf(text, sizeof text, "rediss://127.0.0.1:%d?ca=redis.pem&timeout_ms=100",
             server.port);
    expect_refusal(text, NULL);
    snprintf(text, sizeof text, "redis://127.0.0.1:%s", tls_port);
    expect_refusal(text, NULL);
    end();
}
END_TEST

START_TEST(client_certificates_are_sent)
{
    begin("yes");
    expect_refusal(uri("127.0.0.1", "?ca=redis.pem"), NULL);
    expect_refusal(uri("127.0.0.1", "?ca=redis.pem&cert=redis.pem&key=redis.key"), NULL);
    expect_connection(uri("127.0.0.1", "?ca=redis.pem&cert=client.pem&key=client.key"));
    end();
}
END_TEST

/* Changed files are read again. */
START_TEST(certificates_are_renewed)
{
    begin("no");
    run("cp client.pem ca.pem");
    node_start(&ann, "ann", uri("127.0.0.1", "?ca=ca.pem"));
    UNTIL(strstr(ann.state, "the certificate of the server was refused: ") != NULL);
    run("rm ca.pem");
    UNTIL(strstr(ann.state, "ca cannot be used: No such file") != NULL);
    run("cp redis.pem ca.pem");
    UNTIL(ann.connected);
    node_close(&ann);
    end();
}
END_TEST

static unsigned n_read;

int __real_SSL_CTX_use_certificate_chain_file(SSL_CTX *context, const char *file);
int __wrap_SSL_CTX_use_certificate_chain_file(SSL_CTX *context, const char *file);

int __wrap_SSL_CTX_use_certificate_chain_file(SSL_CTX *context, const char *file)
{
    n_read++;
    return __real_SSL_CTX_use_certificate_chain_file(context, file);
}

/* However often the process connects: by its two connections, and after they are cut. */
START_TEST(files_are_read_once)
{
    unsigned n_before;

    begin("no");
    node_start(&ann, "ann", uri("127.0.0.1", "?ca=redis.pem&cert=client.pem&key=client.key"));
    UNTIL(ann.connected);
    n_before = n_read;
    for (uint64_t sessions = 2; sessions < 5; sessions++) {
        server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
        UNTIL(node_stat(&ann, "sessions") == sessions);
    }
    ck_assert_uint_eq(n_read, n_before);
    run("cp client.pem new.pem && mv new.pem client.pem");
    server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    UNTIL(node_stat(&ann, "sessions") == 5);
    ck_assert_uint_eq(n_read, n_before + 1);
    node_close(&ann);
    end();
}
END_TEST

START_TEST(files_that_are_refused)
{
    static const char *const bad[][2] = {
        {"rediss://h?ca=none.pem", "ca cannot be used: No such file"},
        {"rediss://h?ca=redis.key", "ca cannot be used: "},
        {"rediss://h?cert=none.pem&key=redis.key", "cert cannot be used: No such file"},
        {"rediss://h?cert=redis.pem&key=none.key", "key cannot be used: No such file"},
        {"rediss://h?cert=redis.pem&key=client.key", "key cannot be used: key values mismatch"},
        {"rediss://h?cert=redis.pem&key=rsa.key", "key cannot be used: "},
        {"rediss://h?cert=redis.pem&key=secret.key", "key cannot be used: "},
    };
    char text[128];

    begin("no");
    run("openssl genrsa -out rsa.key 2048 2>/dev/null");
    run("openssl ec -aes128 -passout pass:secret -in redis.key -out secret.key 2>/dev/null");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(ws_redis_check_uri(bad[i][0], text, sizeof text), WS_ERR_INVALID);
        ck_assert_msg(strstr(text, bad[i][1]) == text, "%s: %s", bad[i][0], text);
    }
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(ws_redis_check_uri("rediss://h", text, sizeof text), WS_OK);
    end();
}
END_TEST

/* Sentinel and master have the same certificate. */
START_TEST(a_master_that_a_sentinel_names)
{
    static char paths[2][128];
    static char port[16];
    struct server sentinel;
    char text[256];

    begin("no");
    snprintf(paths[0], sizeof paths[0], "%s/redis.pem", folder);
    snprintf(paths[1], sizeof paths[1], "%s/redis.key", folder);
    snprintf(port, sizeof port, "%d", server_free_port());
    server_start_sentinel(&sentinel, atoi(tls_port),
                          (const char *const[]){"--tls-port", port, "--tls-auth-clients", "no",
                                                "--tls-cert-file", paths[0], "--tls-key-file",
                                                paths[1], "--tls-ca-cert-file", paths[0],
                                                NULL});
    snprintf(text, sizeof text, "rediss+sentinel://127.0.0.1:%s/mymaster?ca=redis.pem", port);
    expect_connection(text);
    snprintf(text, sizeof text, "rediss+sentinel://127.0.0.1:%s/mymaster?ca=client.pem", port);
    expect_refusal(text, "the certificate of the server was refused: self");
    snprintf(text, sizeof text, "redis+sentinel://127.0.0.1:%d/mymaster?timeout_ms=100",
             sentinel.port);
    expect_refusal(text, NULL); /* the sentinel names the port for TLS */
    server_end(&sentinel);
    end();
}
END_TEST

/* --- a Redis Cluster -------------------------------------------------------------------------- */

struct cluster_node {
    struct server server;
    char port[16];
    char bus_port[16];
};

/* Nodes name the ports for TLS only if they use it among themselves. */
static void start_cluster_node(struct cluster_node *node)
{
    char paths[2][128];

    snprintf(paths[0], sizeof paths[0], "%s/redis.pem", folder);
    snprintf(paths[1], sizeof paths[1], "%s/redis.key", folder);
    snprintf(node->port, sizeof node->port, "%d", server_free_port());
    snprintf(node->bus_port, sizeof node->bus_port, "%d", server_free_port());
    server_start(&node->server,
                 (const char *const[]){"--tls-port", node->port, "--tls-auth-clients", "no",
                                       "--tls-cert-file", paths[0], "--tls-key-file", paths[1],
                                       "--tls-ca-cert-file", paths[0], "--tls-cluster", "yes",
                                       "--cluster-enabled", "yes", "--cluster-port",
                                       node->bus_port, NULL});
}

static bool knows(const struct cluster_node *node, const char *what)
{
    return strstr(server_do(&node->server, "CLUSTER INFO"), what) != NULL;
}

/* A node that another node names must have the identity in that answer, not the one in the URI. */
START_TEST(a_node_that_the_cluster_names)
{
    struct cluster_node owner;
    struct cluster_node other;
    char text[128];

    begin("no");
    start_cluster_node(&owner);
    start_cluster_node(&other);
    server_do(&owner.server, "CLUSTER ADDSLOTSRANGE 0 16383");
    server_do(&other.server, "CLUSTER MEET 127.0.0.1 %s %s", owner.port, owner.bus_port);
    UNTIL(knows(&owner, "cluster_state:ok") && knows(&other, "cluster_state:ok") &&
          knows(&other, "cluster_slots_assigned:16384"));
    make_certificate("named", "DNS:redis.example");
    run("cat redis.pem named.pem >both.pem");
    snprintf(text, sizeof text, "rediss://redis.example:%s?ca=both.pem", other.port);
    node_init(&ann, "ann", text);
    ann.options.resolve = resolve;
    node_open(&ann);
    UNTIL(ann.connected);
    ck_assert_uint_eq(node_stat(&ann, "redirections"), 1);
    node_emit_numbers(&ann, 1, 10);
    node_expect_stored(&ann, 1, 10);
    server_do(&owner.server, "CONFIG SET tls-cert-file %s/named.pem tls-key-file %s/named.key",
              folder, folder);
    server_do(&owner.server, "CLIENT KILL TYPE normal");
    UNTIL(strstr(ann.state, "the certificate of the server was refused: IP address mismatch") !=
          NULL);
    ck_assert_ptr_nonnull(strstr(ann.state, owner.port));
    node_close(&ann);
    server_end(&owner.server);
    server_end(&other.server);
    end();
}
END_TEST

/* --- signals ---------------------------------------------------------------------------------- */

static int listener = -1; /* resets each connection at once; -1: none */
static volatile sig_atomic_t n_signals;

static void count_signal(int number)
{
    (void)number;
    n_signals++;
}

static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};

    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

int __real_redisInitiateSSL(redisContext *context, struct ssl_st *tls);
int __wrap_redisInitiateSSL(redisContext *context, struct ssl_st *tls);

/* Called instead of hiredis' function, which begins with a write (--wrap of the linker). The
 * connection is established: the kernel connects sockets of one machine within connect(). */
int __wrap_redisInitiateSSL(redisContext *context, struct ssl_st *tls)
{
    if (listener >= 0)
        reset(accept(listener, NULL, NULL));
    return __real_redisInitiateSSL(context, tls);
}

START_TEST(the_first_write_raises_no_signal)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    void (*before)(int number) = signal(SIGPIPE, count_signal);

    begin("no");
    listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    snprintf(tls_port, sizeof tls_port, "%d", ntohs(address.sin_port));
    n_signals = 0;
    node_start(&ann, "ann", uri("127.0.0.1", "?ca=redis.pem"));
    UNTIL(node_stat(&ann, "failures") >= 3);
    ck_assert_int_eq(n_signals, 0);
    node_close(&ann);
    close(listener);
    listener = -1;
    signal(SIGPIPE, before);
    end();
}
END_TEST

int main(void)
{
    return suite_run("redis-tls",
                     (const TTest *const[]){
                         large_and_many_events, killed_and_restarted, another_server_is_refused,
                         the_identity_is_the_host_name, only_one_side_uses_tls,
                         client_certificates_are_sent, certificates_are_renewed,
                         files_are_read_once, redis_is_slow, socket_is_narrow,
                         a_master_that_a_sentinel_names, a_node_that_the_cluster_names,
                         files_that_are_refused, the_first_write_raises_no_signal, NULL});
}
