/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "distribution.h"
#include "say.h"

int distribution_parse(const char *what, const char *text, struct distribution_spec *ret)
{
	if (!strcmp(text, "uniform") || !strcmp(text, "seq")) {
		ret->kind = *text == 'u' ? DIST_UNIFORM : DIST_SEQUENTIAL;
		ret->theta = 0;
		return 0;
	}
	if (!strncmp(text, "zipf:", 5)) {
		double theta;
		int error = parse_fraction(what, text + 5, 0, 10, &theta);

		if (error)
			return error;
		ret->kind = DIST_ZIPF;
		ret->theta = theta;
		return 0;
	}
	complain("%s: '%s' is not one of uniform, zipf:THETA, seq", what, text);
	return -EINVAL;
}

const char *distribution_name(char text[UNITS_TEXT], const struct distribution_spec *spec)
{
	static const char *const names[] = {"uniform", "zipf", "seq"};

	if (spec->kind == DIST_ZIPF)
		snprintf(text, UNITS_TEXT, "zipf-%g", spec->theta);
	else
		snprintf(text, UNITS_TEXT, "%s", names[spec->kind]);
	return text;
}

int zipf_create(struct zipf *zipf, uint32_t items, double theta)
{
	double sum = 0;
	uint32_t i;

	zipf->items = items;
	zipf->cdf = malloc(items * sizeof(*zipf->cdf));
	if (!zipf->cdf)
		return -ENOMEM;
	for (i = 0; i < items; i++) {
		sum += pow(i + 1.0, -theta);
		zipf->cdf[i] = sum;
	}
	for (i = 0; i < items; i++)
		zipf->cdf[i] /= sum;
	return 0;
}

void zipf_destroy(struct zipf *zipf)
{
	free(zipf->cdf);
}

uint32_t zipf_sample(const struct zipf *zipf, struct rng *rng)
{
	double u = rng_unit(rng);
	uint32_t low = 0, high = zipf->items - 1;

	/* The first whose cumulative probability is above u. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (zipf->cdf[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

uint32_t zipf_scatter(uint32_t rank, uint32_t items)
{
	/* Near the golden section of `items`: steps of that size spread most evenly. */
	uint64_t factor = (uint64_t)(items * 0.6180339887498949) | 1;

	while (common_divisor(factor, items) != 1)
		factor += 2;
	return (uint32_t)(rank * factor % items);
}

int key_stream_create(struct key_stream *stream, const struct distribution_spec *spec,
		      uint32_t items, uint64_t seed)
{
	struct zipf zipf;
	struct rng rng;
	uint32_t i, *page;
	int error;

	*stream = (struct key_stream){.items = items, .spec = *spec};
	if (spec->kind != DIST_ZIPF || !items)
		return 0;
	error = zipf_create(&zipf, items, spec->theta);
	if (error)
		return error;
	stream->keys = malloc(KEY_STREAM * sizeof(*stream->keys));
	page = malloc(items * sizeof(*page));
	if (!stream->keys || !page) {
		error = -ENOMEM;
		free(stream->keys);
		goto out;
	}
	for (i = 0; i < items; i++)
		page[i] = zipf_scatter(i, items);
	rng_seed(&rng, seed, 0);
	for (i = 0; i < KEY_STREAM; i++)
		stream->keys[i] = page[zipf_sample(&zipf, &rng)];
out:
	free(page);
	zipf_destroy(&zipf);
	return error;
}

void key_stream_destroy(struct key_stream *stream)
{
	free(stream->keys);
}

void keys_start(struct keys *keys, const struct key_stream *stream, uint64_t seed, uint64_t number)
{
	keys->stream = stream->keys;
	keys->items = stream->items;
	keys->kind = stream->spec.kind;
	rng_seed(&keys->rng, seed, number);
	keys->at = rng_below(&keys->rng, keys->kind == DIST_ZIPF ? KEY_STREAM : keys->items);
}
