/* carrier.h: what a ws_redis is made of, and what its files ask of each other. They call those
 * below them alone; what goes wrong there is noted (fail()), and redis.c has the session ended.
 *
 * redis.c    life, and what the host and the manager call
 * session.c  reaching Redis, leaving it, coming back
 * servers.c  which Redis that is
 * reader.c   the stream's events on their way to the manager
 * load.c     the stream's newest events, to begin with
 * writer.c   events on their way into the stream
 * fetches.c  events that the manager asks for
 * nodes.c    who else is there
 * stats.c    what was counted
 * carrier.c  what several of these need */
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
#include "cluster/redis/target.h"
#include "cluster/redis/uri.h"

enum {
    NUMBER_SIZE = 21, /* a decimal number of 64 bits, and a NUL */
    PAGE_FIRST = 8,   /* entries, whose size is not known yet */
    PAGE_MAX = 512,
    LISTING_KIBIBYTES = BATCH_LIMIT_BYTES / 1024,
    LEFT_MAX = 32,
    RETRY_MS = 10,        /* when the manager has no room or memory */
    BACKOFF_MIN_MS = 50,  /* between two attempts, twice as long for each that fails, */
    BACKOFF_MAX_MS = 2000 /* up to this, and half of it by chance */
};

static const uint64_t LOAD_NEWEST = UINT64_MAX;

/* Names of keys; all have the same hash tag. */
struct keys {
    char *state;
    char *events;
    char *nodes;
    char *expiries;
    char *producer_prefix;
};

enum stage {
    STAGE_AWAY,      /* no connections */
    STAGE_ASKING,    /* a sentinel is asked where the master is */
    STAGE_RESOLVING, /* the host's name is looked up */
    STAGE_ATTACHING, /* epoch and position are asked for */
    STAGE_LOADING, /* the newest events are asked for: it is the first time, or some are missing */
    STAGE_STARTING, /* the manager is to take them */
    STAGE_READING,  /* events go both ways */
    STAGE_FAILED    /* it is to be ended */
};

struct session {
    enum stage stage;
    struct place place; /* where it goes to, or is */
    char epoch[WS_EPOCH_SIZE];
    char nonce[NUMBER_SIZE];
    uint64_t position;             /* of the stream's newest event, as of the last answer */
    uint64_t seen;                 /* the same as of the beginning */
    char seen_nonce[NUMBER_SIZE];  /* of that event */
    uint64_t retry_ms;             /* when it is tried again */
    uint32_t n_attempts;           /* since the last event that was stored or read */
    char failure[LINK_ERROR_SIZE]; /* in STAGE_FAILED: why, */
    enum stage failed_in;          /* and when; */
    enum redirect redirect;        /* by the server's last error, */
    struct place elsewhere;        /* to which node */
    uint32_t n_unverified; /* connections whose Redis did not say yet that it is a master */
    bool told_connected;
    char told[LINK_ERROR_SIZE];
};

/* Which of the URI's hosts is used. */
struct servers {
    size_t at;
    size_t n_tried;  /* that failed since the last back-off */
    bool is_asking;  /* a sentinel owes an answer */
    uint64_t ask_ms; /* when one is asked again */

    enum redirect redirect; /* to session.elsewhere; NONE: the URI's host is used */
    uint32_t n_redirects;   /* since events were read, or a back-off */

    struct target targets[URI_MAX_HOSTS]; /* of the URI's hosts */
    struct target named;                  /* of a server that another one names */
};

/* The newest event that is known to be in the stream, read, stored, or seen at a session's
 * beginning (by then it has what was stored without an answer). */
struct known {
    char epoch[WS_EPOCH_SIZE]; /* "": none */
    uint64_t position;
    char nonce[NUMBER_SIZE];
};

/* Epochs that the manager had before, the last one first, and the position up to which it had what
 * was in each, and what is in the one that followed. */
struct left {
    char epochs[LEFT_MAX][WS_EPOCH_SIZE];
    uint64_t positions[LEFT_MAX];
    size_t count;
};

struct reader {
    char epoch[WS_EPOCH_SIZE]; /* that the manager has; "": none yet */
    uint64_t position;         /* of the last event that it took */
    char nonce[NUMBER_SIZE];   /* of that event; "": unknown */
    struct batch_limit page;
    uint32_t asked;      /* for a page while loading */
    bool is_waiting;     /* for an answer */
    bool expects_some;   /* by what Redis said before, there is more to read */
    redisReply *entries; /* that were read; NULL: none */
    size_t n_delivered;  /* of these */
    uint64_t retry_ms;

    /* While loading: the newest events up to `load_until`, the newest first. */
    uint64_t load_until;
    redisReply **loaded;
    size_t n_loaded;
    size_t capacity;
    size_t bytes;
    uint64_t oldest; /* position of the last of these */
};

struct writer {
    struct batch_limit batch;
    bool is_script_known; /* to Redis, which carried it out before */
    uint32_t n_sent;      /* events at the queue's beginning that were sent */
    uint64_t n_settled;   /* that were there before */
    uint64_t retry_ms;    /* after Redis took none */
    uint32_t n_attempts;  /* that failed, in a row */
};

struct fetch {
    struct fetch *next;
    void *request;
    uint64_t after;
    uint32_t max_events;
    uint32_t n_asked; /* when it was sent */
};

struct fetches {
    struct fetch *first;
    struct fetch **end;
    uint32_t count;
    uint32_t n_sent;         /* of these, at the beginning */
    uint32_t n_asked;        /* events, by all that were sent; with `page` the owner's alone */
    struct batch_limit page; /* of all that were sent together */
};

/* The list of all nodes, which comes in parts. */
struct listing {
    struct batch_limit kibibytes; /* of a part */
    struct buffer packed;         /* the parts that have come */
    uint32_t n_skipped;           /* heartbeats without it, since it is hopeless */
};

struct counters {
    uint64_t stored;
    uint64_t duplicates;
    uint64_t refused;
    uint64_t delivered;
    uint64_t fetched;
    uint64_t sessions;
    uint64_t failures; /* sessions that ended, and attempts */
    uint64_t redirections;
};

struct ws_redis {
    ws_allocator memory;
    ws_manager *manager;
    ws_redis_options options; /* without its texts */
    struct uri uri;
    char *node;
    struct keys keys;
    char max_stream_events[NUMBER_SIZE];

    struct lock lock;
    /* Guarded by the lock: */
    struct queue queue;
    struct fetches fetches;
    bool is_woken; /* the host was, since the last run */
    char *nodes;   /* what they wrote down, as nodes.c packs it; NULL: not known yet */
    size_t nodes_length;
    struct counters counters;
    /* What the owner changes and others read for the statistics: */
    struct session session;
    struct reader reader;

    unsigned n_forks; /* forks_count() of the process that has the connections */

    /* The owner's alone: */
    struct host_clock clock;
    uint64_t now_ms;       /* of the last run; all times here go by it */
    uint64_t heartbeat_ms; /* when the next one is due */
    bool awaits_heartbeat; /* its answer, and the list: until then there is no other one */
    struct listing listing;
    struct known known;
    struct left left;
    struct writer writer;
    struct link reading;
    struct link writing;
    struct servers servers;
    struct link asking; /* a sentinel */
    struct resolver resolver;
    struct command command; /* the one being put together */
    uint64_t random;        /* for the backoff */
};

/* --- carrier.c: how things stand -------------------------------------------------------------- */

/* Adds to a counter. Takes the lock. */
void count(struct ws_redis *redis, uint64_t *counter, uint64_t n);

/* This position is stored, by a session of that nonce ("": unknown). */
void know(struct ws_redis *redis, uint64_t position, const char *nonce);

/* Whether events go both ways. */
bool is_up(const struct ws_redis *redis);

/* Enters a stage; takes the lock, since others look at it. */
void enter_stage(struct ws_redis *redis, enum stage stage);

/* The session can't go on, `text` says why: nothing more is done before it is ended. */
void fail(struct ws_redis *redis, const char *text);

/* Tells the host when that has changed. */
void tell(struct ws_redis *redis, bool connected, const char *text);

/* How long to wait after another attempt that failed, partly by chance. */
uint64_t backoff_ms(struct ws_redis *redis, uint32_t *n_attempts);

/* --- carrier.c: commands ---------------------------------------------------------------------- */

/* Begins a command that is a script with these keys and the number of keys that follow. */
void command_script(struct ws_redis *redis, const char *script, const char *n_keys);

/* The same with a script that Redis has seen, by its digest. */
void command_known_script(struct ws_redis *redis, const char *digest, const char *n_keys);

/* Sends a command of these texts, up to the NULL. */
bool send_texts(struct ws_redis *redis, struct link *link, enum request_kind kind,
                const char *const *texts);

/* Asks for `max` entries by XRANGE or XREVRANGE, and for the epoch in the same step (a script would
 * cost Redis six times as much). False if the session has failed. */
bool ask_range(struct ws_redis *redis, struct link *link, enum request_kind kind,
               const char *how, const char *from, const char *to, uint32_t max);

/* The entries in the answer; NULL if they are not the session's, which has failed then. */
redisReply *range_of(struct ws_redis *redis, const redisReply *reply);

/* --- servers.c: the owner's thread ------------------------------------------------------------ */

void servers_init(struct ws_redis *redis);
void servers_free(struct ws_redis *redis);

/* In a child: look-ups are the parent's. Their memory is lost. */
void servers_leave_to_parent(struct ws_redis *redis);

/* That of the session's place, for which its name is looked up. */
struct target *servers_target(struct ws_redis *redis);

/* Chooses the next session's server: true if it is known already, without asking a sentinel. */
bool servers_begin(struct ws_redis *redis);

/* Takes the answer to REQUEST_MASTER. True if the session waits for it and can connect now. */
bool servers_named(struct ws_redis *redis, const redisReply *reply);

/* The sentinel does not answer, or not as it should. Fails the session only if that waits for the
 * answer. */
void servers_ask_failed(struct ws_redis *redis, const char *why);

/* The session has failed: true if it was redirected and the next one should begin at once. */
bool servers_follow(struct ws_redis *redis);

/* The session has failed: turns to the next server if this one could not be used. True if the next
 * session should begin at once. */
bool servers_next(struct ws_redis *redis);

/* Whether the session's server expects ASKING before each command with keys. */
bool servers_sends_asking(const struct ws_redis *redis);

/* Sends a command with a key, to which a node of a cluster that does not serve it answers MOVED. */
bool servers_probe(struct ws_redis *redis, struct link *link);

/* Whether each connection's server must confirm that it is a master. */
bool servers_check_role(const struct ws_redis *redis);
bool servers_ask_role(struct ws_redis *redis, struct link *link);

/* Takes the answer to REQUEST_ROLE. False if the server is not a master: the session has failed. */
bool servers_role(struct ws_redis *redis, const redisReply *reply);

/* Asks a sentinel again, from time to time, whether the master is still the same. */
void servers_run(struct ws_redis *redis);
uint64_t servers_deadline(struct ws_redis *redis);

/* --- session.c: the owner's thread ------------------------------------------------------------ */

/* Connects if that is due, as soon as it is known where to. */
void session_begin(struct ws_redis *redis);
void session_connect(struct ws_redis *redis);

/* One more connection is to a master. */
void session_verified(struct ws_redis *redis);

/* Takes the answer to REQUEST_ATTACH. */
void session_attached(struct ws_redis *redis, const redisReply *reply);

/* Ends one that has failed, and has it tried again later. */
void session_end_failed(struct ws_redis *redis);

/* Ends it, for good. */
void session_close(struct ws_redis *redis);

/* --- reader.c --------------------------------------------------------------------------------- */

/* Of a new session: goes on where the last one ended, or, in another epoch, begins behind a
 * position, up to which it loads. */
void reader_begin(struct ws_redis *redis, uint64_t position);

/* Lets go of everything that is not delivered. */
void reader_end(struct ws_redis *redis);

/* The connection takes too long with what it was asked for, or was cut: less the next time. */
void reader_failed(struct ws_redis *redis, bool was_cut);

/* Take the answer to REQUEST_READ and _STATE; what they keep of it is not in it any more. */
void reader_read(struct ws_redis *redis, redisReply *reply);
void reader_state(struct ws_redis *redis, const redisReply *reply);

/* Hands on what can be, and asks for more. */
void reader_run(struct ws_redis *redis);

/* When it wants to run again. */
uint64_t reader_deadline(const struct ws_redis *redis);

/* --- load.c ----------------------------------------------------------------------------------- */

/* The newest up to a position, or LOAD_NEWEST. */
void load_begin(struct ws_redis *redis, uint64_t until);

/* The manager begins behind a position without what came before. */
void load_nothing(struct ws_redis *redis, uint64_t until);
void load_failed(struct ws_redis *redis, bool was_cut);
void load_end(struct ws_redis *redis);

/* Takes the entries that REQUEST_PAGE brought, and what it keeps out of them. */
void load_page(struct ws_redis *redis, redisReply *page);

/* Has the manager begin with what was loaded. */
void load_start(struct ws_redis *redis);

/* --- writer.c --------------------------------------------------------------------------------- */

void writer_run(struct ws_redis *redis);
void writer_end(struct ws_redis *redis);
void writer_failed(struct ws_redis *redis, bool was_cut);
void writer_appended(struct ws_redis *redis, const redisReply *reply);
uint64_t writer_deadline(struct ws_redis *redis);

/* Tells those who asked that their events will not be stored. */
void writer_give_up(struct ws_redis *redis);

/* --- fetches.c -------------------------------------------------------------------------------- */

/* Any thread. */
int fetches_push(struct ws_redis *redis, uint64_t after, uint32_t max_events, void *request);

void fetches_run(struct ws_redis *redis);
void fetches_end(struct ws_redis *redis);
void fetches_failed(struct ws_redis *redis, bool was_cut);
void fetches_fetched(struct ws_redis *redis, const redisReply *entries);
void fetches_give_up(struct ws_redis *redis);

/* --- nodes.c ---------------------------------------------------------------------------------- */

void nodes_run(struct ws_redis *redis);
void nodes_end(struct ws_redis *redis);

/* Takes this process out, if Redis can be told. */
void nodes_leave(struct ws_redis *redis);
void nodes_failed(struct ws_redis *redis, bool was_cut);

/* The heartbeat was answered: asks for the list of all. */
void nodes_beat(struct ws_redis *redis, const redisReply *reply);
void nodes_seen(struct ws_redis *redis, const redisReply *reply);

#endif
