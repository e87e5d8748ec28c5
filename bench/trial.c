/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "embed.h"
#include "interrupt.h"
#include "machine.h"
#include "stats.h"

/* Everything of one trial that has to be undone. */
struct session {
	const struct trial_config *config;
	struct embed embed;
	struct trial trial;
	struct crew crew;
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

int trial_init(struct trial *trial, const struct trial_config *config)
{
	memset(trial, 0, sizeof(*trial));
	trial->workload = config->workload;
	trial->settings = config->settings;
	trial->format = config->format;
	trial->threads = config->threads;
	trial->counts = config->counts;
	trial->seed = config->seed;
	trial->prop = (PT_READ | PT_WRITE | PT_USER) & config->format->props;
	return trial_areas(config->workload, config->settings, config->format, config->threads,
			   trial);
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

void trial_verify(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
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

static void verify(struct session *s, struct pt_thread *self, struct finding *finding)
{
	trial_verify(&s->trial, self, finding);
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
	code = crew_run(&s->crew, finding);
	if (code)
		return code;
	if (interrupt_seen())
		return EXIT_SIGNAL;
	pt_pool_get_stats(s->embed.pool, &stats);
	result->node_bytes = stats.node_bytes;
	result->retired_bytes_max = stats.retired_bytes_max;
	while (result->nr_homes < HOMES_MOST &&
	       !pt_pool_get_home_stats(s->embed.pool, result->nr_homes,
				       &result->homes[result->nr_homes]))
		result->nr_homes++;
	result->steal_ms = machine_steal_ms() - steal_ms;
	registered(s, finding, verify);
	return finding->code;
}

static void sum_up_why(const struct session *s, struct trial_result *result)
{
	const struct pt_pool_stats *before = &s->crew.pool_before, *after = &s->crew.pool_after;
	static const struct pt_stats nothing;
	struct pt_stats all;
	unsigned i;

	for (i = 0; i < s->trial.threads; i++) {
		const struct worker *worker = &s->crew.workers[i];
		struct why *why = worker->background ? &result->background_why : &result->why;

		why->operations += worker->tally.operations;
		why_count(&why->counts, &nothing, &worker->tally.counts);
	}
	if (!pt_table_get_stats(s->trial.table, &all))
		result->why.counts.uncounted = all.uncounted;
	result->why.grace_periods = after->retired_chains - before->retired_chains;
	result->why.ns = s->crew.measured_ns;
	result->why.retired_bytes = after->retired_bytes;
	result->why.retired_bytes_max = after->retired_bytes_max;
}

static void sum_up(const struct session *s, struct trial_result *result)
{
	double rates[THREADS_MOST], wall_ns = 0, cpu_ns = 0, all_wall = 0, all_cpu = 0, phase = 0;
	unsigned i, counted = 0;

	for (i = 0; i < s->trial.threads; i++) {
		const struct worker *worker = &s->crew.workers[i];
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
	result->helper_cpu =
		((double)s->crew.process_cpu_ns - phase) / (double)(s->crew.measured_ns | 1);
	if (result->helper_cpu < 0)
		result->helper_cpu = 0;
}

static enum exit_code run_in_session(struct session *s, struct trial_result *result,
				     struct finding *finding)
{
	const struct trial_config *config = s->config;
	uint64_t leaked = 0;
	enum exit_code code;
	int error;

	code = embed_create(&s->embed, config->format, &config->contender, config->memory,
			    config->counts);
	if (code)
		return code;
	s->trial.table = s->embed.table;
	if (config->contender.strategy->node_locks)
		result->node_lock = pt_table_node_lock(s->embed.table);
	code = crew_create(&s->crew, &s->trial, config, s->embed.pool);
	if (!code) {
		code = run_and_verify(s, result, finding);
		/* A table that is wrong, or in use for ever, is not touched again. */
		if (finding->code)
			return code;
		if (!code)
			sum_up(s, result);
		if (!code && config->counts)
			sum_up_why(s, result);
		config->workload->release(&s->trial);
		crew_free(&s->crew);
	}
	error = embed_destroy(&s->embed, &leaked);
	if (error) {
		finding_set_call(finding, -1, 0, "destroying the table", error);
	} else if (leaked) {
		char bytes[32];

		snprintf(bytes, sizeof(bytes), "%" PRIu64, leaked);
		finding_set(finding, EXIT_VIOLATION, -1, 0, "bytes of nodes left at the end", "0",
			    bytes);
	}
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
	s->config = config;
	if (!trial_init(&s->trial, config))
		code = run_in_session(s, result, finding);
	/* After a finding threads may still use it. */
	if (!finding->code)
		free(s);
	return code;
}

void trial_explain(const struct trial_config *config, const struct finding *finding)
{
	char where[64] = "", lock[CONTENDER_NAME];

	if (finding->thread >= 0)
		snprintf(where, sizeof(where), " by thread %d", finding->thread);
	complain("%s: workload %s, strategy %s%s, format %s, %u thread%s",
		 finding->code == EXIT_VIOLATION ? "WRONG" : "failed", config->workload->name,
		 config->contender.strategy->name, contender_suffix(lock, &config->contender),
		 config->format->name, config->threads, config->threads > 1 ? "s" : "");
	complain("  %s%s at page 0x%" PRIx64, finding->what, where, finding->va);
	complain("  expected: %s", finding->expected);
	complain("  found:    %s", finding->found);
}
