/* sanitizer.h: what AddressSanitizer is told about memory that we hand out ourselves. Nothing in other builds. */
#ifndef ARB_BASE_SANITIZER_H
#define ARB_BASE_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define ARB_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARB_HAS_ASAN 1
#endif
#endif

#ifdef ARB_HAS_ASAN
#include <sanitizer/asan_interface.h>
#define ARB_POISON(address, size) ASAN_POISON_MEMORY_REGION((address), (size))
#define ARB_UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION((address), (size))
#define ARB_RED_ZONE 16
#else
#define ARB_POISON(address, size) ((void)(address), (void)(size))
#define ARB_UNPOISON(address, size) ((void)(address), (void)(size))
#define ARB_RED_ZONE 0
#endif

#endif
