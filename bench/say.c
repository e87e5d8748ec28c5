/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "progress.h"
#include "say.h"

static void say(const char *kind, const char *format, va_list args)
{
	progress_hide();
	fflush(stdout);
	fprintf(stderr, "%s: %s", program_invocation_short_name, kind);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

void say_finish(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write to the standard output: %s", strerror(errno));
		_exit(EXIT_RESOURCES);
	}
}

bool is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb");
}

unsigned terminal_width(int fd)
{
	struct winsize size;

	if (!is_terminal(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

bool wants_color(int fd)
{
	const char *no_color = getenv("NO_COLOR");

	return is_terminal(fd) && !(no_color && *no_color);
}
