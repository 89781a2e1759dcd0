/* export.h: the mark of every public function, and C linkage for C++. */
#ifndef WS_MANAGER_EXPORT_H
#define WS_MANAGER_EXPORT_H

#if defined(__GNUC__)
#define WS_EXPORT __attribute__((visibility("default")))
#else
#define WS_EXPORT
#endif

#ifdef __cplusplus
#define WS_BEGIN_DECLS extern "C" {
#define WS_END_DECLS }
#else
#define WS_BEGIN_DECLS
#define WS_END_DECLS
#endif

#endif
