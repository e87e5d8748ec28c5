/* SPDX-License-Identifier: MIT */
/*
 * Numbers as people write them on a command line. Each parser takes the whole text, says what is
 * wrong with it on stderr, naming the option `what`, the value and the limit, and then returns
 * -EINVAL with *ret untouched.
 */
#ifndef BENCH_UNITS_H
#define BENCH_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define PARSE __attribute__((warn_unused_result))

/* A whole number, decimal, in min..max. */
PARSE int parse_number(const char *what, const char *text, uint64_t min, uint64_t max,
		       uint64_t *ret);

/* A decimal fraction such as 0.99, in min..max. */
PARSE int parse_fraction(const char *what, const char *text, double min, double max, double *ret);

/* `500us`, `500ms`, `10s`, `2m`, `1h`; fractions such as `1.5s`; in min..max nanoseconds. */
PARSE int parse_duration(const char *what, const char *text, uint64_t min, uint64_t max,
			 uint64_t *ret_ns);

/* `4096`, `4KiB`, `2MiB`, `1GiB`, `1TiB` (also k, m, g, t: powers of 1024); in min..max bytes. */
PARSE int parse_size(const char *what, const char *text, uint64_t min, uint64_t max,
		     uint64_t *ret_bytes);

/*
 * `1,2,4..16`: numbers and ranges of numbers, in order, each once; `1..64*2` doubles from 1 on.
 * Each in min..max, and max at most UINT_MAX. *ret_list is to be freed.
 */
PARSE int parse_list(const char *what, const char *text, uint64_t min, uint64_t max,
		     unsigned **ret_list, size_t *ret_count);

/*
 * Cut `a,b,c` into words. Empty words are an error. *ret_words is one allocation, to be freed.
 */
PARSE int parse_words(const char *what, const char *text, char ***ret_words, size_t *ret_count);

#define UNITS_TEXT 32

/* 1536 -> "1536", 2097152 -> "2MiB", in the largest unit that divides. Returns `text`. */
const char *format_size(char text[UNITS_TEXT], uint64_t bytes);

/* 100000000 -> "100ms", in the largest unit that divides. Returns `text`. */
const char *format_duration(char text[UNITS_TEXT], uint64_t ns);

#endif
