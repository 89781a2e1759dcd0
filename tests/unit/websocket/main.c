/* main.c: runs the suite of one test file. */
#include "support/suite.h"
#include "websocket/host.h"

int main(void)
{
    return suite_run_all(websocket_suite());
}
