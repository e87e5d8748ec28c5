/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* pthread_timedjoin_np */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "interrupt.h"
#include "place.h"

/* Longer than any step takes, also under sanitizers: by then a thread waits for what never comes. */
#define HANG_NS UINT64_C(120000000000)
#define SLICE_NS UINT64_C(20000000)

/* Streams of random numbers: two that pick pages, one for everything else. */
static void seed_worker(struct worker *worker)
{
	const struct trial *trial = worker->trial;
	const struct trial_config *config = worker->crew->config;
	uint64_t number = 4 * (uint64_t)worker->index;

	rng_seed(&worker->rng, trial->seed, number);
	if (trial->shared_area.pages)
		keys_start(&worker->shared_keys, config->shared_keys, trial->seed, number + 1);
	if (trial->private_areas[0].pages)
		keys_start(&worker->private_keys, config->private_keys, trial->seed, number + 2);
}

/* Meanwhile announce quiescence: others may wait for a grace period. */
static void wait_for_start(struct worker *worker)
{
	struct trial *trial = worker->trial;

	atomic_fetch_add_explicit(&trial->arrived, 1, memory_order_release);
	while (atomic_load_explicit(&trial->phase, memory_order_acquire) == PHASE_READY) {
		pt_thread_quiescent(worker->self);
		sched_yield();
	}
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	const struct trial_config *config = worker->crew->config;
	const struct workload *workload = worker->trial->workload;
	unsigned home = 0;
	int error;

	if (config->memory)
		home = place_home(config->place, worker->cpu);
	worker->bind_error = place_bind(config->place, worker->cpu);
	if (worker->bind_error == -ENOTSUP)
		worker->cpu = -1;
	error = pt_thread_register(worker->crew->pool, &worker->self);
	if (error) {
		worker_fail_call(worker, 0, "pt_thread_register", error);
		return NULL;
	}
	error = pt_thread_set_home(worker->self, home);
	if (error)
		worker_fail_call(worker, 0, "pt_thread_set_home", error);
	seed_worker(worker);
	worker_calibrate(worker);
	if (workload->enter)
		workload->enter(worker);
	if (!worker->finding.code) {
		wait_for_start(worker);
		workload->run(worker);
	}
	worker->moved = !place_is_on(worker->cpu);
	error = pt_thread_unregister(worker->self);
	if (error)
		worker_fail_call(worker, 0, "pt_thread_unregister", error);
	return NULL;
}

static void report_hang(struct finding *finding)
{
	finding_set(finding, EXIT_VIOLATION, -1, 0, "waiting for the threads", "an end",
		    "none within two minutes: deadlock or livelock (P1)");
	finding->hang = true;
}

/* Until all threads have seen the phase, or one has failed. */
static void wait_arrived(struct crew *crew, struct finding *finding)
{
	struct trial *trial = crew->trial;
	uint64_t end = clock_wall_ns() + HANG_NS;

	while (atomic_load_explicit(&trial->arrived, memory_order_acquire) < trial->threads) {
		uint64_t now = clock_wall_ns();

		if (atomic_load_explicit(&trial->failed, memory_order_acquire) || interrupt_seen())
			return;
		if (now > end) {
			report_hang(finding);
			return;
		}
		clock_sleep_until_ns(now + 50000);
	}
}

static bool ends_early(struct crew *crew, const struct finding *finding)
{
	return finding->code || interrupt_seen() ||
	       atomic_load_explicit(&crew->trial->failed, memory_order_acquire);
}

static void set_phase(struct crew *crew, enum phase phase)
{
	atomic_store_explicit(&crew->trial->arrived, 0, memory_order_relaxed);
	atomic_store_explicit(&crew->trial->phase, phase, memory_order_release);
}

/* In slices, so that a failure or a signal is noticed. */
static void sleep_for(struct crew *crew, uint64_t ns, const struct finding *finding)
{
	uint64_t now = clock_wall_ns(), end = now + ns;

	while (now < end && !ends_early(crew, finding)) {
		clock_sleep_until_ns(now + SLICE_NS < end ? now + SLICE_NS : end);
		now = clock_wall_ns();
	}
}

static void run_phases(struct crew *crew, struct finding *finding)
{
	const struct trial_config *config = crew->config;
	uint64_t start_ns, start_cpu_ns;

	wait_arrived(crew, finding);
	if (ends_early(crew, finding))
		return;
	set_phase(crew, PHASE_WARMUP);
	sleep_for(crew, config->warmup_ns, finding);
	wait_arrived(crew, finding);
	if (ends_early(crew, finding))
		return;
	set_phase(crew, PHASE_MEASURE);
	wait_arrived(crew, finding);
	pt_pool_get_stats(crew->pool, &crew->pool_before);
	start_ns = clock_wall_ns();
	start_cpu_ns = clock_process_cpu_ns();
	sleep_for(crew, config->duration_ns, finding);
	crew->process_cpu_ns = clock_process_cpu_ns() - start_cpu_ns;
	crew->measured_ns = clock_wall_ns() - start_ns;
	pt_pool_get_stats(crew->pool, &crew->pool_after);
}

static enum exit_code start_threads(struct crew *crew)
{
	unsigned i;
	int error;

	for (i = 0; i < crew->trial->threads; i++) {
		error = pthread_create(&crew->ids[i], NULL, work, &crew->workers[i]);
		if (error) {
			complain("cannot start thread %u: %s", i, strerror(error));
			return EXIT_RESOURCES;
		}
		crew->started++;
	}
	return EXIT_FINE;
}

static void join_threads(struct crew *crew, struct finding *finding)
{
	struct timespec end;
	unsigned i;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += HANG_NS / 1000000000u;
	for (i = 0; i < crew->started && !finding->hang; i++)
		if (pthread_timedjoin_np(crew->ids[i], NULL, &end))
			report_hang(finding);
	for (i = 0; i < crew->started && !finding->hang; i++)
		if (crew->workers[i].finding.code && !finding->code)
			*finding = crew->workers[i].finding;
}

static enum exit_code check_binding(const struct crew *crew)
{
	unsigned i;

	for (i = 0; i < crew->started; i++) {
		const struct worker *worker = &crew->workers[i];

		if (worker->bind_error && worker->bind_error != -ENOTSUP) {
			complain("cannot bind thread %u to CPU %d: %s", i, worker->cpu,
				 strerror(-worker->bind_error));
			return EXIT_UNSUPPORTED;
		}
	}
	return EXIT_FINE;
}

enum exit_code crew_run(struct crew *crew, struct finding *finding)
{
	enum exit_code code = start_threads(crew);

	if (!code)
		run_phases(crew, finding);
	set_phase(crew, PHASE_STOP);
	if (!finding->hang)
		join_threads(crew, finding);
	if (!code && !finding->hang)
		code = check_binding(crew);
	return finding->code ? finding->code : code;
}

void crew_free(struct crew *crew)
{
	free(crew->workers);
	free(crew->ids);
}

enum exit_code crew_create(struct crew *crew, struct trial *trial,
			   const struct trial_config *config, struct pt_pool *pool)
{
	unsigned threads = config->threads, i;
	int plan[THREADS_MOST];

	*crew = (struct crew){.trial = trial, .config = config, .pool = pool};
	crew->workers = aligned_alloc(alignof(struct worker), threads * sizeof(*crew->workers));
	crew->ids = calloc(threads, sizeof(*crew->ids));
	if (!crew->workers || !crew->ids || place_plan(config->place, threads, plan)) {
		complain("cannot plan %u threads: out of memory", threads);
		crew_free(crew);
		return EXIT_RESOURCES;
	}
	memset(crew->workers, 0, threads * sizeof(*crew->workers));
	for (i = 0; i < threads; i++) {
		crew->workers[i].trial = trial;
		crew->workers[i].table = trial->table;
		crew->workers[i].crew = crew;
		crew->workers[i].index = i;
		crew->workers[i].cpu = plan[i];
	}
	return EXIT_FINE;
}
