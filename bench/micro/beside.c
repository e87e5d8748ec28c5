/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "beside.h"
#include "clock.h"
#include "kernels.h"
#include "must.h"
#include "pin.h"

#define TOGGLES (1024 * 1000)
#define QUERIES 2000000

/* ----------------------------------------------------------------------- a second thread -- */

struct beside {
	struct subject *subject;
	const struct kernel *kernel; /* what the first thread does */
	uint64_t operations;
	_Atomic bool running, stop; /* the second thread */
};

static void *second_thread(void *context)
{
	struct beside *beside = context;
	struct subject *copy = must(calloc(1, sizeof(*copy)));
	cpu_set_t before;
	int error;

	copy->name = beside->subject->name;
	copy->table = beside->subject->table;
	memcpy(copy->order, beside->subject->order, sizeof(copy->order));
	pin(1, &before);
	error = pt_thread_register(beside->subject->pool, &copy->self);
	if (error)
		subject_wrong(copy, "pt_thread_register", 0, error);
	do {
		/* The leaf table of thread 0 is the first thread's, that of 1 belongs to protect. */
		kernel_toggle(copy, 2, 2 * FLOOR_SLOTS);
		atomic_store_explicit(&beside->running, true, memory_order_relaxed);
	} while (!atomic_load_explicit(&beside->stop, memory_order_relaxed));
	error = pt_thread_unregister(copy->self);
	if (error)
		subject_wrong(copy, "pt_thread_unregister", 0, error);
	free(copy);
	return NULL;
}

/* CPU time of this thread alone. */
static double time_alone(void *context)
{
	struct beside *beside = context;
	uint64_t start = clock_thread_cpu_ns();

	kernel_run(beside->kernel, beside->subject, beside->operations);
	return (double)(clock_thread_cpu_ns() - start) / (double)beside->operations;
}

static double time_beside(void *context)
{
	struct beside *beside = context;
	pthread_t second;
	double ns;

	atomic_store_explicit(&beside->running, false, memory_order_relaxed);
	atomic_store_explicit(&beside->stop, false, memory_order_relaxed);
	if (pthread_create(&second, NULL, second_thread, beside))
		must(NULL);
	while (!atomic_load_explicit(&beside->running, memory_order_relaxed))
		sched_yield();
	ns = time_alone(beside);
	atomic_store_explicit(&beside->stop, true, memory_order_relaxed);
	pthread_join(second, NULL);
	return ns;
}

void beside_threads(struct table *table, struct subject *rcu, unsigned repetitions)
{
	struct beside beside = {.subject = rcu};
	struct pair pair = {.who = "rcu",
			    .measured = time_beside,
			    .base = time_alone,
			    .context = &beside,
			    .most = 1.1};
	cpu_set_t before;

	if (pin_cpus() < 2) {
		warn("targets of two threads need two CPUs");
		return;
	}
	pin(0, &before);
	beside.kernel = kernel_find("map-unmap");
	beside.operations = TOGGLES;
	pair.what = "map or unmap a page, 2 threads";
	pair.base_who = "alone";
	report_pair(table, &pair, repetitions);

	subject_bring(rcu, true);
	beside.kernel = kernel_find("query");
	beside.operations = QUERIES;
	pair.what = "query beside a writer";
	pair.add_noise = true;
	report_pair(table, &pair, repetitions);
	unpin(&before);
}

/* --------------------------------------------------------------------------- statistics -- */

struct counting {
	struct subject *with, *without;
};

static double time_kernel(struct subject *s)
{
	uint64_t ns;

	kernel_time(kernel_find("map-unmap"), s, TOGGLES, &ns);
	return (double)ns / TOGGLES;
}

static double time_with(void *context)
{
	return time_kernel(((struct counting *)context)->with);
}

static double time_without(void *context)
{
	return time_kernel(((struct counting *)context)->without);
}

void beside_stats(struct table *table, struct subject *rcu, unsigned repetitions)
{
	struct counting counting = {must(calloc(1, sizeof(struct subject))), rcu};
	struct pair pair = {.what = "map or unmap a page, counting",
			    .who = "rcu",
			    .base_who = "without",
			    .measured = time_with,
			    .base = time_without,
			    .context = &counting,
			    .most = 1.03};

	subject_create_counting(counting.with, "rcu");
	report_pair(table, &pair, repetitions);
	subject_destroy(counting.with);
	free(counting.with);
}

/* -------------------------------------------------------------------------------- counts -- */

#define LARGE_TABLES 32768u /* 64 GiB of pages */
#define MAGAZINE_MOST 128u  /* twice the default of pt_pool_config.magazine */

/* Memory of the process that is there, in bytes. */
static uint64_t resident(void)
{
	unsigned long all, here = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%lu %lu", &all, &here) != 2)
		here = 0;
	if (file)
		fclose(file);
	return here * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What the system gave for a tree, by its nodes: 4096 bytes, 64 of metadata, a chunk not yet full. */
static void count_memory(struct table *table, struct subject *s)
{
	uint64_t before = resident(), i;
	struct pt_check_report report;
	double figure, slack;

	subject_create(s, "rcu");
	for (i = 0; i < LARGE_TABLES; i++) {
		uint64_t va = i * FLOOR_TABLE_SPAN;
		int error = pt_map(s->self, s->table, va, FLOOR_TABLE_SPAN, va, SUBJECT_PROP, 1);

		if (error)
			subject_wrong(s, "pt_map", va, error);
	}
	figure = (double)(resident() - before);
	if (pt_check(s->self, s->table, &report) || report.violation)
		subject_wrong(s, "pt_check", report.va, 0);
	figure /= (double)report.nodes;
	slack = (double)((2 << 20) + MAGAZINE_MOST * FLOOR_NODE_BYTES) / (double)report.nodes;
	report_target(table, "bytes for each node, 64 GiB", s->name, &figure, 1, 4096 + 64 + slack,
		      0);
	subject_destroy(s);
}

static void count_locks(struct table *table, struct subject *s)
{
	struct pt_stats before, after;
	double figure;

	subject_create_counting(s, "rcu");
	subject_bring(s, true);
	if (pt_table_get_stats(s->table, &before))
		subject_wrong(s, "pt_table_get_stats", 0, 0);
	kernel_run(kernel_find("unmap-1G"), s, SUBJECT_PAGES);
	s->full = false;
	if (pt_table_get_stats(s->table, &after))
		subject_wrong(s, "pt_table_get_stats", 0, 0);
	figure = (double)(after.locks - before.locks) /
		 (double)(after.nodes_given - before.nodes_given);
	report_target(table, "unmap 1 GiB: locks for a table", s->name, &figure, 1, 1.01, 0);
	subject_destroy(s);
}

void beside_counts(struct table *table)
{
	struct subject *s = must(calloc(1, sizeof(*s)));

	count_memory(table, s);
	count_locks(table, s);
	free(s);
}
