/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <execinfo.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "verdict.h"
#include "watchdog.h"

#define FRAMES 40
#define SIGNAL SIGUSR1
#define LOOK_NS UINT64_C(50000000)

static _Atomic unsigned printed;

static void print_stack(int number)
{
	void *frames[FRAMES];
	int n = backtrace(frames, FRAMES);

	(void)number;
	backtrace_symbols_fd(frames, n, STDOUT_FILENO);
	atomic_fetch_add(&printed, 1);
}

void watchdog_start(struct watchdog *d, uint64_t stall_ns)
{
	struct sigaction action = {.sa_handler = print_stack, .sa_flags = SA_RESTART};
	void *frame[1];

	memset(d, 0, sizeof(*d));
	d->stall_ns = stall_ns;
	/* The first call loads a library, for which a signal handler is no place. */
	if (backtrace(frame, 1) >= 0)
		sigaction(SIGNAL, &action, NULL);
}

static void print_stacks(struct arena *a)
{
	for (unsigned i = 0; i < a->nr_workers; i++) {
		unsigned before = atomic_load(&printed);
		const struct op *op = &a->workers[i].op;

		printf("thread %u, in operation %" PRIu64 " (%s%s%s, pages %u..%u):\n", i,
		       op->number, op_names[op->kind], op->step ? ": " : "",
		       op->step ? op->step : "", op->from, op->to);
		fflush(stdout);
		if (pthread_kill(a->workers[i].id, SIGNAL))
			continue;
		for (unsigned n = 0; n < 500 && atomic_load(&printed) == before; n++)
			clock_sleep_until_ns(clock_wall_ns() + 1000000);
		if (atomic_load(&printed) == before)
			printf("  does not answer\n");
	}
}

/* Since the last look; if nobody ran for long, not even this thread, the machine has stood still. */
static uint64_t time_passed(struct watchdog *d)
{
	uint64_t now = clock_wall_ns();
	uint64_t passed = d->looked_ns ? now - d->looked_ns : 0;

	d->looked_ns = now;
	return passed < LOOK_NS ? passed : LOOK_NS;
}

bool watchdog_look(struct watchdog *d, struct arena *a, uint64_t phase)
{
	uint64_t passed = time_passed(d);

	for (unsigned i = 0; i < a->nr_workers; i++) {
		struct worker *w = &a->workers[i];
		uint64_t ops = atomic_load_explicit(&w->ops, memory_order_relaxed) + 1;

		d->stalled_ns[i] += passed;
		if (ops != d->seen[i] ||
		    atomic_load_explicit(&w->parked, memory_order_relaxed) == phase) {
			d->seen[i] = ops;
			d->stalled_ns[i] = 0;
		} else if (d->stalled_ns[i] > d->stall_ns) {
			print_stacks(a);
			verdict_fail("P1", 0,
				     "thread %u has made no progress for %.1f s: deadlock or "
				     "livelock",
				     i, (double)d->stalled_ns[i] / 1e9);
			return false;
		}
	}
	return true;
}
