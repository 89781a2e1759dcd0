/* A program outside of the tree, in what C99, C11 and C++17 have in common. */
#include <stdio.h>

#include <ws_manager/ws_manager.h>

int main(void)
{
    ws_manager *manager = NULL;
    int result = ws_manager_new(NULL, &manager);

    if (result == WS_OK)
        result = ws_manager_emit_order_created(manager, "{\"id\":7}", 8);
    ws_manager_free(manager);
    printf("%s %s: %s\n", WS_MANAGER_VERSION, ws_manager_version(), ws_strerror(result));
    return result == WS_OK ? 0 : 1;
}
