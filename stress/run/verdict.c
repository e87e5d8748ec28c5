/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <execinfo.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sanitizer.h"
#include "say.h"
#include "verdict.h"
#include "worker.h"

char verdict_replay[512];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool failed;
static bool sanitizer_heard; /* what it says once holds for one case */
static bool left_behind;     /* memory of a broken case */
static char text[VERDICT_TEXT * 8];
static char headline[VERDICT_TEXT];

const char *const op_names[OP_KINDS] = {
	[OP_NONE] = "nothing",    [OP_QUERY] = "query",     [OP_QUERY_GET] = "query_get",
	[OP_WALK] = "walk",       [OP_ACCESS] = "access",   [OP_READ] = "read",
	[OP_WRITE] = "write",     [OP_CURSOR] = "cursor",   [OP_MAP] = "map",
	[OP_UNMAP] = "unmap",     [OP_PROTECT] = "protect", [OP_MARK] = "mark",
	[OP_MERGE] = "merge",     [OP_PRUNE] = "prune",     [OP_HARVEST] = "harvest",
	[OP_RECLAIM] = "reclaim",
};

void verdict_clear(void)
{
	atomic_store_explicit(&failed, false, memory_order_relaxed);
	text[0] = headline[0] = 0;
}

static bool found_here(void)
{
	return atomic_load_explicit(&failed, memory_order_relaxed);
}

bool verdict_failed(void)
{
	return found_here() || (sanitizer_reported() && !sanitizer_heard);
}

const char *verdict_text(void)
{
	return text;
}

const char *verdict_headline(void)
{
	return headline;
}

static size_t describe_op(char *to, size_t size, const struct worker *w, const char *what)
{
	const struct op *op = &w->op;
	const struct space *s = &w->arena->space;

	if (op->kind == OP_NONE || op->from >= s->nr_pages || op->to >= s->nr_pages)
		return (size_t)snprintf(to, size, "  thread %u %s no operation\n", w->index, what);
	return (size_t)snprintf(to, size,
				"  thread %u %s operation %" PRIu64 ", %s%s%s of pages %u..%u "
				"(addresses %#" PRIx64 "..%#" PRIx64 ")\n",
				w->index, what, op->number, op_names[op->kind],
				op->step ? ": " : "", op->step ? op->step : "", op->from, op->to,
				s->pages[op->from].va, page_last(s, &s->pages[op->to]));
}

/* The others go on meanwhile: what they are said to do is a hint. */
__attribute__((no_sanitize("thread"))) static void describe_all(size_t used)
{
	const struct worker *me = worker_self;
	const struct arena *a = me ? me->arena : NULL;

	if (me)
		used += describe_op(text + used, sizeof(text) - used, me, "found it in");
	for (unsigned i = 0; a && i < a->nr_workers && i < 8; i++)
		if (&a->workers[i] != me && used < sizeof(text))
			used += describe_op(text + used, sizeof(text) - used, &a->workers[i],
					    "is in");
}

void verdict_fail(const char *letter, pt_va_t va, const char *format, ...)
{
	char what[VERDICT_TEXT];
	va_list args;
	int n;

	pthread_mutex_lock(&lock);
	if (!found_here()) {
		va_start(args, format);
		vsnprintf(what, sizeof(what), format, args);
		va_end(args);
		if (va)
			snprintf(headline, sizeof(headline), "%s: at %#" PRIx64 ": %.900s", letter,
				 va, what);
		else
			snprintf(headline, sizeof(headline), "%s: %.900s", letter, what);
		n = snprintf(text, sizeof(text), "violation of %s\n", headline);
		describe_all((size_t)n);
		atomic_store_explicit(&failed, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&lock);
}

void verdict_of_sanitizer(void)
{
	if (sanitizer_reported() && !sanitizer_heard)
		verdict_fail("C11", 0, "ThreadSanitizer has reported something, see stderr");
	else if (!left_behind && !found_here() && sanitizer_leaks())
		verdict_fail("C2", 0, "LeakSanitizer has reported memory that is lost, see stderr");
	sanitizer_heard = sanitizer_reported();
	left_behind |= found_here();
}

void verdict_add(const char *lines)
{
	pthread_mutex_lock(&lock);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", lines);
	pthread_mutex_unlock(&lock);
}

/* ---- crashes ---- */

static void write_all(const char *line)
{
	if (write(STDOUT_FILENO, line, strlen(line)) < 0)
		_exit(EXIT_RESOURCES);
}

static void crashed(int number)
{
	static _Atomic bool once;
	void *frames[32];

	if (atomic_exchange(&once, true))
		_exit(EXIT_VIOLATION);
	write_all("violation of R1: the code under test crashed: ");
	write_all(number == SIGSEGV  ? "a wild address"
		  : number == SIGBUS ? "a bad address"
				     : "aborted");
	write_all("\n");
	if (verdict_failed())
		write_all(text);
	backtrace_symbols_fd(frames, backtrace(frames, 32), STDOUT_FILENO);
	write_all(verdict_replay);
	write_all("0 passed, 1 failed\n");
	_exit(EXIT_VIOLATION);
}

void verdict_catch_crashes(void)
{
	struct sigaction action = {.sa_handler = crashed};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return; /* they say more */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return;
#endif
#endif
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
	sigaction(SIGILL, &action, NULL);
}
