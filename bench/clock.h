/* SPDX-License-Identifier: MIT */
/* The two clocks of a measurement, in nanoseconds. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_wall_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* Time the calling thread has spent on a CPU. A system call: 0.1 to 0.5 us. */
static inline uint64_t clock_thread_cpu_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* The same, of all threads of the process. */
static inline uint64_t clock_process_cpu_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void clock_sleep_until_ns(uint64_t wall_ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(wall_ns / 1000000000u),
		.tv_nsec = (long)(wall_ns % 1000000000u),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

#endif
