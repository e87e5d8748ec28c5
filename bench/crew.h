/* SPDX-License-Identifier: MIT */
/* The threads of a trial: started, bound, led through the phases, joined. */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <pthread.h>

#include "trial.h"

struct crew {
	struct trial *trial;
	const struct trial_config *config;
	struct pt_pool *pool;
	struct worker *workers;
	pthread_t *ids;
	unsigned started;
	uint64_t measured_ns, process_cpu_ns; /* of the phase that is measured */
	struct pt_pool_stats pool_before, pool_after;
};

/* Prints what is wrong. */
enum exit_code crew_create(struct crew *crew, struct trial *trial,
			   const struct trial_config *config, struct pt_pool *pool);
void crew_free(struct crew *crew);

/* Until all have ended, or until finding->hang says that they do not. */
enum exit_code crew_run(struct crew *crew, struct finding *finding);

#endif
