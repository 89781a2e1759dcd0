/* checked.h: whether the library checks how the application uses threads, signals and fork(), and
 * in which order it frees: the option `checks` of meson. */
#ifndef WS_BASE_CHECKED_H
#define WS_BASE_CHECKED_H

#ifndef WS_CHECKS
#define WS_CHECKS 0
#endif

#endif
