/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* pthread_timedjoin_np */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"
#include "interrupt.h"
#include "machine.h"
#include "place.h"
#include "stats.h"
#include "trial.h"

/* Longer than any step takes, also under sanitizers: by then a thread waits for what never comes. */
#define HANG_NS UINT64_C(120000000000)
#define SLICE_NS UINT64_C(20000000)

/* What a worker needs before it can begin. */
struct trial_start {
	struct pt_pool *pool;
	const struct place *place;
	const struct trial_config *config;
};

/* Everything of one trial that has to be undone. */
struct session {
	struct trial_start start;
	struct embed embed;
	struct trial trial;
	struct worker *workers;
	pthread_t *ids;
	unsigned started;
	uint64_t measured_ns, process_cpu_ns;
};

int trial_areas(const struct workload *workload, const struct settings *settings,
		const struct pt_format_info *format, unsigned threads, struct trial *ret)
{
	struct area_needs needs;
	uint32_t pages;
	int error;

	workload->needs(settings, &needs);
	error = area_layout(format, &needs, threads, &ret->shared_area, ret->private_areas);
	if (error)
		return error;
	pages = ret->shared_area.pages;
	if (ret->private_areas[0].pages > pages)
		pages = ret->private_areas[0].pages;
	return frame_code_init(&ret->frames, format, threads, pages);
}

int trial_keys(const struct trial_config *config, uint64_t seed, struct key_stream *ret_shared,
	       struct key_stream *ret_private)
{
	static const struct distribution_spec uniform = {.kind = DIST_UNIFORM};
	const struct distribution_spec *given = &config->settings->dist;
	struct area_needs needs;
	struct area shared, private;
	int error;

	config->workload->needs(config->settings, &needs);
	error = area_layout(config->format, &needs, 1, &shared, &private);
	if (error)
		return error;
	error = key_stream_create(ret_shared, given, shared.pages, seed);
	if (error)
		return error;
	error = key_stream_create(ret_private, shared.pages ? &uniform : given, private.pages,
				  seed);
	if (error)
		key_stream_destroy(ret_shared);
	return error;
}

/* Streams of random numbers: two that pick pages, one for everything else. */
static void seed_worker(struct worker *worker)
{
	const struct trial *trial = worker->trial;
	const struct trial_config *config = worker->start->config;
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
	const struct workload *workload = worker->trial->workload;
	int error;

	worker->bind_error = place_bind(worker->start->place, worker->cpu);
	if (worker->bind_error == -ENOTSUP)
		worker->cpu = -1;
	error = pt_thread_register(worker->start->pool, &worker->self);
	if (error) {
		worker_fail_call(worker, 0, "pt_thread_register", error);
		return NULL;
	}
	seed_worker(worker);
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
static void wait_arrived(struct session *s, struct finding *finding)
{
	struct trial *trial = &s->trial;
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

static bool ends_early(struct session *s, const struct finding *finding)
{
	return finding->code || interrupt_seen() ||
	       atomic_load_explicit(&s->trial.failed, memory_order_acquire);
}

static void set_phase(struct session *s, enum phase phase)
{
	atomic_store_explicit(&s->trial.arrived, 0, memory_order_relaxed);
	atomic_store_explicit(&s->trial.phase, phase, memory_order_release);
}

/* In slices, so that a failure or a signal is noticed. */
static void sleep_for(struct session *s, uint64_t ns, const struct finding *finding)
{
	uint64_t now = clock_wall_ns(), end = now + ns;

	while (now < end && !ends_early(s, finding)) {
		clock_sleep_until_ns(now + SLICE_NS < end ? now + SLICE_NS : end);
		now = clock_wall_ns();
	}
}

static void run_phases(struct session *s, struct finding *finding)
{
	const struct trial_config *config = s->start.config;
	uint64_t start_ns, start_cpu_ns;

	wait_arrived(s, finding);
	if (ends_early(s, finding))
		return;
	set_phase(s, PHASE_WARMUP);
	sleep_for(s, config->warmup_ns, finding);
	wait_arrived(s, finding);
	if (ends_early(s, finding))
		return;
	set_phase(s, PHASE_MEASURE);
	wait_arrived(s, finding);
	start_ns = clock_wall_ns();
	start_cpu_ns = clock_process_cpu_ns();
	sleep_for(s, config->duration_ns, finding);
	s->process_cpu_ns = clock_process_cpu_ns() - start_cpu_ns;
	s->measured_ns = clock_wall_ns() - start_ns;
}

static enum exit_code start_threads(struct session *s)
{
	unsigned i;
	int error;

	for (i = 0; i < s->trial.threads; i++) {
		error = pthread_create(&s->ids[i], NULL, work, &s->workers[i]);
		if (error) {
			complain("cannot start thread %u: %s", i, strerror(error));
			return EXIT_RESOURCES;
		}
		s->started++;
	}
	return EXIT_FINE;
}

static void join_threads(struct session *s, struct finding *finding)
{
	struct timespec end;
	unsigned i;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += HANG_NS / 1000000000u;
	for (i = 0; i < s->started && !finding->hang; i++)
		if (pthread_timedjoin_np(s->ids[i], NULL, &end))
			report_hang(finding);
	for (i = 0; i < s->started && !finding->hang; i++)
		if (s->workers[i].finding.code && !finding->code)
			*finding = s->workers[i].finding;
}

static enum exit_code check_binding(const struct session *s)
{
	unsigned i;

	for (i = 0; i < s->started; i++) {
		const struct worker *worker = &s->workers[i];

		if (worker->bind_error && worker->bind_error != -ENOTSUP) {
			complain("cannot bind thread %u to CPU %d: %s", i, worker->cpu,
				 strerror(-worker->bind_error));
			return EXIT_UNSUPPORTED;
		}
	}
	return EXIT_FINE;
}

static enum exit_code run_threads(struct session *s, struct finding *finding)
{
	enum exit_code code = start_threads(s);

	if (!code)
		run_phases(s, finding);
	set_phase(s, PHASE_STOP);
	if (!finding->hang)
		join_threads(s, finding);
	if (!code && !finding->hang)
		code = check_binding(s);
	return finding->code ? finding->code : code;
}

/* S1, and the table against the workload's model. */
static void verify(struct session *s, struct pt_thread *self, struct finding *finding)
{
	struct trial *trial = &s->trial;
	struct pt_check_report report;
	uint64_t mapped;
	char expected[32], found[32];
	int error;

	error = pt_check(self, trial->table, &report);
	if (error)
		finding_set_call(finding, -1, 0, "pt_check", error);
	else if (report.violation)
		finding_set(finding, EXIT_VIOLATION, -1, report.va, "pt_check (S1)", "right shape",
			    report.violation);
	if (finding->code)
		return;
	mapped = trial->workload->verify(trial, self, finding);
	if (mapped == report.mapped_bytes)
		return;
	snprintf(expected, sizeof(expected), "%" PRIu64 " bytes", mapped);
	snprintf(found, sizeof(found), "%" PRIu64 " bytes", report.mapped_bytes);
	finding_set(finding, EXIT_VIOLATION, -1, 0, "all that is mapped", expected, found);
}

/* Call `step` on a thread that is registered meanwhile. */
static void registered(struct session *s, struct finding *finding,
		       void (*step)(struct session *s, struct pt_thread *self,
				    struct finding *finding))
{
	struct pt_thread *self;
	int error = pt_thread_register(s->embed.pool, &self);

	if (error) {
		finding_set_call(finding, -1, 0, "pt_thread_register", error);
		return;
	}
	step(s, self, finding);
	error = pt_thread_unregister(self);
	if (error)
		finding_set_call(finding, -1, 0, "pt_thread_unregister", error);
}

static void prepare(struct session *s, struct pt_thread *self, struct finding *finding)
{
	if (s->trial.workload->prepare)
		s->trial.workload->prepare(&s->trial, self, finding);
}

static enum exit_code run_and_verify(struct session *s, struct trial_result *result,
				     struct finding *finding)
{
	uint64_t steal_ms = machine_steal_ms();
	struct pt_pool_stats stats;
	enum exit_code code;

	registered(s, finding, prepare);
	if (finding->code)
		return finding->code;
	code = run_threads(s, finding);
	if (code)
		return code;
	if (interrupt_seen())
		return EXIT_SIGNAL;
	pt_pool_get_stats(s->embed.pool, &stats);
	result->node_bytes = stats.node_bytes;
	result->retired_bytes_max = stats.retired_bytes_max;
	result->steal_ms = machine_steal_ms() - steal_ms;
	registered(s, finding, verify);
	return finding->code;
}

static void sum_up(const struct session *s, struct trial_result *result)
{
	double rates[THREADS_MOST], wall_ns = 0, cpu_ns = 0, all_wall = 0, all_cpu = 0, phase = 0;
	unsigned i, counted = 0;

	for (i = 0; i < s->trial.threads; i++) {
		const struct worker *worker = &s->workers[i];
		const struct tally *tally = &worker->tally;
		double rate = (double)tally->operations * 1e9 / (double)(tally->wall_ns | 1);

		result->threads[i] = (struct thread_result){
			worker->background,
			worker->cpu,
			worker->moved,
			*tally,
		};
		all_wall += (double)tally->wall_ns;
		all_cpu += (double)tally->cpu_ns;
		phase += (double)tally->all_cpu_ns;
		if (worker->background) {
			result->background_ops_per_second += rate;
			continue;
		}
		rates[counted++] = rate;
		result->ops_per_second += rate;
		result->operations += tally->operations;
		wall_ns += (double)tally->wall_ns;
		cpu_ns += (double)tally->cpu_ns;
	}
	result->wall_ns_per_op = wall_ns / (double)(result->operations | !result->operations);
	result->cpu_ns_per_op = cpu_ns / (double)(result->operations | !result->operations);
	result->cpu_over_wall = all_wall > 0 ? all_cpu / all_wall : 0;
	result->fairness = stats_fairness(rates, counted);
	result->jain = stats_jain(rates, counted);
	result->helper_cpu = ((double)s->process_cpu_ns - phase) / (double)(s->measured_ns | 1);
	if (result->helper_cpu < 0)
		result->helper_cpu = 0;
}

static enum exit_code allocate(struct session *s, const struct trial_config *config)
{
	unsigned threads = config->threads, i;
	int plan[THREADS_MOST];

	s->workers = aligned_alloc(alignof(struct worker), threads * sizeof(*s->workers));
	s->ids = calloc(threads, sizeof(*s->ids));
	if (!s->workers || !s->ids || place_plan(config->place, threads, plan)) {
		complain("cannot plan %u threads: out of memory", threads);
		return EXIT_RESOURCES;
	}
	memset(s->workers, 0, threads * sizeof(*s->workers));
	for (i = 0; i < threads; i++) {
		s->workers[i].trial = &s->trial;
		s->workers[i].table = s->embed.table;
		s->workers[i].start = &s->start;
		s->workers[i].index = i;
		s->workers[i].cpu = plan[i];
	}
	return EXIT_FINE;
}

static enum exit_code run_in_session(struct session *s, struct trial_result *result,
				     struct finding *finding)
{
	const struct trial_config *config = s->start.config;
	enum exit_code code;
	int error;

	code = embed_create(&s->embed, config->format, config->strategy, 0);
	if (code)
		return code;
	s->trial.table = s->embed.table;
	s->start.pool = s->embed.pool;
	code = allocate(s, config);
	if (!code)
		code = run_and_verify(s, result, finding);
	/* A table that is wrong, or in use for ever, is not touched again. */
	if (finding->code)
		return code;
	sum_up(s, result);
	config->workload->release(&s->trial);
	error = embed_destroy(&s->embed);
	if (error)
		finding_set_call(finding, -1, 0, "destroying the table", error);
	return finding->code ? finding->code : code;
}

enum exit_code trial_run(const struct trial_config *config, struct trial_result *result,
			 struct finding *finding)
{
	struct session *s = aligned_alloc(alignof(struct session), sizeof(*s));
	enum exit_code code = EXIT_USAGE;

	memset(result, 0, sizeof(*result));
	memset(finding, 0, sizeof(*finding));
	if (!s)
		return EXIT_RESOURCES;
	memset(s, 0, sizeof(*s));
	s->start.config = config;
	s->start.place = config->place;
	s->trial.workload = config->workload;
	s->trial.settings = config->settings;
	s->trial.format = config->format;
	s->trial.threads = config->threads;
	s->trial.seed = config->seed;
	s->trial.prop = (PT_READ | PT_WRITE | PT_USER) & config->format->props;
	if (!trial_areas(config->workload, config->settings, config->format, config->threads,
			 &s->trial))
		code = run_in_session(s, result, finding);
	if (finding->code)
		return code;
	free(s->workers);
	free(s->ids);
	free(s);
	return code;
}

void trial_explain(const struct trial_config *config, const struct finding *finding)
{
	char where[64] = "";

	if (finding->thread >= 0)
		snprintf(where, sizeof(where), " by thread %d", finding->thread);
	complain("%s: workload %s, strategy %s, format %s, %u thread%s",
		 finding->code == EXIT_VIOLATION ? "WRONG" : "failed", config->workload->name,
		 config->strategy->name, config->format->name, config->threads,
		 config->threads > 1 ? "s" : "");
	complain("  %s%s at page 0x%" PRIx64, finding->what, where, finding->va);
	complain("  expected: %s", finding->expected);
	complain("  found:    %s", finding->found);
}
