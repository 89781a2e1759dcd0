/* payload.c: payloads of several kinds to compress, the same ones in every run. */
#include "websocket/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t payload_random(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

static void fill_with_orders(uint8_t *to, size_t length)
{
    static const char *const statuses[] = {"pending", "confirmed", "shipped", "delivered"};
    uint32_t state = 1;

    for (size_t at = 0; at < length;) {
        char order[160];
        size_t size =
            (size_t)snprintf(order, sizeof order,
                             "{\"id\":%u,\"client_id\":%u,\"status\":\"%s\",\"items\":"
                             "[{\"sku\":\"WIDGET-%u\",\"quantity\":%u}],\"total_cents\":%u},",
                             payload_random(&state, 100000), payload_random(&state, 500),
                             statuses[payload_random(&state, 4)], payload_random(&state, 9),
                             payload_random(&state, 20), payload_random(&state, 100000));

        if (size > length - at)
            size = length - at;
        memcpy(to + at, order, size);
        at += size;
    }
}

static void fill_with_random(uint8_t *to, size_t length, uint32_t *state)
{
    for (size_t i = 0; i < length; i++)
        to[i] = (uint8_t)payload_random(state, 256);
}

static void fill_with_repeats(uint8_t *to, size_t length)
{
    uint32_t state = 3;

    for (size_t at = 0; at < length;) {
        size_t size = 1 + payload_random(&state, 300);

        if (size > length - at)
            size = length - at;
        if (at < 300 || payload_random(&state, 3) == 0)
            fill_with_random(to + at, size, &state);
        else
            memcpy(to + at, to + payload_random(&state, (uint32_t)(at - size + 1)), size);
        at += size;
    }
}

uint8_t *payload_new(enum payload_kind kind, size_t length)
{
    uint8_t *payload = calloc(1, length > 0 ? length : 1);
    uint32_t state = 2;

    if (kind == PAYLOAD_JSON)
        fill_with_orders(payload, length);
    else if (kind == PAYLOAD_RANDOM)
        fill_with_random(payload, length, &state);
    else if (kind == PAYLOAD_REPEATS)
        fill_with_repeats(payload, length);
    return payload;
}
