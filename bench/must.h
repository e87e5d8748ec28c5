/* SPDX-License-Identifier: MIT */
/* Memory without which nothing useful can follow: being out of it ends the program (exit 3). */
#ifndef BENCH_MUST_H
#define BENCH_MUST_H

#include <stdlib.h>

#include "say.h"

static inline void *must(void *memory)
{
	if (!memory) {
		complain("out of memory");
		exit(EXIT_RESOURCES);
	}
	return memory;
}

#endif
