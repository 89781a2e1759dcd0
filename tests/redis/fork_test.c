/* fork_test.c: a carrier that was created before fork() belongs to the parent: the child neither
 * uses its connections nor reports on them, and the parent's events are stored once. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

static struct server server;
static struct node ann;

/* The first check that fails in the child; 0: none. */
static int be_child(void)
{
    struct pollfd watched[NODE_MAX_FDS];
    unsigned n_wakes = ann.n_wakes;

    memcpy(watched, ann.fds, sizeof watched);
    if (node_emit(&ann, 100) != WS_ERR_FORKED)
        return 1;
    for (size_t i = 0; i < NODE_MAX_FDS; i++)
        ws_redis_ready(ann.redis, ann.fds[i].fd, WS_REDIS_READ | WS_REDIS_WRITE);
    if (ws_redis_run(ann.redis, node_clock_ms() + 3600000) != WS_NO_DEADLINE)
        return 2;
    ws_redis_free(ann.redis);
    if (memcmp(watched, ann.fds, sizeof watched) != 0 || ann.n_wakes != n_wakes)
        return 3;
    if (ann.memory.n_blocks != 0)
        return 4;
    /* In the child the manager has no carrier. */
    return node_emit(&ann, 101) == WS_OK ? 0 : 5;
}

static void expect_child(void)
{
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(be_child());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

START_TEST(the_connections_belong_to_the_parent)
{
    server_start(&server, NULL);
    node_start(&ann, "ann", server.uri);
    expect_child(); /* before the first connection */
    UNTIL(ann.connected);
    node_emit_numbers(&ann, 1, 10);
    expect_child(); /* while the events wait */
    node_expect_stored(&ann, 1, 10);
    expect_child(); /* while it waits for the next event */
    node_emit_numbers(&ann, 11, 20);
    nodes_turn();
    expect_child(); /* while the events are on their way */
    node_expect_stored(&ann, 11, 20);
    ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), "20");
    ck_assert_str_eq(server_do(&server, "HEXISTS {wsmanager}:nodes ann"), "1");
    ck_assert_uint_eq(node_stat(&ann, "failures"), 0);
    node_close(&ann);
    server_end(&server);
}
END_TEST

static pthread_mutex_t look_up_is_held = PTHREAD_MUTEX_INITIALIZER;
static pthread_t look_up;
static atomic_bool is_answering;

/* Called with the lookup locked, and with other locks that a lookup's thread may hold. */
static void wake_slowly(void *user_data)
{
    (void)user_data;
    atomic_store(&is_answering, true);
    pthread_mutex_lock(&look_up_is_held);
    pthread_mutex_unlock(&look_up_is_held);
}

static void *answer(void *lookup)
{
    ws_redis_lookup_done(lookup, NULL, "no such name");
    return NULL;
}

static int resolve(ws_redis_lookup *lookup, const char *host, void *user_data)
{
    (void)host;
    (void)user_data;
    ck_assert_int_eq(pthread_create(&look_up, NULL, answer, lookup), 0);
    return WS_OK;
}

START_TEST(a_look_up_belongs_to_the_parent)
{
    int status;
    pid_t pid;

    node_init(&ann, "ann", "redis://name");
    ann.options.wake = wake_slowly;
    ann.options.resolve = resolve;
    node_open(&ann);
    pthread_mutex_lock(&look_up_is_held);
    nodes_turn();
    while (!atomic_load(&is_answering))
        sched_yield();
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(NODE_PATIENCE_MS /
              1000); /* fails if it waits for a thread that the child does not have */
        ws_redis_free(ann.redis);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    pthread_mutex_unlock(&look_up_is_held);
    ck_assert_int_eq(pthread_join(look_up, NULL), 0);
    node_close(&ann);
}
END_TEST

int main(void)
{
    return suite_run("redis-fork",
                     (const TTest *const[]){the_connections_belong_to_the_parent,
                                            a_look_up_belongs_to_the_parent, NULL});
}
