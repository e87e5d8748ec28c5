/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "source.h"
#include "xalloc.h"

#define CHUNK (128 * 1024)

struct source {
	FILE *file;
	ZSTD_DStream *zstd; /* NULL: plain text */
	size_t frame_wants; /* zstd: not 0 inside a frame */
	ZSTD_inBuffer in;   /* what was read, and how far it is decompressed */
	size_t text_at, text_end;
	char line[SOURCE_LINE_MAX + 1];
	char raw[CHUNK];
	char text[CHUNK];
};

__attribute__((format(printf, 2, 3))) static int fail(struct source_error *error,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}

static int read_raw(struct source *s, struct source_error *error)
{
	s->in.pos = 0;
	s->in.size = fread(s->raw, 1, sizeof(s->raw), s->file);
	if (s->in.size == 0 && ferror(s->file))
		return fail(error, "cannot read: %s", strerror(errno));
	return 0;
}

/* Return: 1: there is more text; 0: the end; -1. */
static int fill_plain(struct source *s, struct source_error *error)
{
	if (s->in.pos == s->in.size && read_raw(s, error))
		return -1;
	s->text_at = 0;
	s->text_end = s->in.size - s->in.pos;
	memcpy(s->text, s->raw + s->in.pos, s->text_end);
	s->in.pos = s->in.size;
	return s->text_end > 0;
}

static int fill_zstd(struct source *s, struct source_error *error)
{
	ZSTD_outBuffer out = {s->text, sizeof(s->text), 0};

	while (out.pos == 0) {
		/* Output may still be waiting inside the decoder when all input is consumed. */
		if (s->in.pos == s->in.size && read_raw(s, error))
			return -1;
		if (s->in.size == 0 && s->frame_wants == 0)
			return 0;
		size_t before = s->in.pos;

		s->frame_wants = ZSTD_decompressStream(s->zstd, &out, &s->in);
		if (ZSTD_isError(s->frame_wants))
			return fail(error, "damaged zstd data: %s",
				    ZSTD_getErrorName(s->frame_wants));
		if (s->in.size == 0 && out.pos == 0 && s->in.pos == before)
			return fail(error, "cut short: the zstd data ends inside a frame");
	}
	s->text_at = 0;
	s->text_end = out.pos;
	return 1;
}

struct source *source_open(const char *path, struct source_error *error)
{
	static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	struct source *s = xcalloc(1, sizeof(*s));

	s->in.src = s->raw;
	s->file = fopen(path, "rb");
	if (!s->file) {
		fail(error, "cannot open: %s", strerror(errno));
		source_close(s);
		return NULL;
	}
	if (read_raw(s, error)) {
		source_close(s);
		return NULL;
	}
	if (s->in.size >= sizeof(magic) && !memcmp(s->raw, magic, sizeof(magic)))
		s->zstd = must(ZSTD_createDStream());
	return s;
}

int source_line(struct source *s, char **ret_line, struct source_error *error)
{
	size_t have = 0;

	for (;;) {
		if (s->text_at == s->text_end) {
			int more = s->zstd ? fill_zstd(s, error) : fill_plain(s, error);

			if (more < 0)
				return -1;
			if (more == 0 && have > 0)
				return fail(error, "cut short: the last line has no end");
			if (more == 0)
				return 0;
		}
		char *from = s->text + s->text_at;
		size_t left = s->text_end - s->text_at;
		char *newline = memchr(from, '\n', left);
		size_t take = newline ? (size_t)(newline - from) : left;

		if (take > SOURCE_LINE_MAX - have)
			return fail(error, "line longer than %d bytes", SOURCE_LINE_MAX);
		memcpy(s->line + have, from, take);
		have += take;
		s->text_at += take + (newline ? 1 : 0);
		if (!newline)
			continue;
		s->line[have] = '\0';
		if (memchr(s->line, '\0', have))
			return fail(error, "a zero byte in the line");
		*ret_line = s->line;
		return 1;
	}
}

void source_close(struct source *s)
{
	if (!s)
		return;
	ZSTD_freeDStream(s->zstd);
	if (s->file)
		fclose(s->file);
	free(s);
}
