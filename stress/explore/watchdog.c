/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "runtime.h"
#include "trace.h"

#define PATIENCE_SECONDS 10

static uint32_t last_run;
static unsigned seconds;

/* The program ends here, and what it interrupts is the code under test: printing is safe enough. */
static void tick(int signal_number)
{
	(void)signal_number;
	if (rt.run != last_run) {
		last_run = rt.run;
		seconds = 0;
		return;
	}
	if (++seconds < PATIENCE_SECONDS)
		return;
	printf("violation of P1 in %s: %s runs in %s without ever reaching a scheduling point\n"
	       "0 passed, 1 failed\n",
	       rt.subject->name, trace_thread(rt.me), rt.self->operation);
	fflush(stdout);
	_exit(2);
}

static void set_timer(long interval)
{
	struct itimerval timer = {
		.it_interval.tv_sec = interval,
		.it_value.tv_sec = interval,
	};

	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

void watchdog_arm(void)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};

	seconds = 0;
	sigaction(SIGVTALRM, &action, NULL);
	set_timer(1);
}

void watchdog_disarm(void)
{
	set_timer(0);
}
