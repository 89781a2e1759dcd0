/* commands.h: the commands that are posted to loops, and the inbox that holds them in order.
 * Not here: posting (inbox.h) and execution (loop/command.h). */
#ifndef WS_CORE_COMMANDS_H
#define WS_CORE_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "core/account.h"
#include "core/events/message.h"

struct client_join;
struct connection;
struct drain_plan;
struct given_answer;
struct loop_call;
struct recovery;
struct share;
struct user_command;
struct waiting_ack;

enum command_kind {
    COMMAND_EVENT,                /* message to the members of share; NULL: to everyone */
    COMMAND_BUNDLED,              /* an event that was joined with an earlier one (bundle.h) */
    COMMAND_SEND,                 /* message to connection */
    COMMAND_CONNECT,              /* connection becomes live; share: its user's, or NULL */
    COMMAND_JOIN,                 /* connection enters share's room */
    COMMAND_LEAVE,                /* connection leaves share's room */
    COMMAND_CLIENT_JOIN,          /* as COMMAND_JOIN, requested by the connection's client */
    COMMAND_CLIENT_JOIN_WATCHING, /* it is to receive the room's presence, too */
    COMMAND_CLIENT_LEAVE,
    COMMAND_WATCH, /* connection receives message, a list, and then what share's watchers do */
    COMMAND_REAUTHORIZE, /* connection leaves the rooms that it may no longer be in */
    COMMAND_DISCONNECT,  /* connection ends */
    COMMAND_USER,        /* for all connections of a user (sending/user_command.h) */
    COMMAND_EPOCH,       /* the history restarts with another epoch */
    COMMAND_FETCHED,     /* pages that recoveries wait for have arrived (page_waits.h) */
    COMMAND_DRAIN,       /* all connections end */
    COMMAND_ANSWER,      /* the application answers what connection's client sent */
    COMMAND_CALL         /* a function is called on the loop's thread (calls.h) */
};

/* The close code and reason of a connection. */
struct close_reason {
    uint16_t code;
    char text[]; /* NUL-terminated */
};

/* A command for a loop, in its place in the total order. */
struct command {
    uint8_t kind;           /* enum command_kind */
    struct account account; /* on which it was posted */
    union {
        uint32_t ping_interval_ms; /* of COMMAND_CONNECT: for the welcome */

        /* Others: its work (backlog.h); before it is posted, the part beyond its deliveries. */
        uint32_t work;
    };
    struct connection *connection;  /* one pin */
    struct share *share;            /* one pin */
    ws_message *message;            /* one reference */
    union {                         /* owned; by its kind: */
        struct recovery *recovery;  /* COMMAND_CONNECT; NULL: the client does not recover */
        struct close_reason *close; /* COMMAND_DISCONNECT */
        struct waiting_ack *ack;    /* COMMAND_SEND; NULL: none is waited for */
        char *ref; /* COMMAND_CLIENT_LEAVE: as JSON; NULL: the request has none */
        struct client_join *join; /* COMMAND_CLIENT_JOIN; NULL: it has no ref and no wishes */
        char *epoch;              /* COMMAND_EPOCH */
        struct drain_plan *drain; /* COMMAND_DRAIN */
        struct given_answer *answer; /* COMMAND_ANSWER */
        uint32_t n_before;           /* COMMAND_REAUTHORIZE: as in struct reauthorization */
        struct loop_call *call;      /* COMMAND_CALL */
        struct user_command *user;   /* COMMAND_USER; one reference */
    };
    uint64_t position; /* of the newest event when it was posted */
};

/* Whether a command is an event for the members of `share` that can be joined with others into one
 * message: its frame is finished and none of its recipients is excluded. Events without a position
 * stay single, because recovering connections get them too, but not the events around them; and so
 * does what a transport treats unlike an event. */
static inline bool command_can_be_joined(const struct command *command,
                                         const struct share *share)
{
    return command->kind == COMMAND_EVENT && command->share == share &&
           message_is_framed(command->message) && command->message->n_exclude == 0 &&
           command->message->position > 0 && command->message->form == MESSAGE_EVENT;
}

struct inbox {
    struct command *items;
    size_t count;
    size_t n_of[N_ACCOUNTS]; /* of these, on each account */
    size_t capacity;
};

#endif
