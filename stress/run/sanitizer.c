/* SPDX-License-Identifier: MIT */
/*
 * The sanitizers' run times look for functions of these names. TSAN_OPTIONS and the like win where they
 * say otherwise.
 */
#include "sanitizer.h"

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

const char *__tsan_default_options(void);
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
void __tsan_on_report(const void *report);

const char *__tsan_default_options(void)
{
	return "exitcode=2:second_deadlock_stack=1";
}

const char *__asan_default_options(void)
{
	return "exitcode=2";
}

const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:exitcode=2:print_stacktrace=1";
}

/* Plain accesses, unwatched: the hook runs inside of the sanitizer. */
static volatile bool reported;

__attribute__((no_sanitize("thread"))) void __tsan_on_report(const void *report)
{
	(void)report;
	reported = true;
}

__attribute__((no_sanitize("thread"))) bool sanitizer_reported(void)
{
	return reported;
}

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#include <sanitizer/lsan_interface.h>

bool sanitizer_leaks(void)
{
	return __lsan_do_recoverable_leak_check() != 0;
}
#else
bool sanitizer_leaks(void)
{
	return false;
}
#endif
