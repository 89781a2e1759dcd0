/* state.h: the state of presence in a manager: rooms whose members are counted by user, and users
 * that have left a moment ago. Not here: the connections themselves (groups/registry.h).
 *
 * A member is a user in a room. It is there while any connection of the user is in the room,
 * and for the grace time after the last of them was lost. Everything is guarded by the
 * manager's lock. */
#ifndef WS_CORE_PRESENCE_STATE_H
#define WS_CORE_PRESENCE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name_table.h"
#include "core/loop_state.h"
#include "core/manager.h"

/* The room that stands for the whole service: its members are all users. No room has this name. */
#define PRESENCE_SERVICE ""

/* The prefix of the names of the commands that processes send each other (processes.h). */
#define PRESENCE_COMMAND "presence"

struct presence_room;
struct counting;

/* In place of a number of connections: there are none, but the user may come back within its grace
 * time. */
#define PRESENCE_LEAVING UINT32_MAX

/* The part of a member that is connected to another process. */
struct presence_part {
    struct presence_part *next;
    uint32_t connections; /* more than none, or PRESENCE_LEAVING */
    uint32_t generation;  /* of the process's last command about it */
    ws_conn_id last;      /* as member->last, at that process */
    uint8_t process;      /* in presence->processes */
    bool knows_state;     /* of the member, because it was in the stream since then */
};

enum {
    PRESENCE_MAX_PROCESSES = 64, /* others, of which parts are known */
    PRESENCE_MISSED_MAX = 3 /* presence_alive of this process, in which a dead one was silent */
};

/* Another process that has sent commands. */
struct presence_process {
    char name[EPOCH_SIZE]; /* "": unused */
    uint32_t generation;
    uint32_t n_missed; /* presence_alive that came back since its last command */
    bool is_wanted;    /* a request for its members is to be sent */
    bool is_sending;   /* its snapshot is incomplete: presence_end will come */
};

/* A member has three states, which change independently.
 *
 * Whether the user is there, with connections of this process:
 *
 *             ┌───────────── a connection ──────────────┐
 *             ▼                                         │
 *  n_connections > 0 ── the last connection ends ──▶ is_leaving ── due_ms ──▶ gone
 *
 * Without a grace time the user is gone at once. With connections of other processes (n_elsewhere)
 * the user is there in each of these states.
 *
 * What observers know, which are clients that watch the room, and the application:
 *
 *  in step ── it comes, leaves, or has another state or number of connections ──▶ is_changed
 *     ▲                                                                             │
 *     └──── the change is sent (flush.c): is_told is whether the user is there ─────┘
 *
 * A client that receives the list while a member is_changed knows the member as it is then. That
 * is_shown: the change is sent even if the member becomes again what the other observers know.
 *
 * What other processes know:
 *
 *  in step ── presence_note_unsent() ──▶ is_unsent ── the carrier takes the command ──▶ in step
 *                                        is_unsent ── it goes before it was sent ─────▶ in step
 *
 * and of its state, which is in the command only if it is new there:
 *
 *  in step          ── it is set, or others lack it ──▶     is_state_unsent
 *  in step          ── it ends with the user ──▶            is_state_unsent, is_state_forgotten
 *  is_state_unsent  ── it is written to a command ──▶       is_state_sending
 *  is_state_sending ── the carrier takes the command ──▶    in step
 *  is_state_sending ── the carrier refuses the command ──▶  is_state_unsent
 *
 * A forgotten state needs no command of its own once others know that the user is gone. A state
 * that is set while the former one is_state_sending is_state_unsent, too. */
struct presence_member {
    struct name_node node;
    struct presence_room *room;
    struct presence_member *next; /* in the room */
    struct presence_member *previous;
    struct presence_member *next_changed; /* in the room's list, while is_changed */
    struct presence_member *next_unsent;  /* while is_unsent */
    struct presence_member *previous_unsent;
    struct presence_part *parts;   /* of other processes */
    uint32_t n_elsewhere;          /* connections: the sum of `parts` */
    uint32_t sent_connections;     /* of this process, as the others know it; here and in
                                             the next two, too, it may be PRESENCE_LEAVING */
    uint32_t sending_connections;  /* as the command says that is being sent */
    uint32_t returned_connections; /* as the last command said that has come back */
    struct presence_member *later; /* among those that leave, while is_leaving */
    struct presence_member *earlier;
    uint64_t due_ms; /* by presence->clock_ms: when its grace time ends, while is_leaving */
    ws_conn_id last; /* its first connection here, or the one that was lost last */
    char *state;     /* JSON text; NULL: none */

    /* Of the command in the cluster's stream by which the state was set, or removed: a state of a
     * higher position replaces it. 0: not known, so any does; STATE_SET_HERE: that command is
     * this process's, and has not come back. */
    uint64_t state_position;
    uint16_t state_length;
    uint8_t user_length;
    uint32_t n_connections;
    uint32_t known_connections; /* as observers know it, while is_known */
    bool is_leaving : 1;        /* it has no connection, and its grace time runs */
    bool is_changed : 1;        /* observers have not received its present state */
    /* Observers have it in their lists, as of the last changes that were sent. */
    bool is_known : 1;
    bool is_shown : 1;      /* it was in a list that was made since */
    bool is_reported : 1;   /* the application was notified that it is there */
    bool has_new_state : 1; /* observers have not received its state */
    bool is_unsent : 1;     /* other processes have not received its connections here */
    bool is_sending : 1;    /* and it is in the command that is being sent */
    bool is_state_unsent : 1;
    bool is_state_sending : 1;   /* it is in that command */
    bool is_state_forgotten : 1; /* its removal is unsent, because the user was gone */

    /* In a room that is followed (follow.h): */
    bool is_streamed : 1;  /* here, as the last command that has come back says */
    bool is_returning : 1; /* a command about it is in flight */
    bool is_announced : 1; /* clients were told that it came, or it was there before them */
    uint8_t key_length;    /* right before the key (name_table.h) */
    char key[];            /* the room's number, 8 bytes; the user's name, NUL-terminated */
};

enum { PRESENCE_NUMBER = 8 /* bytes of a room's number in a key */ };

#define STATE_SET_HERE UINT64_MAX

/* What the other processes are to be told of a room for which somebody here has asked
 * (wishes.h). Each value has a list of rooms. */
enum presence_wish {
    WISH_NONE,     /* nothing */
    WISH_WANTED,   /* this process needs its members, and those who come later */
    WISH_REPEATED, /* it does still */
    WISH_UNUSED,   /* nothing yet; no client here needs the room just now */
    WISH_ENDED,    /* it needs them no longer */
    WISH_SENDING,  /* as presence->sending: the room is in the command that is being sent */
    N_WISHES
};

struct presence_room {
    struct name_node node;
    struct presence_room *next_changed; /* while is_changed */
    struct presence_room *next_wish;    /* in the list of its wish */
    struct presence_room *previous_wish;
    uint64_t unused_due_ms; /* by presence->clock_ms, while WISH_UNUSED */
    uint64_t wanted_by;     /* other processes that need its members: a bit for each */
    uint64_t repeated_by;   /* those that have said so since their presence_begin */
    struct presence_member *first;
    struct presence_member *changed; /* members whose change is to be sent */
    /* The next members of walks in steps (presence_visit_members()); NULL: none goes on. */
    struct presence_member *to_note;
    struct presence_member *to_send;
    struct counting *counting; /* of those that are there (counting.h); NULL: none goes on */
    ws_message *list;          /* {"type":"presence"} as of now; NULL: to be made */
    uint64_t number;           /* of the room, unique in the manager */
    size_t n_members;          /* that are there */
    size_t n_kept;             /* also those whose leaving is still to be sent; and one
                                  for each caller that holds the room */
    size_t bytes;              /* about as many as the list of members takes */
    /* When a limit left no room for this one's users: the users of other rooms and the connections
     * of this one; no connections: there was no such limit. */
    size_t refused_users;
    size_t refused_connections;
    /* n_members as last sent to observers; SIZE_MAX: observers have different counts */
    size_t known_count;
    bool is_listed : 1;   /* presence was asked for; false: only users that leave are here */
    bool is_declared : 1; /* by the application: it stays when it is empty */
    bool is_changed : 1;
    bool is_big : 1;      /* observers receive counts alone */
    bool is_asked : 1;    /* other processes know that this one needs its members */
    bool is_reset : 1;    /* observers are to receive the list again, or that there is none */
    bool is_followed : 1; /* as far as limits allow, for user_connected (follow.h) */
    uint8_t wish;         /* enum presence_wish */
    uint8_t name_length;  /* right before the name (name_table.h) */
    char name[];          /* NUL-terminated */
};

struct presence_wishes {
    struct presence_room *first;
    struct presence_room *last;
    size_t count;
};

/* The lists of those whose grace time runs: whoever leaves the service is announced. */
enum presence_leaving { LEAVES_ROOM, LEAVES_SERVICE, N_LEAVING };

struct presence {
    ws_manager *manager;
    uint8_t secret[NAME_TABLE_SECRET];
    struct name_table rooms;
    struct name_table members; /* of all rooms */
    size_t n_members;
    uint64_t bytes; /* of rooms, members and their states */
    uint64_t n_rooms_made;
    uint64_t clock_ms; /* the time that the keeper has counted (beat.c) */
    uint64_t life_ms;  /* the keeper's time with its pauses, which clock_ms leaves out */
    struct presence_member *first_leaving[N_LEAVING]; /* the one that is due first */
    struct presence_member *last_leaving[N_LEAVING];
    struct presence_member *first_unsent; /* members that are to be sent to other processes */
    struct presence_member *last_unsent;
    struct presence_process processes[PRESENCE_MAX_PROCESSES];
    uint32_t n_processes;
    uint32_t n_wanted_processes;
    uint32_t generation;    /* of this process's presence_begin */
    uint64_t alive_due_ms;  /* by life_ms */
    uint32_t n_alive_sent;  /* presence_alive since one came back */
    uint64_t n_commands;    /* each has its number */
    uint64_t n_taken;       /* the number of the last one that the carrier has taken */
    uint64_t n_returned;    /* of the last one that has come back */
    char epoch[EPOCH_SIZE]; /* of the stream that has the states' positions */
    bool is_alone; /* other processes know nothing of this one and need no sign of life */
    bool has_said_leaving;  /* presence_leaving was sent */
    bool wants_all;         /* presence_wanted is to be sent */
    bool sends_all;         /* everything is to be sent */
    bool is_doubting;       /* after a gap: the members' states are not right yet */
    bool is_sending_all;    /* presence_end is to be sent when nothing is unsent */
    bool is_learning;       /* of the users who came before this process (follow.h) */
    uint64_t learned_ms;    /* by clock_ms: when it ends; 0: that is not known yet */
    uint64_t learned_by_ms; /* at the latest */
    uint32_t n_signs;       /* presence_alive that came back, up to PRESENCE_MISSED_MAX */
    struct presence_wishes wishes[N_WISHES]; /* WISH_NONE has none */
    enum presence_wish sending;
    /* Rooms with unsent changes, the oldest change first. */
    struct presence_room *first_changed;
    struct presence_room *last_changed;
    size_t n_changed;
};

/* --- table.c --------------------------------------------------------------------------------- */

/* The manager's presence, which is made if needed; NULL if memory ran out. */
struct presence *presence_get(ws_manager *manager);

/* Finds a room, or returns NULL. `presence` may be NULL. */
struct presence_room *presence_find_room(const struct presence *presence, const char *name);

/* Finds a room or makes one that is not listed; NULL if memory ran out. */
struct presence_room *presence_add_room(struct presence *presence, const char *name);

/* Forgets the list that was made of the room's members. */
void presence_drop_list(struct presence_room *room);

/* The connections that are in a room, or in the service if any of them has a user. */
size_t presence_occupants(const struct presence *presence, const struct presence_room *room);

/* Frees a room, which is in no list but the table. */
void presence_free_room(struct presence *presence, struct presence_room *room);

struct presence_member *presence_find_member(const struct presence *presence,
                                             const struct presence_room *room,
                                             const char *user);

/* Adds a user that is not in the room, without connections, if the limits allow that
 * (presence_add_member() makes room first). Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int presence_link_member(struct presence *presence, struct presence_room *room,
                         const char *user, struct presence_member **member);

/* Frees a member, which is in no list but the room's. */
void presence_free_member(struct presence *presence, struct presence_member *member);

/* Visits the members of a room that are there now and stay. `visit` may free them. The lock is
 * given back in between. `cursor` is the room's to_note or to_send. Of two walks at a time that
 * share it, either may visit what is left of both. */
void presence_visit_members(struct presence *presence, struct presence_room *room,
                            struct presence_member **cursor,
                            void (*visit)(struct presence *presence,
                                          struct presence_member *member));

/* Replaces a member's state by a text that it takes over; NULL: none. */
void presence_replace_state(struct presence *presence, struct presence_member *member,
                            char *state, size_t length);

static inline const char *presence_user(const struct presence_member *member)
{
    return member->key + PRESENCE_NUMBER;
}

/* What other processes are told: the number of connections of this process, or PRESENCE_LEAVING. */
static inline uint32_t presence_own(const struct presence_member *member)
{
    if (member->n_connections > 0)
        return member->n_connections;
    return member->is_leaving ? PRESENCE_LEAVING : 0;
}

static inline bool presence_is_there(const struct presence_member *member)
{
    return presence_own(member) > 0 || member->parts != NULL;
}

/* The number of connections that observers receive. One that was lost a moment ago counts only
 * if the user has no other, here or elsewhere: during the grace time nothing changes for
 * observers, and a user that comes back to another process has not become two. */
static inline uint32_t presence_connections(const struct presence_member *member)
{
    uint32_t connections = member->n_connections + member->n_elsewhere;

    return connections > 0 ? connections : presence_is_there(member);
}

/* --- changes.c ------------------------------------------------------------------------------- */

/* Notes that a member has changed: it came, left, or has another state or number of
 * connections. `was_there` before the change. A member that is not there and that no observer
 * knows is freed, and so may be its room. */
void presence_note(struct presence *presence, struct presence_member *member, bool was_there);

/* Notes that a member is to be sent to other processes, or takes that back. */
void presence_note_unsent(struct presence *presence, struct presence_member *member);
void presence_end_unsent(struct presence *presence, struct presence_member *member);

/* Takes that back for a member that came and went before any command had it, so that it need not
 * wait for one. */
void presence_drop_unsent(struct presence *presence, struct presence_member *member);

/* The removal of a member's state need not be sent. */
void presence_drop_forgotten(struct presence_member *member);

/* Notes that other processes need a member of this process, with its state. */
void presence_note_needed(struct presence *presence, struct presence_member *member);

/* Frees a member if it is no longer needed, and then perhaps its room. */
void presence_free_if_unused(struct presence *presence, struct presence_member *member);

/* Notes that the room's observers are to receive something. */
void presence_note_room(struct presence *presence, struct presence_room *room);

/* Decides whether clients receive the room's members, or their count alone because a list would
 * be too long (room->is_big). If that changes, those who watch the room receive the list again. */
void presence_choose_form(struct presence *presence, struct presence_room *room);

/* --- grace.c --------------------------------------------------------------------------------- */

/* Adds a user that is not in the room, without connections. Near the limits it first ends grace
 * times: other members may be freed, of any room, and other rooms. Errors: WS_ERR_LIMIT,
 * WS_ERR_NO_MEMORY. */
int presence_add_member(struct presence *presence, struct presence_room *room, const char *user,
                        struct presence_member **member);

/* --- wishes.c -------------------------------------------------------------------------------- */

/* Frees the room if nothing needs it, here or on another process. */
void presence_drop_room(struct presence *presence, struct presence_room *room);

/* --- members.c ------------------------------------------------------------------------------- */

/* Finds a room or makes one, and counts its members if that was not done yet, giving the lock back
 * in between if they are many. Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int presence_open_room(ws_manager *manager, const char *name, struct presence_room **room);

/* Finds or makes a room that another process has asked for, and counts its members if that was not
 * done yet, as presence_open_room() does. Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int presence_open_for_others(ws_manager *manager, const char *name,
                             struct presence_room **room);

/* --- texts.c --------------------------------------------------------------------------------- */

/* Adds the data of a list: {"count":N,"members":[…]}, without members if the room is_big. */
void presence_add_list(struct buffer *buffer, const struct presence_room *room);

/* What became of a member, for clients that watch, and for the application. */
enum presence_change { PRESENCE_JOINED, PRESENCE_LEFT, PRESENCE_CHANGED, PRESENCE_SAME };

enum presence_change presence_change_of(const struct presence_member *member);
enum presence_change presence_change_to_report(const struct presence_member *member);

/* Adds the data of changes: {"joined":[…],"left":[…],"changed":[…],"count":N}, without members if
 * `n` is 0. */
void presence_add_changes(struct buffer *buffer, const struct presence_room *room,
                          struct presence_member *const *members, size_t n);

#endif
