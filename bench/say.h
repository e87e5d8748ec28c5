/* SPDX-License-Identifier: MIT */
/* What a program says to people: messages on stderr, and whether colours are welcome. */
#ifndef BENCH_SAY_H
#define BENCH_SAY_H

#include <stdbool.h>

/* Exit codes of every program here. */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_USAGE = 1,
	EXIT_VIOLATION = 2,   /* a result was wrong */
	EXIT_RESOURCES = 3,   /* no memory, no file, no threads */
	EXIT_UNSUPPORTED = 4, /* this build or machine cannot do it */
	EXIT_SIGNAL = 5,
	EXIT_UNTRUSTWORTHY = 7,
};

/* One line on stderr, behind the program's name; a progress bar on screen makes room for it. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, as a warning. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * For atexit(): what cannot be written to the standard output has not been said; the program then ends
 * with EXIT_RESOURCES. Also when somebody else exits, such as argp after --help.
 */
void say_finish(void);

/* Is `fd` a terminal that can move the cursor? */
bool is_terminal(int fd);

/* Columns of the terminal `fd`; 0 if it is none. */
unsigned terminal_width(int fd);

/* May output to `fd` be coloured? Respects NO_COLOR (https://no-color.org). */
bool wants_color(int fd);

#endif
