/* main.c: the load generator from its command line to its exit status. The status is 0 if all
 * connections were opened and all messages came back. */
#include "modes.h"
#include "options.h"

int main(int argc, char **argv)
{
    static int (*const modes[N_MODES])(const struct options *) = {
        [MODE_FANOUT] = mode_fanout,
        [MODE_PACED] = mode_paced,
        [MODE_ECHO] = mode_echo,
        [MODE_IDLE] = mode_idle,
        [MODE_HANDSHAKES] = mode_handshakes,
        [MODE_DISCONNECTS] = mode_disconnects,
    };
    struct options options;

    if (!options_parse(argc, argv, &options))
        return 2;
    return modes[options.mode](&options);
}
