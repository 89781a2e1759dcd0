/* members.h: the model of presence: which users are in the rooms and in the service, with their
 * states. Not here: what clients and the application receive of it (presence.h). */
#ifndef FUZZ_MODEL_MEMBERS_H
#define FUZZ_MODEL_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "support/belief.h"

enum {
    N_USERS = 4, /* the first one is anonymous and is not counted */
    N_ROOMS = 5,
    SERVICE = N_ROOMS, /* has a place behind the rooms */
    N_PLACES,
    MEMBERS_BATCH_MS = 50,
    NO_STATE = -1
};

struct member {
    unsigned connections;
    bool is_leaving; /* its last connection was lost, and its grace time may run */
    uint64_t lost_ms;
    int state;
    bool may_have_none; /* if it left in between, its state is gone */
};

struct members {
    uint32_t grace_ms;
    uint32_t max_list;
    bool is_exact;           /* calls are carried out one after the other, as they are made */
    bool declared[N_PLACES]; /* its members are counted from the beginning */
    struct member of[N_PLACES][N_USERS];
};

/* A connection of a user enters, or leaves by losing its connection or on purpose. */
void members_enter(struct members *members, unsigned place, unsigned user, uint64_t now_ms);
void members_leave(struct members *members, unsigned place, unsigned user, bool is_lost,
                   uint64_t now_ms);

/* A state that is not given to anyone else. */
int members_make_state(unsigned place, unsigned user, int number);
void members_set_state(struct members *members, unsigned place, unsigned user, int made);

/* All grace times are over. */
void members_settle(struct members *members);

/* Whether a user is there in any case, or may be there. */
bool members_must_have(const struct members *members, unsigned place, unsigned user,
                       uint64_t now_ms);
bool members_may_have(const struct members *members, unsigned place, unsigned user);

/* What the library says of a place must agree with the model. */
void members_check(struct members *members, unsigned place, const struct belief *found,
                   uint64_t now_ms);

#endif
