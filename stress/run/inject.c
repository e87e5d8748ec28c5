/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <stdbool.h>

#include "clock.h"
#include "inject.h"
#include "port.h"
#include "random.h"

static struct inject how;
static uint64_t fill;

static _Thread_local struct {
	bool on;
	struct rng rng;
} mine;

void inject_configure(const struct inject *inject, uint64_t garbage)
{
	how = *inject;
	fill = garbage;
}

void inject_thread(uint64_t seed, uint64_t stream)
{
	rng_seed(&mine.rng, seed, stream);
	mine.on = how.yield || how.delay;
}

void inject_thread_off(void)
{
	mine.on = false;
}

static void be_late(void)
{
	uint64_t until = clock_wall_ns() + rng_below(&mine.rng, (uint32_t)how.delay_ns);

	while (clock_wall_ns() < until)
		;
}

static __attribute__((noinline)) void disturb(void)
{
	if (how.yield && !rng_below(&mine.rng, how.yield))
		sched_yield();
	if (how.delay && !rng_below(&mine.rng, how.delay))
		be_late();
}

void inject_here(void)
{
	if (__builtin_expect(mine.on, 0))
		disturb();
}

void port_point(enum port_point point)
{
	(void)point;
	inject_here();
}

void port_freed(void *memory, size_t bytes)
{
	uint64_t *word = memory;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		word[i] = fill;
}
