/* SPDX-License-Identifier: MIT */
/*
 * The lines of a text file, which may be compressed by zstd; recognised by its first bytes, so the
 * name does not matter. Memory stays bounded whatever the file contains.
 */
#ifndef REPLAY_SOURCE_H
#define REPLAY_SOURCE_H

#include <stddef.h>

#define SOURCE_LINE_MAX 4096

struct source;

/* What went wrong, in one sentence without the file's name. */
struct source_error {
	char text[256];
};

/* Return: the source, or NULL with *@error filled in. */
struct source *source_open(const char *path, struct source_error *error);

/*
 * The next line without its newline, terminated by a zero byte; valid until the next call.
 * Return: 1; 0 at the end; -1 with *@error filled in: the file cannot be read, is damaged or cut
 * short, or the line is too long or contains a zero byte.
 */
int source_line(struct source *s, char **ret_line, struct source_error *error);

void source_close(struct source *s);

#endif
