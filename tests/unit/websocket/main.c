/* main.c: runs the suite of one test file in this process, so that the sanitizers see all of it. */
#include <stdlib.h>

#include "websocket/host.h"

int main(void)
{
    SRunner *runner = srunner_create(websocket_suite());
    int failed;

    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
