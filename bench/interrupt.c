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

void interrupt_catch(void)
{
	struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool interrupt_seen(void)
{
	return seen;
}
