/** @file
 * The mark of every exported function, and C linkage for C++.
 */
#ifndef WS_MANAGER_EXPORT_H
#define WS_MANAGER_EXPORT_H

/** Marks a function that the library exports. */
#if defined(__GNUC__)
#define WS_EXPORT __attribute__((visibility("default")))
#else
#define WS_EXPORT
#endif

/** Begins declarations with C linkage. */
#ifdef __cplusplus
#define WS_BEGIN_DECLS extern "C" {
#else
#define WS_BEGIN_DECLS
#endif

/** Ends declarations with C linkage. */
#ifdef __cplusplus
#define WS_END_DECLS }
#else
#define WS_END_DECLS
#endif

#endif
