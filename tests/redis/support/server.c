/* server.c: a Redis for a test. */
#include "redis/support/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

enum { START_ATTEMPTS = 2000, START_WAIT_US = 10000 };

/* Below the ports that the system gives to clients: while a server is down, no client takes its
 * port. */
enum { PORT_MIN = 10000, PORT_MAX = 32000 };

static bool port_is_free(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool is_free;

    ck_assert_int_ge(fd, 0);
    is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

int server_free_port(void)
{
    uint16_t random;
    int port;

    do {
        ck_assert_int_eq(getrandom(&random, sizeof random, 0), sizeof random);
        port = PORT_MIN + random % (PORT_MAX - PORT_MIN + 1);
    } while (!port_is_free(port));
    return port;
}

/* The server ends with the test, however the test ends. */
static void become_redis(const struct server *server)
{
    const char *program = getenv("REDIS_SERVER"); /* Valkey, for example */
    const char *arguments[16 + SERVER_MAX_OPTIONS] = {program != NULL ? program
                                                                      : "redis-server"};
    size_t n = 1;
    char port[16];
    char config[80];
    int null = open("/dev/null", O_RDWR);

    snprintf(config, sizeof config, "%s/sentinel.conf", server->folder);
    if (server->is_sentinel) /* it needs a file that it can write to */
        arguments[n++] = config;
    snprintf(port, sizeof port, "%d", server->port);
    arguments[n++] = "--bind";
    arguments[n++] = server->address;
    arguments[n++] = "--port";
    arguments[n++] = port;
    arguments[n++] = "--dir";
    arguments[n++] = server->folder;
    arguments[n++] = server->is_sentinel ? "--sentinel" : "--save";
    if (!server->is_sentinel)
        arguments[n++] = "";
    for (size_t i = 0; server->options[i] != NULL; i++)
        arguments[n++] = server->options[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

redisContext *server_connect(const struct server *server)
{
    redisContext *context = redisConnect(server->address, server->port);

    ck_assert_ptr_nonnull(context);
    if (context->err == 0 && server->password != NULL)
        freeReplyObject(redisCommand(context, "AUTH %s", server->password));
    return context;
}

static bool answers(const struct server *server)
{
    redisContext *context = server_connect(server);
    redisReply *reply = NULL;
    bool answered;

    if (context->err == 0)
        reply = redisCommand(context, "PING");
    answered = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    redisFree(context);
    return answered;
}

void server_launch(struct server *server)
{
    server->pid = fork();
    ck_assert_int_ge(server->pid, 0);
    if (server->pid == 0)
        become_redis(server);
}

void server_restart(struct server *server)
{
    server_launch(server);
    for (int i = 0; !answers(server); i++) {
        ck_assert_int_lt(i, START_ATTEMPTS);
        ck_assert_int_eq(waitpid(server->pid, NULL, WNOHANG), 0);
        usleep(START_WAIT_US);
    }
}

static void set_up(struct server *server, const char *address, int port,
                   const char *const *options)
{
    size_t n = 0;

    *server =
        (struct server){.address = address, .port = port, .folder = "/tmp/ws-redis-XXXXXX"};
    for (; options != NULL && options[n] != NULL; n++) {
        ck_assert_uint_lt(n, SERVER_MAX_OPTIONS);
        server->options[n] = options[n];
        if (n > 0 && strcmp(options[n - 1], "--requirepass") == 0)
            server->password = options[n];
    }
    ck_assert_ptr_nonnull(mkdtemp(server->folder));
    snprintf(server->uri, sizeof server->uri,
             strchr(address, ':') != NULL ? "redis://[%s]:%d" : "redis://%s:%d", address, port);
}

void server_start(struct server *server, const char *const *options)
{
    set_up(server, "127.0.0.1", server_free_port(), options);
    server_restart(server);
}

void server_start_sentinel(struct server *server, int master_port, const char *const *options)
{
    char path[80];
    FILE *file;

    set_up(server, "127.0.0.1", server_free_port(), options);
    server->is_sentinel = true;
    snprintf(path, sizeof path, "%s/sentinel.conf", server->folder);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "sentinel monitor mymaster 127.0.0.1 %d 1\n"
            "sentinel down-after-milliseconds mymaster 500\n"
            "sentinel failover-timeout mymaster 2000\n",
            master_port);
    ck_assert_int_eq(fclose(file), 0);
    server_restart(server);
}

void server_start_beside(struct server *server, const struct server *other, const char *address,
                         const char *const *options)
{
    set_up(server, address, other->port, options);
    server_restart(server);
}

void server_signal(struct server *server, int signal)
{
    ck_assert_int_eq(kill(server->pid, signal), 0);
    if (signal != SIGKILL && signal != SIGTERM)
        return;
    ck_assert_int_eq(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
}

void server_end(struct server *server)
{
    char command[128];

    if (server->pid > 0)
        server_signal(server, SIGKILL);
    snprintf(command, sizeof command, "rm -r %s", server->folder);
    ck_assert_int_eq(system(command), 0);
}

static void write_reply(const redisReply *reply, char *text, size_t size)
{
    ck_assert_ptr_nonnull(reply);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s", reply->str);
    if (reply->type == REDIS_REPLY_INTEGER)
        snprintf(text, size, "%lld", reply->integer);
    else if (reply->type == REDIS_REPLY_ARRAY)
        snprintf(text, size, "%zu elements", reply->elements);
    else
        snprintf(text, size, "%s", reply->str != NULL ? reply->str : "nil");
}

const char *server_do(const struct server *server, const char *format, ...)
{
    static char text[65536];
    redisContext *context = server_connect(server);
    redisReply *reply;
    va_list arguments;

    ck_assert_int_eq(context->err, 0);
    va_start(arguments, format);
    reply = redisvCommand(context, format, arguments);
    va_end(arguments);
    write_reply(reply, text, sizeof text);
    freeReplyObject(reply);
    redisFree(context);
    return text;
}
