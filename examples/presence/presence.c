/* presence.c: who is in a room, and how they are. Clients open ws://ADDRESS:PORT/?user_id=ana
 *   -> {"type":"join_room","room":"lobby","presence":true}
 *   <- {"type":"presence","room":"lobby","data":{"count":1,"members":[{"user_id":"ana",…}]}}
 *   -> {"type":"request","method":"feel","data":"fine","ref":1}
 *   <- {"type":"response","ref":1,"data":{"count":1,"members":[{…,"state":"fine"}]}}
 * and everyone in the room receives {"type":"presence_changed",…,"changed":[{…}]}. */
#include "host.h"

static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    const char *user_id = "anonymous"; /* a real service takes it from a token */
    (void)user_data;
    ws_handshake_query_parameter(handshake, "user_id", &user_id, NULL);
    return ws_handshake_set_user_id(handshake, user_id);
}

/* Every client may see the users of a room, and none the users of the whole service. */
static int authorize_presence(ws_manager *manager, const ws_connection_info *connection,
                              const char *room, void *user_data)
{
    (void)manager, (void)connection, (void)user_data;
    return room != NULL ? WS_OK : WS_ERR_FORBIDDEN;
}

/* A method: sets the user's state, and answers with all who are in the room. */
static int feel(ws_manager *manager, const ws_connection_info *connection,
                const ws_client_message *message, void *user_data)
{
    char *who = NULL;
    size_t length;
    int result = ws_manager_set_presence_state(manager, "lobby", connection->user_id,
                                               message->data, message->length);
    if (result == WS_OK && ws_manager_get_presence(manager, "lobby", &who, &length) == WS_OK)
        result = ws_manager_answer(manager, message->answer, who, length);
    ws_manager_free_text(manager, who);
    (void)user_data;
    return result;
}

int main(int argc, char **argv)
{
    struct host_endpoint all = {"/", NULL};
    ws_manager_options options;
    ws_endpoint_options endpoint;
    ws_manager *manager;

    ws_manager_options_init(&options);
    options.authorize_presence = authorize_presence;
    ws_endpoint_options_init(&endpoint);
    endpoint.accept_handshake = accept_handshake;
    if (ws_manager_new(&options, &manager) != WS_OK ||
        ws_manager_register_method(manager, "feel", feel, NULL) != WS_OK ||
        ws_endpoint_new(manager, &endpoint, &all.endpoint) != WS_OK)
        return 1;
    host_run(argc > 1 ? argv[1] : "127.0.0.1:3000", manager, &all, 1, NULL);
    ws_endpoint_free(all.endpoint);
    ws_manager_free(manager);
    return 0;
}
