/* SPDX-License-Identifier: MIT */
/*
 * What a sanitizer that is built in finds is a violation: the case that it shows in fails, and the
 * exit code is that of one, however the sanitizer ends the program. Without one, nothing is found.
 */
#ifndef RUN_SANITIZER_H
#define RUN_SANITIZER_H

#include <stdbool.h>

/* Has ThreadSanitizer reported anything, ever? (The others end the program.) */
bool sanitizer_reported(void);

/* Is there memory that nobody can reach any more? Says which. All threads must have ended. */
bool sanitizer_leaks(void);

#endif
