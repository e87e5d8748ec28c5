/* SPDX-License-Identifier: MIT */
/* Which page an operation picks: even, Zipf or in order. */
#ifndef BENCH_DISTRIBUTION_H
#define BENCH_DISTRIBUTION_H

#include <stdint.h>

#include "random.h"
#include "units.h"

enum distribution { DIST_UNIFORM, DIST_ZIPF, DIST_SEQUENTIAL };

struct distribution_spec {
	enum distribution kind;
	double theta; /* of Zipf: item of rank r has weight 1 / r^theta */
};

/* `uniform`, `seq`, `zipf:0.99`; a message and -EINVAL otherwise. */
PARSE int distribution_parse(const char *what, const char *text, struct distribution_spec *ret);

/* As it is written on the command line, with a `-` for the `:`. Returns `text`. */
const char *distribution_name(char text[UNITS_TEXT], const struct distribution_spec *spec);

/*
 * Zipf's distribution over ranks 1..items as its cumulative sums: exact for every theta >= 0, and
 * there to be checked. cdf[r - 1] is the probability of a rank <= r.
 */
struct zipf {
	double *cdf;
	uint32_t items;
};

PARSE int zipf_create(struct zipf *zipf, uint32_t items, double theta);
void zipf_destroy(struct zipf *zipf);

/* The rank minus 1, by inversion. */
uint32_t zipf_sample(const struct zipf *zipf, struct rng *rng);

/*
 * What the ranks are drawn into: an odd, fixed way of spreading them over the pages, so that the
 * popular pages are not neighbours. A bijection of 0..items-1.
 */
uint32_t zipf_scatter(uint32_t rank, uint32_t items);

/* Pages drawn from Zipf's distribution in advance, because drawing costs more than a query. */
#define KEY_STREAM (1u << 20)

struct key_stream {
	uint32_t *keys; /* KEY_STREAM of them; NULL unless the distribution is Zipf */
	uint32_t items;
	struct distribution_spec spec;
};

PARSE int key_stream_create(struct key_stream *stream, const struct distribution_spec *spec,
			    uint32_t items, uint64_t seed);
void key_stream_destroy(struct key_stream *stream);

/* One thread's position in it. */
struct keys {
	const uint32_t *stream;
	uint32_t items;
	uint32_t at;
	enum distribution kind;
	struct rng rng;
};

/*
 * Begin at a place that depends on `seed` and `number`, which is to differ between all threads and
 * all other uses of random numbers.
 */
void keys_start(struct keys *keys, const struct key_stream *stream, uint64_t seed, uint64_t number);

/* The next item, 0..items-1. `kind` never changes, so that the branch is predicted. */
static inline uint32_t keys_next(struct keys *keys)
{
	if (keys->kind == DIST_UNIFORM)
		return rng_below(&keys->rng, keys->items);
	if (keys->kind == DIST_ZIPF)
		return keys->stream[keys->at++ & (KEY_STREAM - 1)];
	keys->at = keys->at + 1 == keys->items ? 0 : keys->at + 1;
	return keys->at;
}

#endif
