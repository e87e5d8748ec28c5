/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stddef.h>

#include "interrupt.h"

static volatile sig_atomic_t seen;

static void note(int number)
{
	(void)number;
	seen = 1;
}

void interrupt_catch_also(int number)
{
	struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESETHAND};

	sigaction(number, &action, NULL);
}

void interrupt_catch(void)
{
	interrupt_catch_also(SIGINT);
	interrupt_catch_also(SIGTERM);
}

bool interrupt_seen(void)
{
	return seen;
}
