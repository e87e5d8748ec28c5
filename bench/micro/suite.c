/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

#include "kernels.h"
#include "must.h"
#include "pin.h"
#include "suite.h"

#define NAME_BYTES 128

void suite_add(bm_function function, const void *argument, enum bm_time time, unsigned threads,
	       const char *name, ...)
{
	char text[NAME_BYTES];
	va_list args;

	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	bm_register(text, function, argument, time, threads);
}

/* The floor, then all contenders; made by the first benchmark that needs them. */
static struct subject *_Atomic *made;
static unsigned made_count;

/* A benchmark of one of them. */
struct job {
	const struct contender *contender; /* NULL: the floor */
	unsigned index;                    /* of the subject in `made` */
	const struct kernel *kernel;
	enum pt_mode mode;
};

/* Only the main thread makes subjects, because they belong to the thread that registered. */
static struct subject *main_subject(const struct job *job)
{
	struct subject *s = atomic_load_explicit(&made[job->index], memory_order_relaxed);
	const struct kernel *kernel;

	if (s)
		return s;
	s = must(calloc(1, sizeof(*s)));
	if (job->contender)
		subject_create_locking(s, job->contender->strategy->name,
				       job->contender->node_lock);
	else
		subject_create(s, "floor");
	for (kernel = kernels; kernel->name; kernel++)
		if (kernel->prepare)
			kernel->prepare(s);
	atomic_store_explicit(&made[job->index], s, memory_order_release);
	return s;
}

/* ----------------------------------------------------------------------- one thread -- */

static void run_kernel(struct bm_state *state, const void *argument)
{
	const struct job *job = argument;
	const struct kernel *kernel = job->kernel;
	struct subject *s = main_subject(job);

	if (kernel->area == AREA_FILL || kernel->area == AREA_EMPTY) {
		while (bm_more(state, kernel->step)) {
			bm_pause(state);
			subject_bring(s, kernel->area == AREA_EMPTY);
			bm_resume(state);
			kernel_run(kernel, s, kernel->step);
			subject_settle(s);
			s->full = kernel->area == AREA_FILL;
		}
		return;
	}
	if (kernel->area == AREA_READ)
		subject_bring(s, true);
	kernel_run(kernel, s, bm_loop_begin(state, kernel->step));
	subject_settle(s);
	bm_loop_end(state);
}

/* A cursor on one mapped page, of the leaf table that `protect` uses. */
static void run_cursor(struct bm_state *state, const void *argument)
{
	const struct job *job = argument;
	struct subject *s = main_subject(job);
	uint64_t va = subject_private(1), n;
	struct pt_cursor cursor;

	for (n = bm_loop_begin(state, 1); n; n--) {
		int error =
			pt_cursor_begin(s->self, s->table, va, FLOOR_PAGE, job->mode, 1, &cursor);

		if (__builtin_expect(error, 0))
			subject_wrong(s, "pt_cursor_begin", va, error);
		pt_cursor_end(&cursor);
	}
	bm_loop_end(state);
}

/* ------------------------------------------------------------------- several threads -- */

/* The subject as another thread uses it, with a registration of its own. */
static struct subject *enter(const struct job *job)
{
	struct subject *copy = must(calloc(1, sizeof(*copy))), *s;

	while (!(s = atomic_load_explicit(&made[job->index], memory_order_acquire)))
		sched_yield();
	copy->name = s->name;
	copy->table = s->table;
	memcpy(copy->order, s->order, sizeof(copy->order));
	if (pt_thread_register(s->pool, &copy->self))
		must(NULL);
	return copy;
}

static void leave(struct subject *copy)
{
	int error = pt_thread_unregister(copy->self);

	if (error)
		subject_wrong(copy, "pt_thread_unregister", 0, error);
	free(copy);
}

/* The leaf tables of threads 0 and 1 are other benchmarks'. */
static void run_kernel_threads(struct bm_state *state, const void *argument)
{
	const struct job *job = argument;
	unsigned thread = bm_thread(state);
	struct subject *s = thread ? enter(job) : main_subject(job);
	bool reads = job->kernel->area == AREA_READ;
	cpu_set_t before;
	uint64_t n;

	if (reads && !thread)
		subject_bring(s, true);
	pin(thread, &before);
	n = bm_loop_begin(state, job->kernel->step);
	if (reads)
		kernel_run(job->kernel, s, n);
	else
		kernel_toggle(s, 2 + thread, n);
	bm_loop_end(state);
	unpin(&before);
	if (thread)
		leave(s);
}

/* ------------------------------------------------------------------------- registering -- */

/* Jobs live as long as the program does. */
static const struct job *new_job(struct job job)
{
	struct job *kept = must(malloc(sizeof(*kept)));

	*kept = job;
	return kept;
}

static void add_contender(const struct contender *contender, unsigned index)
{
	static const char *const modes[] = {"read", "change", "build"};
	static const char *const threaded[] = {"query", "map-unmap", NULL};
	const char *const *name, *strategy = contender->strategy->name;
	struct job job = {.contender = contender, .index = index};
	char lock[CONTENDER_NAME];

	contender_suffix(lock, contender);
	for (job.mode = PT_READ_ONLY; job.mode <= PT_BUILD; job.mode++)
		suite_add(run_cursor, new_job(job), BM_PROCESS, 1, "cursor/mode:%s/strategy:%s%s",
			  modes[job.mode], strategy, lock);
	if (contender->strategy->isolation == PT_ISOLATION_NONE)
		return;
	for (name = threaded; *name && pin_cpus() > 1; name++) {
		job.kernel = kernel_find(*name);
		suite_add(run_kernel_threads, new_job(job), BM_THREAD, pin_cpus(),
			  "%s/strategy:%s%s", *name, strategy, lock);
	}
}

static void add_kernel(const struct kernel *kernel, const struct contender_list *contenders)
{
	struct job job = {.kernel = kernel};
	char lock[CONTENDER_NAME];

	if (kernel->floor)
		suite_add(run_kernel, new_job(job), BM_PROCESS, 1, "%s/floor", kernel->name);
	while (job.index < contenders->count) {
		job.contender = &contenders->items[job.index++];
		suite_add(run_kernel, new_job(job), BM_PROCESS, 1, "%s/strategy:%s%s", kernel->name,
			  job.contender->strategy->name, contender_suffix(lock, job.contender));
	}
}

void suite_tables(const struct contender_list *contenders)
{
	const struct kernel *kernel;
	unsigned i;

	made_count = (unsigned)contenders->count + 1;
	made = must(calloc(made_count, sizeof(*made)));
	for (kernel = kernels; kernel->name; kernel++)
		add_kernel(kernel, contenders);
	for (i = 0; i < contenders->count; i++)
		add_contender(&contenders->items[i], i + 1);
}

void suite_end(void)
{
	unsigned i;

	for (i = 0; i < made_count; i++) {
		if (!made[i])
			continue;
		subject_destroy(made[i]);
		free(made[i]);
	}
	free(made);
}
