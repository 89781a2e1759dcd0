/* carrier.h: struct ws_redis and the functions that its files call in each other. A file calls
 * only files below it in this list. An error is recorded with carrier_fail(), and redis.c ends the
 * session later.
 *
 * redis.c     creation, and the functions that the host and the manager call
 * session.c   connects, ends a failed session, connects again
 * servers.c   chooses the server
 * sentinels.c asks a sentinel for the master
 * reader.c    reads new events from the stream and delivers them to the manager
 * load.c      reads the stream's newest events when the manager starts
 * restore.c   reads what rooms have kept when the manager starts
 * writer.c    appends events to the stream
 * memories.c  keeps values for the manager, and reads them
 * fetches.c   reads events that the manager requests for reconnecting clients
 * nodes.c     the list of processes and their figures
 * stats.c     statistics and metrics
 * carrier.c   functions that several of these need */
#ifndef WS_REDIS_CARRIER_H
#define WS_REDIS_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/cluster.h>
#include <ws_manager/loop.h>
#include <ws_manager/manager.h>
#include <ws_manager/redis.h>

#include "base/buffer.h"
#include "base/host_clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "cluster/redis/batch_limit.h"
#include "cluster/redis/command.h"
#include "cluster/redis/link.h"
#include "cluster/redis/queue.h"
#include "cluster/redis/scripts.h"
#include "cluster/redis/target.h"
#include "cluster/redis/trail.h"
#include "cluster/redis/uri.h"

enum {
    NUMBER_SIZE = 21, /* a decimal number of 64 bits, and a NUL */
    PAGE_FIRST = 8,   /* entries of the first page, when their size is not known */
    PAGE_MAX = 512,   /* entries */
    LISTING_KIBIBYTES = BATCH_LIMIT_BYTES / 1024,
    LEFT_EPOCHS_MAX = 32,
    RETRY_MS = 10 /* if the manager has no room or no memory */
};

static const uint64_t LOAD_NEWEST = UINT64_MAX;

/* The names of the keys. All have the same hash tag, so that a cluster keeps them in one slot. */
struct keys {
    char *state;
    char *events;
    char *nodes;
    char *expiries;
    char *producer_prefix;
    char *session_prefix;
    char *values[N_VALUE_KEYS];
};

enum stage {
    STAGE_AWAY,      /* no connections */
    STAGE_ASKING,    /* asking a sentinel for the master */
    STAGE_RESOLVING, /* looking up the host name */
    STAGE_ATTACHING, /* connecting; requesting the epoch and the position */
    STAGE_LOADING, /* reading the newest events: for the first time, or because some are missing */
    STAGE_RESTORING, /* reading what rooms have kept */
    STAGE_STARTING,  /* handing the loaded events to the manager */
    STAGE_READING,   /* reading and appending events */
    STAGE_FAILED     /* the session must be ended, see `failure` */
};

struct session {
    enum stage stage;
    struct place place; /* the server */
    char epoch[WS_EPOCH_SIZE];
    char nonce[NUMBER_SIZE]; /* random: the second half of the ids of entries that it adds */
    uint64_t position;       /* of the stream's newest event, as of the last reply */
    uint64_t seen;           /* of the stream's newest event when the session began */
    char seen_nonce[NUMBER_SIZE];  /* of the event at `seen` */
    uint64_t retry_ms;             /* when the next attempt is due */
    uint32_t n_attempts;           /* since an event was last stored or read */
    char failure[LINK_ERROR_SIZE]; /* STAGE_FAILED: the reason */
    enum stage failed_in;          /* STAGE_FAILED: the stage in which the session failed */
    enum redirect redirect;        /* STAGE_FAILED: whether the server named another node */
    struct place elsewhere;        /* that node */
    uint32_t n_unverified;   /* connections whose server did not confirm yet to be a master */
    bool reported_connected; /* what on_state was last called with */
    char reported[LINK_ERROR_SIZE];
};

/* The choice of the server. */
struct servers {
    size_t at;       /* index of the URI's host in use */
    size_t n_tried;  /* hosts that failed since the last backoff */
    bool is_asking;  /* a sentinel was asked and has not answered yet */
    uint64_t ask_ms; /* when a sentinel is asked again */

    enum redirect redirect; /* to session.elsewhere; REDIRECT_NONE: the URI's host is used */
    uint32_t n_redirects;   /* since events were last read, or since the last backoff */

    struct target targets[URI_MAX_HOSTS]; /* the URI's hosts */
    struct target named;                  /* a server that a sentinel or a cluster node named */
};

/* The newest event that this process knows to be in the stream, because it was read, stored, or
 * seen when a session began. What is seen then includes events that were stored without a
 * reply. */
struct known {
    char epoch[WS_EPOCH_SIZE]; /* "": none */
    uint64_t position;
    char nonce[NUMBER_SIZE];
};

/* The former epochs of the manager, the last one first. Up to positions[i] the manager had the
 * events of epochs[i]; the epoch that followed has these events at the positions that they had. */
struct left_epochs {
    char epochs[LEFT_EPOCHS_MAX][WS_EPOCH_SIZE];
    uint64_t positions[LEFT_EPOCHS_MAX];
    size_t count;
};

/* What the loaded events are for. */
enum load_purpose {
    LOAD_HISTORY, /* for clients that reconnect; the manager has had them all, or needs none */
    LOAD_OTHERS,  /* also to find those that differ from what the manager has had */
    LOAD_NEW      /* also to find those, and those behind the manager's last event */
};

/* What rooms have kept. */
struct restored {
    struct restored_value *values;
    size_t count;
    size_t capacity;
    size_t bytes;
    uint64_t after;               /* where the next page begins */
    uint64_t until;               /* where the manager is to start */
    uint64_t cut_at;              /* `after` when the connection last ended */
    struct batch_limit kibibytes; /* of a page */
};

struct reader {
    char epoch[WS_EPOCH_SIZE]; /* the manager's epoch; "": none yet */
    uint64_t position;         /* of the last event that the manager took */
    char nonce[NUMBER_SIZE];   /* of that event; "": unknown */
    struct trail trail;        /* of the events up to that one */
    struct batch_limit page;
    uint32_t asked;      /* entries of the page that was requested while loading */
    bool is_waiting;     /* for the reply to XREAD and what follows it */
    bool expects_some;   /* when it was sent, the stream was known to have newer events */
    redisReply *entries; /* read and not yet delivered; NULL: none */
    size_t n_delivered;  /* how many of `entries` were delivered */
    uint64_t retry_ms;

    /* STAGE_LOADING and STAGE_STARTING: the events up to `load_until`, the newest first. */
    uint64_t load_until;
    enum load_purpose purpose;
    uint64_t give_up_ms; /* STAGE_LOADING: when to start with what was loaded */
    uint32_t n_outdated; /* pages whose replies are awaited no more */
    redisReply **loaded;
    size_t n_loaded;
    size_t capacity;
    size_t bytes;
    size_t n_new;    /* how many of them, from the newest one on, the manager has not had */
    uint64_t oldest; /* position of the last one in `loaded` */
    struct restored restored;
};

struct writer {
    struct batch_limit batch;
    bool is_script_known; /* Redis has executed the script and can find it by its digest */
    uint32_t n_sent;      /* events at the front of the queue that were sent */
    uint64_t n_settled;   /* events that have left the queue, stored or refused */
    uint64_t retry_ms;    /* when to send again after Redis refused a batch */
    uint32_t n_attempts;  /* consecutive refused batches */
};

struct fetch {
    struct fetch *next;
    void *request;
    uint64_t after;
    uint32_t max_events;
    uint32_t n_asked; /* events that were requested, once it was sent */
};

struct fetches {
    struct fetch *first;
    struct fetch **end;
    uint32_t count;
    uint32_t n_sent; /* requests at the front of the list that were sent */

    /* Only the owner's thread uses these: */
    uint32_t n_asked;        /* events that all sent requests ask for */
    uint64_t retry_ms;       /* when to send again after memory ran out */
    struct batch_limit page; /* for all sent requests together */
};

enum { MEMORIES_BUCKETS = 4096 };

struct memories {
    /* Guarded by the lock: */
    struct memory_value *values; /* that wait, the oldest first */
    struct memory_value **values_end;
    struct memory_value *unsent[MEMORIES_BUCKETS]; /* of `values`, by their keys */
    size_t n_values;
    size_t bytes;
    struct memory_question *questions; /* the manager limits them */
    struct memory_question **questions_end;
    uint64_t n_pushed; /* values so far */

    /* Only the owner's thread uses these: */
    uint64_t n_settled;   /* of n_pushed: that have left the list */
    size_t n_values_sent; /* at the front of the list */
    size_t n_questions_sent;
    uint64_t n_answered;             /* questions so far */
    struct memory_question *waiting; /* that Redis has no value for; the oldest first */
    struct memory_question **waiting_end;
    struct batch_limit batch; /* of values */
    struct batch_limit page;  /* of questions */
    uint64_t retry_ms;        /* when to send values again after Redis refused some */
    uint64_t ask_ms;          /* when to send questions again after Redis did not answer some */
};

/* The list of all nodes, which is requested in parts. */
struct listing {
    struct batch_limit kibibytes; /* the size of a part */
    struct buffer packed;         /* the parts that were received */
    uint32_t n_skipped;           /* heartbeats without the list, because it is hopeless */
};

struct counters {
    uint64_t stored;
    uint64_t duplicates;
    uint64_t refused;
    uint64_t delivered;
    uint64_t fetched;
    uint64_t sessions;
    uint64_t failures; /* lost sessions, failed attempts and refused batches */
    uint64_t redirections;
};

struct ws_redis {
    ws_allocator memory;
    ws_manager *manager;
    ws_redis_options options; /* its texts are not valid after ws_redis_new() */
    struct uri uri;
    char *node;
    struct keys keys;
    char max_stream_events[NUMBER_SIZE];

    struct lock lock;
    /* Guarded by the lock: */
    struct queue queue;
    struct fetches fetches;
    struct memories memories;
    bool is_woken;   /* `wake` was called since the last run */
    bool is_closing; /* ws_redis_free() has begun: nothing more is taken */
    char *nodes;     /* the list of nodes, packed by nodes.c; NULL: not known yet */
    size_t nodes_length;
    struct counters counters;
    /* The owner's thread writes these; other threads read them for the statistics: */
    struct session session;
    struct reader reader;

    unsigned n_forks; /* forks_count() of the process that has the connections */

    /* Only the owner's thread uses these: */
    struct host_clock clock;
    uint64_t now_ms;       /* library time of the last run; all times here are library time */
    uint64_t heartbeat_ms; /* when the next heartbeat is due */
    char heartbeat_digest[41]; /* of the figures that were written last; empty: unknown */
    bool is_node_shared;       /* another process writes its figures under the same name */
    bool awaits_heartbeat;     /* the last heartbeat or the list of nodes is not answered yet */
    struct listing listing;
    struct known known;
    struct left_epochs left_epochs;
    struct writer writer;
    struct tls_store tls_store;
    struct link reading;
    struct link writing;
    struct servers servers;
    struct link asking; /* the connection to a sentinel */
    struct resolver resolver;
    struct command command; /* the command that is being built */
    uint64_t random;        /* state of the random numbers for the backoff */
};

/* --- carrier.c: state ------------------------------------------------------------------------- */

/* Adds to a counter of the statistics. Takes the lock. */
void carrier_count(struct ws_redis *redis, uint64_t *counter, uint64_t n);

/* Records that the stream has an event at this position, stored by a session with this nonce ("":
 * unknown). */
void carrier_note_stored(struct ws_redis *redis, uint64_t position, const char *nonce);

/* True while events are read and appended. */
bool carrier_is_up(const struct ws_redis *redis);

/* Enters a stage. Takes the lock, because other threads read the stage. */
void carrier_enter_stage(struct ws_redis *redis, enum stage stage);

/* Sets the session's server. Takes the lock, because other threads read it. */
void carrier_set_place(struct ws_redis *redis, const struct place *place);

/* The session cannot continue for the reason in `text`. It does nothing more until it is ended. */
void carrier_fail(struct ws_redis *redis, const char *text);

/* Calls on_state if the state or its text has changed. */
void carrier_report_state(struct ws_redis *redis, bool connected, const char *text);

/* --- carrier.c: commands ---------------------------------------------------------------------- */

/* Start a command that runs a script: by its text, or by the digest of a script that Redis has run
 * before. The keys and other arguments must be added. */
void command_script(struct ws_redis *redis, const char *script, const char *n_keys);

void command_known_script(struct ws_redis *redis, const char *digest, const char *n_keys);

/* Sends a command with these arguments; the list ends with NULL. */
bool carrier_send_texts(struct ws_redis *redis, struct link *link, enum request_kind kind,
                        const char *const *texts);

/* Requests up to `max` entries with XRANGE or XREVRANGE (`how`), and the epoch in the same
 * transaction (a script would cost Redis six times as much). False if the session has failed.
 */
bool carrier_ask_range(struct ws_redis *redis, struct link *link, enum request_kind kind,
                       const char *how, const char *from, const char *to, uint32_t max);

/* Returns the entries in the reply. If they are not of the session's epoch, fails the session and
 * returns NULL. */
redisReply *carrier_range_of(struct ws_redis *redis, const redisReply *reply);

/* --- servers.c: the owner's thread ------------------------------------------------------------ */

void servers_init(struct ws_redis *redis);
void servers_free(struct ws_redis *redis);

/* The URI's host in use: a server, or a sentinel. */
static inline const struct place *servers_host(const struct ws_redis *redis)
{
    return &redis->uri.hosts[redis->servers.at];
}

static inline struct target *servers_host_target(struct ws_redis *redis)
{
    return &redis->servers.targets[redis->servers.at];
}

static inline void servers_turn_to_next(struct ws_redis *redis)
{
    redis->servers.at = (redis->servers.at + 1) % redis->uri.n_hosts;
}

/* In a child of fork(): drops the lookups, which belong to the parent. Their memory is leaked. */
void servers_leave_to_parent(struct ws_redis *redis);

/* Begins the lookups that are needed. The last step of a run: the hook may block, and afterwards
 * now_ms is out of date. */
void servers_look_up(struct ws_redis *redis);

/* The target of the session's server. */
struct target *servers_target(struct ws_redis *redis);

/* Chooses the server of the next session. True if it is known without asking a sentinel. */
bool servers_begin(struct ws_redis *redis);

/* After a failed session: true if the server redirected it and the next session should begin at
 * once. */
bool servers_follow(struct ws_redis *redis);

/* After a failed session: moves on to the next server if this one could not be used. True if
 * the next session should begin at once. */
bool servers_next(struct ws_redis *redis);

/* True if the server expects ASKING before each command with keys. */
bool servers_sends_asking(const struct ws_redis *redis);

/* Sends a command with a key. A cluster node that does not serve the key answers with MOVED. */
bool servers_probe(struct ws_redis *redis, struct link *link);

/* True if the server of each connection must confirm with ROLE that it is a master. */
bool servers_check_role(const struct ws_redis *redis);
bool servers_ask_role(struct ws_redis *redis, struct link *link);

/* Takes the reply to REQUEST_ROLE. If the server is not a master, fails the session and returns
 * false. */
bool servers_role(struct ws_redis *redis, const redisReply *reply);

uint64_t servers_deadline(struct ws_redis *redis);

/* --- sentinels.c: the owner's thread ---------------------------------------------------------- */

/* Asks a sentinel which server is the master. Connects to the sentinel first, if it is not
 * connected; in a later turn if its name must be looked up. */
void sentinel_ask(struct ws_redis *redis);

/* Closes the connection to the sentinel. True if the same sentinel has another address to try. */
bool sentinel_close(struct ws_redis *redis);

/* Takes the reply to REQUEST_MASTER. True if the session waited for it and can connect now. */
bool sentinel_named(struct ws_redis *redis, const redisReply *reply);

/* The sentinel did not answer, or its answer is not usable. Fails the session only if it waits
 * for the answer. */
void sentinel_failed(struct ws_redis *redis, const char *why);

/* Asks a sentinel periodically whether the master is still the same. */
void sentinel_run(struct ws_redis *redis);
uint64_t sentinel_deadline(const struct ws_redis *redis);

/* --- session.c: the owner's thread ------------------------------------------------------------ */

/* Begin a session if it is due: choose a server, look up its name, connect. */
void session_begin(struct ws_redis *redis);
void session_connect(struct ws_redis *redis);

/* One more connection has been confirmed to lead to a master. */
void session_verified(struct ws_redis *redis);

/* Takes the reply to REQUEST_ATTACH. */
void session_attached(struct ws_redis *redis, const redisReply *reply);

/* Ends a failed session and schedules the next attempt. */
void session_end_failed(struct ws_redis *redis);

/* Closes the connections and drops everything that is unfinished. */
void session_close(struct ws_redis *redis);

/* --- reader.c --------------------------------------------------------------------------------- */

/* Begins reading in a new session: continues where the last session ended or, in another epoch,
 * loads the events up to `position` and continues behind the last one that the manager has had. */
void reader_begin(struct ws_redis *redis, uint64_t position, enum load_purpose purpose);

/* Drops everything that was read and not delivered. */
void reader_end(struct ws_redis *redis);

/* The connection took too long for a reply, or ended (`was_cut`): requests less the next time. */
void reader_failed(struct ws_redis *redis, bool was_cut);

/* Take the replies to REQUEST_READ and REQUEST_STATE. Parts that are kept are moved out of the
 * reply. */
void reader_read(struct ws_redis *redis, redisReply *reply);
void reader_state(struct ws_redis *redis, const redisReply *reply);

/* Delivers what was read and requests more. */
void reader_run(struct ws_redis *redis);

/* When the reader must run again. */
uint64_t reader_deadline(const struct ws_redis *redis);

/* --- load.c ----------------------------------------------------------------------------------- */

/* Loads the newest events up to a position, or up to the end of the stream (LOAD_NEWEST). */
void load_begin(struct ws_redis *redis, uint64_t until, enum load_purpose purpose);

/* Ends loading that takes too long: the manager starts with what was loaded. */
void load_run(struct ws_redis *redis);
uint64_t load_deadline(const struct ws_redis *redis);

/* Lets the manager start behind a position, without earlier events. */
void load_nothing(struct ws_redis *redis, uint64_t until);
void load_failed(struct ws_redis *redis, bool was_cut);
void load_end(struct ws_redis *redis);

/* Takes the entries of REQUEST_PAGE; entries that are kept are moved out of `page`. */
void load_page(struct ws_redis *redis, redisReply *page);

/* Starts the manager with the loaded events. */
void load_start(struct ws_redis *redis);

/* --- restore.c ------------------------------------------------------------------------------- */

/* Reads what rooms have kept of events up to a position; then the manager starts. */
void restore_begin(struct ws_redis *redis, uint64_t until);

void restore_failed(struct ws_redis *redis, bool was_cut);
void restore_end(struct ws_redis *redis);

/* Takes the reply to REQUEST_VALUES; values that are kept are moved out of it. */
void restore_page(struct ws_redis *redis, redisReply *page);

/* Lists the values for the manager by their positions, in a block that the caller frees; NULL
 * if there are none. The texts are valid until restore_end(). False if memory ran out. */
bool restore_list(struct ws_redis *redis, ws_cluster_event **events, size_t *n_events);

/* --- writer.c --------------------------------------------------------------------------------- */

void writer_run(struct ws_redis *redis);
void writer_end(struct ws_redis *redis);
void writer_failed(struct ws_redis *redis, bool was_cut);
void writer_appended(struct ws_redis *redis, const redisReply *reply);
uint64_t writer_deadline(struct ws_redis *redis);

/* Reports to the manager that the events in the queue will not be stored. */
void writer_give_up(struct ws_redis *redis);

/* --- fetches.c -------------------------------------------------------------------------------- */

/* Any thread. */
int fetches_push(struct ws_redis *redis, uint64_t after, uint32_t max_events, void *request);

void fetches_run(struct ws_redis *redis);
uint64_t fetches_deadline(struct ws_redis *redis);
void fetches_end(struct ws_redis *redis);
void fetches_failed(struct ws_redis *redis, bool was_cut);
void fetches_fetched(struct ws_redis *redis, const redisReply *entries);
void fetches_give_up(struct ws_redis *redis);

/* --- memories.c ------------------------------------------------------------------------------- */

void memories_init(struct ws_redis *redis);

/* Any thread. */
int memories_push(struct ws_redis *redis, const char *key, uint64_t rank, const void *value,
                  size_t length, uint64_t ttl_ms);
int memories_ask(struct ws_redis *redis, const char *key, void *request);

void memories_run(struct ws_redis *redis);
uint64_t memories_deadline(struct ws_redis *redis);
void memories_end(struct ws_redis *redis);
void memories_failed(struct ws_redis *redis, bool was_cut);

/* Take the replies to REQUEST_REMEMBER and REQUEST_RECALL. */
void memories_kept(struct ws_redis *redis, const redisReply *reply);
void memories_recalled(struct ws_redis *redis, const redisReply *reply);

/* Drops the values that wait, and answers all questions. */
void memories_give_up(struct ws_redis *redis);

/* --- nodes.c ---------------------------------------------------------------------------------- */

void nodes_run(struct ws_redis *redis);
void nodes_end(struct ws_redis *redis);

/* Removes this process from the list of nodes, if Redis is connected. */
void nodes_leave(struct ws_redis *redis);
void nodes_failed(struct ws_redis *redis, bool was_cut);

/* Takes the reply to REQUEST_HEARTBEAT and requests the list of all nodes. */
void nodes_beat(struct ws_redis *redis, const redisReply *reply);

/* Takes the reply to REQUEST_NODES. */
void nodes_seen(struct ws_redis *redis, const redisReply *reply);

#endif
