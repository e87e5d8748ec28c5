/* SPDX-License-Identifier: MIT */
#include "guard.h"

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
static char alternate_stack[32 << 10];

/* The program ends here, and what it interrupts is the code under test: printing is safe enough. */
static void tick(int number)
{
	(void)number;
	if (rt.quiet || rt.run != last_run) {
		last_run = rt.run;
		seconds = 0;
		return;
	}
	if (++seconds < PATIENCE_SECONDS)
		return;
	printf("\nviolation of P1: %s runs in %s without ever reaching a scheduling point (%s)\n"
	       "0 passed, 1 failed\n",
	       trace_thread(rt.me), rt.self->operation, rt.subject->name);
	fflush(stdout);
	_exit(2);
}

/* Leaves the alternate stack for good, so the next signal may use it from the start. */
static void crash(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (rt.quiet) {
		signal(number, SIG_DFL);
		return;
	}
	rt_fail("R1", "%s crashes in %s: %s at address %p", trace_thread(rt.me), rt.self->operation,
		strsignal(number), info->si_addr);
}

static void set_timer(long interval)
{
	struct itimerval timer = {
		.it_interval.tv_sec = interval,
		.it_value.tv_sec = interval,
	};

	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

void guard_arm(void)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof(alternate_stack)};
	struct sigaction ticks = {.sa_handler = tick, .sa_flags = SA_RESTART};
	struct sigaction action = {
		.sa_sigaction = crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};

	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
	seconds = 0;
	sigaction(SIGVTALRM, &ticks, NULL);
	set_timer(1);
}

void guard_disarm(void)
{
	set_timer(0);
}
