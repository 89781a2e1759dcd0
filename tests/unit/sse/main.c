/* main.c: runs the suite of one test file. */
#include "sse/host.h"
#include "support/suite.h"

int main(void)
{
    return suite_run_all(sse_suite());
}
