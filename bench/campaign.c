/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "must.h"
#include "place.h"

static void add_configuration(struct campaign *c, const struct contender *contender,
			      unsigned threads)
{
	const struct run_options *o = c->options;
	struct configuration *new = &c->configurations[c->count++];
	char settings[128], lock[CONTENDER_NAME];

	settings_print(settings, sizeof(settings), &c->variant->settings,
		       c->variant->workload->settings, SETTINGS_NAME);
	snprintf(new->name, sizeof(new->name), "%s%s/strategy:%s/format:%s%s/threads:%u",
		 c->variant->workload->name, settings, contender->strategy->name, o->format->name,
		 contender_suffix(lock, contender), threads);
	new->workload = c->variant->workload->name;
	new->contender = contender;
	new->threads = threads;
	new->repetitions = must(calloc(o->repetitions, sizeof(*new->repetitions)));
	new->rows = must(calloc(o->repetitions, sizeof(*new->rows)));
}

void campaign_init(struct campaign *campaign, const struct run_options *options, unsigned number)
{
	size_t most = options->thread_count * options->contenders.count, t, s;

	*campaign = (struct campaign){
		.options = options,
		.variant = &options->variants[number],
		.number = number,
	};
	campaign->configurations = must(calloc(most + 1, sizeof(*campaign->configurations)));
	for (t = 0; t < options->thread_count; t++) {
		unsigned threads = options->threads[t];

		if (threads < campaign->variant->workload->min_threads) {
			campaign->too_few = threads;
			continue;
		}
		for (s = 0; s < options->contenders.count; s++) {
			const struct contender *contender = &options->contenders.items[s];

			if (contender->strategy->isolation == PT_ISOLATION_NONE && threads > 1)
				campaign->single_only = true;
			else
				add_configuration(campaign, contender, threads);
		}
	}
}

void campaign_free(struct campaign *campaign)
{
	size_t i, r;

	for (i = 0; i < campaign->count; i++) {
		struct configuration *configuration = &campaign->configurations[i];

		for (r = 0; r < configuration->count; r++)
			json_decref(configuration->rows[r].more);
		free(configuration->repetitions);
		free(configuration->rows);
	}
	free(campaign->configurations);
}

/* One command line that runs this configuration alone, with the same random numbers. */
static void print_command(const struct campaign *c, const struct configuration *configuration)
{
	const struct run_options *o = c->options;
	char settings[256], warmup[UNITS_TEXT], duration[UNITS_TEXT], lock[CONTENDER_NAME];

	settings_print(settings, sizeof(settings), &c->variant->settings,
		       c->variant->workload->settings, SETTINGS_COMMAND);
	complain("  repeat:   ptbench run --workload %s%s --strategy %s%s --format %s --threads %u "
		 "--place %s --node-memory %s --warmup %s --duration %s --reps %u --seed %llu",
		 c->variant->workload->name, settings, configuration->contender->strategy->name,
		 contender_option(lock, configuration->contender), o->format->name,
		 configuration->threads, o->place, o->node_memory,
		 format_duration(warmup, o->warmup_ns), format_duration(duration, o->duration_ns),
		 o->repetitions, (unsigned long long)o->seed);
}

static json_t *threads_json(const struct trial_result *result, unsigned threads)
{
	json_t *list = json_must(json_array());
	unsigned i;

	for (i = 0; i < threads; i++) {
		const struct thread_result *t = &result->threads[i];

		json_array_append_new(
			list, json_must(json_pack("{s:I, s:I, s:I, s:b, s:i, s:b, s:I, s:I}", "ops",
						  (json_int_t)t->tally.operations, "wall_ns",
						  (json_int_t)t->tally.wall_ns, "cpu_ns",
						  (json_int_t)t->tally.cpu_ns, "background",
						  t->background, "cpu", t->cpu, "moved", t->moved,
						  "nvcsw", (json_int_t)t->tally.slept, "nivcsw",
						  (json_int_t)t->tally.preempted)));
	}
	return list;
}

static json_t *operations_json(const struct trial_result *result, unsigned threads)
{
	json_t *object = json_must(json_object());
	unsigned op, i;

	for (op = 0; op < OP_NR; op++) {
		uint64_t done = 0, effective = 0;

		for (i = 0; i < threads; i++) {
			done += result->threads[i].tally.done[op];
			effective += result->threads[i].tally.effective[op];
		}
		json_object_set_new(object, operation_names[op],
				    json_must(json_pack("{s:I, s:I}", "n", (json_int_t)done,
							"effective", (json_int_t)effective)));
	}
	return object;
}

static json_t *homes_json(const struct trial_result *result)
{
	json_t *list = json_must(json_array());
	unsigned i;

	for (i = 0; i < result->nr_homes; i++) {
		const struct pt_home_stats *home = &result->homes[i];

		json_array_append_new(
			list, json_must(json_pack("{s:I, s:I, s:I}", "node_bytes",
						  (json_int_t)home->node_bytes, "strayed_bytes",
						  (json_int_t)home->strayed_bytes, "chunk_bytes",
						  (json_int_t)home->chunk_bytes)));
	}
	return list;
}

static json_t *details_json(const struct campaign *c, const struct configuration *configuration,
			    const struct trial_result *result, unsigned block, unsigned order)
{
	json_t *more = json_must(json_pack(
		"{s:s?, s:i, s:i, s:b, s:f, s:f, s:f, s:I, s:f, s:b, s:o}", "node_lock",
		result->node_lock, "block", (int)block, "order", (int)order, "clean",
		result->cpu_over_wall >= UNDISTURBED, "cpu_over_wall", result->cpu_over_wall,
		"jain", result->jain, "helper_cpus", result->helper_cpu, "steal_ms",
		(json_int_t)result->steal_ms, "background_items_per_second",
		result->background_ops_per_second, "verified", 1, "per_thread",
		threads_json(result, configuration->threads)));

	json_object_set_new(more, "homes", homes_json(result));
	if (c->options->why)
		json_object_set_new(more, "why", why_json(&result->why));
	if (result->background_why.operations)
		json_object_set_new(more, "background_why", why_json(&result->background_why));
	if (c->variant->workload->settings & SETTING_MIX)
		json_object_set_new(more, "ops", operations_json(result, configuration->threads));
	return more;
}

static void record(struct campaign *c, struct configuration *configuration,
		   const struct trial_result *result, unsigned block, unsigned order)
{
	const struct contender_list *contenders = &c->options->contenders;
	size_t r = configuration->count++;

	configuration->repetitions[r] = (struct repetition){
		.ops_per_second = result->ops_per_second,
		.background_ops_per_second = result->background_ops_per_second,
		.wall_ns_per_op = result->wall_ns_per_op,
		.cpu_ns_per_op = result->cpu_ns_per_op,
		.cpu_over_wall = result->cpu_over_wall,
		.fairness = result->fairness,
	};
	configuration->rows[r] = (struct result_row){
		.name = configuration->name,
		.family = (unsigned)(c->number * contenders->count +
				     (size_t)(configuration->contender - contenders->items)),
		.instance = configuration->threads,
		.repetitions = c->options->repetitions,
		.repetition = (unsigned)r,
		.threads = configuration->threads,
		.operations = result->operations,
		.wall_ns_per_op = result->wall_ns_per_op,
		.cpu_ns_per_op = result->cpu_ns_per_op,
		.ops_per_second = result->ops_per_second,
		.fairness = result->fairness,
		.node_bytes = result->node_bytes,
		.retired_bytes_max = result->retired_bytes_max,
		.more = details_json(c, configuration, result, block, order),
	};
	if (result->node_bytes > configuration->node_bytes)
		configuration->node_bytes = result->node_bytes;
	if (result->retired_bytes_max > configuration->retired_bytes_max)
		configuration->retired_bytes_max = result->retired_bytes_max;
	why_add(&configuration->why, &result->why);
	why_add(&configuration->background_why, &result->background_why);
}

static enum exit_code run_one(struct campaign *c, struct configuration *configuration,
			      struct trial_config *trial, unsigned block, unsigned order)
{
	struct trial_result *result = must(malloc(sizeof(*result)));
	struct finding finding;
	enum exit_code code;

	trial->contender = *configuration->contender;
	trial->threads = configuration->threads;
	code = trial_run(trial, result, &finding);
	if (!code)
		record(c, configuration, result, block, order);
	free(result);
	if (finding.code) {
		trial_explain(trial, &finding);
		print_command(c, configuration);
	}
	return code;
}

static enum exit_code run_block(struct campaign *c, struct trial_config *trial, unsigned block,
				campaign_progress *progress, void *ctx)
{
	uint32_t *order = must(calloc(c->count + 1, sizeof(*order))), i;
	enum exit_code code = EXIT_FINE;
	struct rng rng;

	for (i = 0; i < c->count; i++)
		order[i] = i;
	/*
	 * The same numbers for all strategies and others in each repetition, whatever else is run:
	 * so a repetition can be run again alone.
	 */
	rng_seed(&rng, c->options->seed, block);
	trial->seed = rng_next(&rng);
	rng_shuffle(&rng, order, (uint32_t)c->count);
	for (i = 0; !code && i < c->count; i++) {
		struct configuration *next = &c->configurations[order[i]];

		progress(ctx, next);
		code = run_one(c, next, trial, block, i);
	}
	free(order);
	return code;
}

enum exit_code campaign_run(struct campaign *campaign, const struct place *place,
			    struct node_memory *memory, campaign_progress *progress, void *ctx)
{
	const struct run_options *o = campaign->options;
	struct key_stream shared_keys, private_keys;
	struct trial_config trial = {
		.workload = campaign->variant->workload,
		.settings = &campaign->variant->settings,
		.format = o->format,
		.place = place,
		.memory = memory,
		.shared_keys = &shared_keys,
		.private_keys = &private_keys,
		.counts = o->why,
		.warmup_ns = o->warmup_ns,
		.duration_ns = o->duration_ns,
	};
	enum exit_code code = EXIT_FINE;
	unsigned block;

	if (trial_keys(&trial, o->seed, &shared_keys, &private_keys))
		return EXIT_RESOURCES;
	for (block = 0; !code && block < o->repetitions; block++)
		code = run_block(campaign, &trial, block, progress, ctx);
	key_stream_destroy(&shared_keys);
	key_stream_destroy(&private_keys);
	return code;
}

static double figure_of(const struct repetition *r, enum figure figure)
{
	switch (figure) {
	case FIGURE_OPS:
		return r->ops_per_second;
	case FIGURE_BACKGROUND_OPS:
		return r->background_ops_per_second;
	case FIGURE_WALL:
		return r->wall_ns_per_op;
	case FIGURE_CPU:
		return r->cpu_ns_per_op;
	case FIGURE_CPU_OVER_WALL:
		return r->cpu_over_wall;
	case FIGURE_FAIRNESS:
		return r->fairness;
	}
	return 0;
}

struct summary campaign_summary(const struct configuration *configuration, enum figure figure)
{
	double *values = must(calloc(configuration->count + 1, sizeof(*values)));
	struct summary summary;
	size_t r;

	for (r = 0; r < configuration->count; r++)
		values[r] = figure_of(&configuration->repetitions[r], figure);
	summary = stats_summarize(values, configuration->count);
	free(values);
	return summary;
}

size_t campaign_disturbed(const struct configuration *configuration)
{
	size_t disturbed = 0, r;

	for (r = 0; r < configuration->count; r++)
		disturbed += configuration->repetitions[r].cpu_over_wall < UNDISTURBED;
	return disturbed;
}

const struct configuration *campaign_find(const struct campaign *campaign,
					  const struct pt_strategy_info *strategy, unsigned threads)
{
	size_t i;

	for (i = 0; i < campaign->count; i++)
		if (campaign->configurations[i].contender->strategy == strategy &&
		    campaign->configurations[i].threads == threads)
			return &campaign->configurations[i];
	return NULL;
}
