/* SPDX-License-Identifier: MIT */
/* Random numbers cheap enough for a loop of a few nanoseconds. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

/*
 * xoroshiro128+ (Blackman, Vigna: "Scrambled linear pseudorandom number generators", 2018): about
 * one nanosecond. Its lowest bits are weak, so only high bits are handed out.
 */
struct rng {
	uint64_t s[2];
};

/* splitmix64: turns any seed, also a small one, into well mixed numbers. */
static inline uint64_t rng_mix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Streams of the same seed are independent of one another. */
static inline void rng_seed(struct rng *rng, uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;

	state = rng_mix(&state) ^ stream;
	rng->s[0] = rng_mix(&state);
	rng->s[1] = rng_mix(&state);
}

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t a = rng->s[0], b = rng->s[1], sum = a + b;

	b ^= a;
	rng->s[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
	rng->s[1] = (b << 37) | (b >> 27);
	return sum;
}

/* Even in 0..limit-1, limit > 0; the error of the multiplication is below limit / 2^32. */
static inline uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	return (uint32_t)(((rng_next(rng) >> 32) * limit) >> 32);
}

/* In [0, 1), all 53 bits of it. */
static inline double rng_unit(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* Every order equally likely (Fisher-Yates). */
static inline void rng_shuffle(struct rng *rng, uint32_t *values, uint32_t count)
{
	uint32_t i;

	for (i = count; i > 1; i--) {
		uint32_t j = rng_below(rng, i), keep = values[i - 1];

		values[i - 1] = values[j];
		values[j] = keep;
	}
}

#endif
