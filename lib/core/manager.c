/* manager.c: a manager's life, its lock and its log, and the identity of its process. */
#include "core/manager.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/forks.h"
#include "base/json_text.h"
#include "base/options.h"
#include "base/utf8.h"

/* The most of the options' answer_timeout_ms, and of those that limit what waits for answers, and
 * what is kept of them. */
enum { ANSWER_MAX_MS = 24 * 3600 * 1000, WAITING_MAX = 10000 };

/* The most of presence_grace_ms and presence_batch_ms. */
enum { PRESENCE_MAX_MS = 3600 * 1000 };

static int64_t system_clock(void *user_data)
{
    struct timespec now;

    (void)user_data;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ws_manager_options_init_size(ws_manager_options *options, size_t size)
{
    const ws_manager_options defaults = {
        .size = sizeof defaults,
        .presence_events = WS_PRESENCE_EVERYONE,
        .max_connections = 100000,
        .max_rooms_per_connection = 1000,
        .max_event_bytes = 1 << 20,
        .max_client_json_depth = 32,
        .max_pending = 1 << 20,
        .max_presence_deliveries = 1000000,
        .presence_grace_ms = 5000,
        .presence_batch_ms = 100,
        .max_presence_list = 1000,
        .max_presence_members = 1000000,
        .max_presence_bytes = 256 << 20,
        .max_rooms = 1000000,
        .message_burst = 100,
        .answer_timeout_ms = 30000,
        .max_waiting_answers = 64,
        .max_waiting_requests = 64,
        .max_waiting = 100000,
        .max_kept_answers = 64,
        .max_kept_answer_bytes = 32768,
        .max_kept_bytes = 16 << 20,
        .kept_answers_ms = 300000,
        .history_events = 10000,
        .history_bytes = 64 << 20,
        .last_values_bytes = 64 << 20,
    };

    options_init(options, size, &defaults, sizeof defaults);
}

static bool options_valid(const ws_manager_options *options)
{
    return options->presence_events >= WS_PRESENCE_EVERYONE &&
           options->presence_events <= WS_PRESENCE_OFF &&
           (options->presence_events != WS_PRESENCE_ROOM ||
            name_text_valid(options->presence_room)) &&
           options->presence_grace_ms <= PRESENCE_MAX_MS && options->presence_batch_ms >= 1 &&
           options->presence_batch_ms <= PRESENCE_MAX_MS && options->max_event_bytes >= 1 &&
           options->max_event_bytes <= MESSAGE_MAX_BYTES &&
           options->max_client_json_depth >= 1 &&
           options->max_client_json_depth <= JSON_MAX_DEPTH && options->max_pending >= 1 &&
           options->slow_policy >= WS_SLOW_DISCONNECT && options->slow_policy <= WS_SLOW_DROP &&
           options->answer_timeout_ms >= 1 && options->answer_timeout_ms <= ANSWER_MAX_MS &&
           options->max_waiting_answers >= 1 && options->max_waiting_answers <= WAITING_MAX &&
           options->max_waiting_requests >= 1 && options->max_waiting_requests <= WAITING_MAX &&
           options->max_waiting >= 1 && options->max_kept_answers <= WAITING_MAX &&
           options->history_events <= HISTORY_MAX_EVENTS && options->message_burst >= 1 &&
           token_rate_valid(options->message_rate, options->message_burst);
}

static bool copy_allocator(ws_allocator *memory, const ws_allocator *from)
{
    memory_allocator_init(memory);
    return options_copy(memory, sizeof *memory, from) && memory->malloc != NULL &&
           memory->realloc != NULL && memory->free != NULL;
}

static int copy_presence_room(ws_manager *manager)
{
    const char *room = manager->options.presence_room;

    if (manager->options.presence_events != WS_PRESENCE_ROOM) {
        manager->options.presence_room = NULL;
        return WS_OK;
    }
    manager->options.presence_room = memory_copy_text(&manager->memory, room, strlen(room));
    return manager->options.presence_room != NULL ? WS_OK : WS_ERR_NO_MEMORY;
}

/* --- identity -----------------------------------------------------------------------------
 *
 * A manager's identity: its process's name, the epoch of its history, and the secret of its
 * hashes. The child of a fork() is another process and must not share them: a client of the
 * parent that reconnected to the child would get the child's events as those that it missed
 * from the parent. */

/* Draws the identity. Errors: WS_ERR_SYSTEM, WS_ERR_NO_MEMORY. */
static int draw_identity(ws_manager *manager)
{
    if (!forks_watch())
        return WS_ERR_NO_MEMORY;
    manager->n_forks = forks_count();
    if (RAND_bytes(manager->registry.secret, sizeof manager->registry.secret) != 1 ||
        !epoch_draw(manager->process))
        return WS_ERR_SYSTEM;
    memcpy(manager->epoch, manager->process, sizeof manager->epoch);
    return WS_OK;
}

/* Draws a new secret. The history and its pages, which use the same secret, are empty at this
 * point. If the system has no randomness, the parent's secret is kept. */
static void draw_secret(ws_manager *manager)
{
    struct registry *registry = &manager->registry;
    uint8_t secret[NAME_TABLE_SECRET];

    if (RAND_bytes(secret, sizeof secret) == 1)
        registry_change_secret(registry, secret);
}

/* Draws a new identity in a child: events of the parent cannot be recovered here. Positions
 * continue. The lock is held. */
static void draw_child_identity(ws_manager *manager)
{
    manager_assert_locked(manager);
    manager->n_forks = forks_count();
    for (size_t i = 0; i < MANAGER_MAX_LOOPS; i++)
        atomic_store(&manager->client_backlog[i],
                     0); /* of loops that nothing runs in the child */
    atomic_store(&manager->presence_keeper, 0);
    for (size_t i = 0; i < N_PLACES; i++) {
        atomic_store(&manager->places[i].total, 0);
        atomic_store(&manager->places[i].anonymous, 0);
    }
    if (!epoch_draw(manager->process))
        epoch_turn(manager->process, (uint64_t)getpid());
    memcpy(manager->epoch, manager->process, sizeof manager->epoch);
    history_reset(&manager->history, manager->position);
    last_values_reset(&manager->last_values, manager->position);
    pages_free(&manager->memory, pages_begin_anew(&manager->pages));
    draw_secret(manager);
}

/* --- life ---------------------------------------------------------------------------------- */

static void release_content(ws_manager *manager)
{
    if (manager->free_presence != NULL)
        manager->free_presence(manager);
    pages_free(&manager->memory, pages_take_all(&manager->pages));
    history_free(&manager->history);
    last_values_free(&manager->last_values);
    registry_free(&manager->registry);
    event_types_free(&manager->types);
    handlers_free(&manager->methods, &manager->memory);
    handlers_free(&manager->message_types, &manager->memory);
    memory_free(&manager->memory, (void *)(uintptr_t)manager->options.presence_room);
}

static int fill(ws_manager *manager)
{
    int result = copy_presence_room(manager);

    if (result == WS_OK)
        result = event_types_init(&manager->types, &manager->memory);
    if (result == WS_OK)
        result = draw_identity(manager);
    if (result != WS_OK)
        goto fail;
    result = WS_ERR_SYSTEM;
    if (!kept_answers_init(&manager->kept_answers, &manager->memory, manager->registry.secret))
        goto fail;
    if (!lock_init(&manager->lock))
        goto fail_kept;
    if (pthread_cond_init(&manager->woken, NULL) != 0)
        goto fail_lock;
    return WS_OK;

fail_lock:
    lock_destroy(&manager->lock);
fail_kept:
    kept_answers_free(&manager->kept_answers);
fail:
    release_content(manager);
    return result;
}

int manager_make(const ws_manager_options *options, ws_manager **manager)
{
    ws_manager_options copy;
    ws_allocator memory;
    ws_manager *made;
    int result;

    if (manager == NULL)
        return WS_ERR_INVALID;
    ws_manager_options_init(&copy);
    if (!options_copy(&copy, sizeof copy, options) || !options_valid(&copy) ||
        !copy_allocator(&memory, copy.allocator))
        return WS_ERR_INVALID;
    made = memory_zalloc(&memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->memory = memory;
    made->options = copy;
    if (copy.clock == NULL)
        made->options.clock = system_clock;
    made->compressed_from = UINT32_MAX;
    made->message_rate = token_rate_of(copy.message_rate, copy.message_burst);
    made->presence_left = (int64_t)copy.max_presence_deliveries * PRESENCE_BURST_MS;
    atomic_init(&made->refs, 1);
    registry_init(&made->registry, &made->memory);
    history_init(&made->history, &made->memory, made->registry.secret);
    last_values_init(&made->last_values, &made->memory, made->registry.secret);
    made->last_values.max_bytes = copy.last_values_bytes;
    made->history.max_events = copy.history_events;
    made->history.max_bytes = copy.history_bytes;
    made->history.max_age_ms = copy.history_age_ms;
    made->kept_answers.max_answers = copy.max_kept_answers;
    made->kept_answers.max_bytes = copy.max_kept_answer_bytes;
    made->kept_answers.max_total = copy.max_kept_bytes;
    made->kept_answers.max_age_ms = copy.kept_answers_ms;
    made->pages.max_pages = PAGES_MAX;
    made->pages.max_bytes = copy.history_bytes;
    made->types.memory = &made->memory;
    result = fill(made);
    if (result != WS_OK) {
        memory_free(&memory, made);
        return result;
    }
    *manager = made;
    return WS_OK;
}

ws_manager *manager_ref(ws_manager *manager)
{
    atomic_fetch_add_explicit(&manager->refs, 1, memory_order_relaxed);
    return manager;
}

void manager_unref(ws_manager *manager)
{
    ws_allocator memory = manager->memory;

    if (atomic_fetch_sub_explicit(&manager->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_cond_destroy(&manager->woken);
    lock_destroy(&manager->lock);
    kept_answers_free(&manager->kept_answers);
    release_content(manager);
    memory_free(&memory, manager);
}

void manager_lock(ws_manager *manager)
{
    lock_acquire(&manager->lock);
    if (manager->n_forks != forks_count())
        draw_child_identity(manager);
}

void manager_unlock(ws_manager *manager)
{
    lock_release(&manager->lock);
}

ws_message *manager_message(const ws_manager *manager, struct buffer *text)
{
    ws_message *message = NULL;

    if (!text->failed)
        message = message_new_copy(&manager->memory, text->data, text->length, true);
    buffer_free(text);
    if (message != NULL)
        manager_frame(manager, message);
    return message;
}

void manager_log(const ws_manager *manager, int level, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    manager_assert_unlocked(manager);
    if (manager->options.log == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    utf8_make_line(line); /* the line may contain a peer's text, and its end may be cut */
    manager->options.log(level, line, manager->options.user_data);
}

int ws_name_is_valid(const char *name)
{
    return name_text_valid(name);
}

const char *ws_manager_process_id(const ws_manager *manager)
{
    ws_manager *own = (ws_manager *)(uintptr_t)manager;

    if (own == NULL)
        return NULL;
    manager_lock(own); /* draws a new one in a child */
    manager_unlock(own);
    return own->process;
}
