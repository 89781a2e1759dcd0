/* version.c: the version of the running library. */
#include <ws_manager/version.h>

int ws_manager_version_num(void)
{
    return WS_MANAGER_VERSION_NUM;
}

const char *ws_manager_version(void)
{
    return WS_MANAGER_VERSION;
}
