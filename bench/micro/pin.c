/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>

#include "must.h"
#include "pin.h"
#include "place.h"

/* Made by the first caller of pin_cpus(), before any thread is bound. */
static struct place *place;

unsigned pin_cpus(void)
{
	if (!place && place_create("scatter", &place))
		exit(EXIT_RESOURCES);
	return place_cpus(place);
}

void pin(unsigned index, cpu_set_t *ret_before)
{
	unsigned cpus = pin_cpus();
	int *plan = must(calloc(cpus, sizeof(*plan)));

	CPU_ZERO(ret_before);
	/* A thread that cannot be bound is measured all the same, only less well. */
	if (pthread_getaffinity_np(pthread_self(), sizeof(*ret_before), ret_before) ||
	    place_plan(place, cpus, plan) || place_bind(place, plan[index % cpus]))
		warn("thread %u is not bound to a CPU", index);
	free(plan);
}

void unpin(const cpu_set_t *before)
{
	if (CPU_COUNT(before))
		pthread_setaffinity_np(pthread_self(), sizeof(*before), before);
}
