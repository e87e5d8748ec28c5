/* SPDX-License-Identifier: MIT */
/*
 * Shipped traces on every strategy: with any number of workers each table ends in the recorded
 * state. And the comparison notices when it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine.h"
#include "random_trace.h"
#include "support.h"

struct replay {
	struct trace trace;
	struct script script;
	struct plan plan;
	struct pt_pool_config pool;
	struct run_config config;
	struct run_result result;
};

static void open_replay(struct replay *r, const char *name, const char *strategy, unsigned workers)
{
	struct trace_error error;
	char path[256];

	snprintf(path, sizeof(path), TRACES "/%s.ptt.zst", name);
	*r = (struct replay){0};
	if (trace_read(path, &r->trace, &error))
		fail_msg("%s", error.text);
	script_build(&r->trace, &r->script);
	plan_build(&r->trace, workers, &r->plan);
	r->pool = (struct pt_pool_config){.size = sizeof(r->pool)};
	r->config = (struct run_config){
		.script = &r->script,
		.plan = &r->plan,
		.format = "x86_64",
		.strategy = strategy,
		.copies = 1,
		.loops = 2,
		.pool = &r->pool,
	};
}

static void close_replay(struct replay *r)
{
	plan_free(&r->plan);
	script_free(&r->script);
	trace_free(&r->trace);
}

static void replay_well(const char *name, const char *strategy, unsigned workers, unsigned copies)
{
	struct replay r;

	open_replay(&r, name, strategy, workers);
	r.config.copies = copies;
	assert_null(run_unsupported(&r.script, "x86_64", copies));
	if (run_replay(&r.config, &r.result) != RUN_OK)
		fail_msg("%s with %s and %u workers: %s", name, strategy, workers,
			 r.result.failure);
	assert_int_equal(r.result.events, 2ull * copies * r.trace.nr_events);
	assert_true(r.result.node_bytes_max > 0);
	assert_true(r.result.wall_ns > 0 && r.result.cpu_ns > 0);
	close_replay(&r);
}

static void every_strategy_ends_in_the_recorded_state(void **state)
{
	static const char *const names[] = {"gcc_make_head", "jvm_threads", "edges", "nginx"};
	static const char *const large[] = {"malloc_jemalloc", "python_numpy"};
	const struct pt_strategy_info *s;
	unsigned replayed = 0;

	(void)state;
	for (unsigned i = 0; (s = pt_strategy_at(i)); i++) {
		unsigned most = s->isolation == PT_ISOLATION_NONE ? 1 : 3;

		if (!pt_pair_exists("x86_64", s->name))
			continue;
		for (unsigned workers = 1; workers <= most; workers++) {
			for (unsigned n = 0; n < 4; n++) {
				if (!test_pair_is_due(i + workers + n))
					continue;
				replay_well(names[n], s->name, workers, 1);
				replayed++;
			}
		}
		for (unsigned n = 0; n < 2; n++)
			if (test_pair_is_due(i + n))
				replay_well(large[n], s->name, most > 1 ? 2 : 1, 1);
	}
	assert_true(replayed >= 4);
}

static unsigned count_strategies(void)
{
	unsigned n = 0;

	while (pt_strategy_at(n))
		n++;
	return n;
}

static void copies_do_not_meet(void **state)
{
	(void)state;
	replay_well("edges", "rcu", 2, 2);
	replay_well("nginx", "rwlock", 1, 3);
}

/* Homes for which a pool has asked for memory. */
static int note_home(void *ctx, void *addr, size_t bytes, unsigned home)
{
	*(unsigned *)ctx |= 1u << home;
	return mprotect(addr, bytes, PROT_READ | PROT_WRITE) ? -ENOMEM : 0;
}

static void forget_chunk(void *ctx, void *addr, size_t bytes)
{
	(void)ctx;
	mprotect(addr, bytes, PROT_NONE);
}

static unsigned odd_and_even(void *ctx, unsigned worker)
{
	(void)ctx;
	return 1 + worker % 2;
}

static void workers_take_nodes_of_their_home(void **state)
{
	static const struct pt_chunk_ops ops = {.get = note_home, .put = forget_chunk};
	unsigned homes = 0;
	struct replay r;

	(void)state;
	open_replay(&r, "edges", "rcu", 2);
	r.pool.homes = 4;
	r.pool.chunk_ops = &ops;
	r.pool.chunk_ctx = &homes;
	r.config.place = odd_and_even;
	if (run_replay(&r.config, &r.result))
		fail_msg("%s", r.result.failure);
	assert_int_equal(homes, 1 << 1 | 1 << 2);
	close_replay(&r);
}

/* The script says where each page ends; what it says is tested with recorded traces above. */
static void random_traces_end_as_the_script_says(void **state)
{
	struct random_trace random;
	struct replay r = {0};

	(void)state;
	srand(4);
	r.pool = (struct pt_pool_config){.size = sizeof(r.pool)};
	r.config = (struct run_config){.format = "x86_64", .copies = 1, .loops = 3};
	for (unsigned round = 0; round < 40; round++) {
		const struct pt_strategy_info *s = pt_strategy_at(round % count_strategies());
		unsigned workers = s->isolation == PT_ISOLATION_NONE ? 1 : 1 + round % 3;

		random_trace(&random);
		script_build(&random.trace, &r.script);
		plan_build(&random.trace, workers, &r.plan);
		for (uint32_t i = 0; i < random.trace.nr_spaces; i++) {
			random.spaces[i].pages = r.script.spaces[i].nr_pages;
			random.spaces[i].checksum = r.script.spaces[i].checksum;
		}
		r.config.script = &r.script;
		r.config.plan = &r.plan;
		r.config.pool = &r.pool;
		r.config.strategy = s->name;
		if (pt_pair_exists("x86_64", s->name) && run_replay(&r.config, &r.result))
			fail_msg("round %u with %s: %s", round, s->name, r.result.failure);
		plan_free(&r.plan);
		script_free(&r.script);
	}
}

/* ---- what must not pass ---- */

static void assert_violation(struct replay *r, const char *message)
{
	assert_int_equal(run_replay(&r->config, &r->result), RUN_VIOLATION);
	if (!strstr(r->result.failure, message))
		fail_msg("expected '%s' in '%s'", message, r->result.failure);
	close_replay(r);
}

static void wrong_end_states_are_noticed(void **state)
{
	struct replay r;

	(void)state;
	open_replay(&r, "nginx", "rcu", 1);
	r.trace.spaces[2].checksum ^= 1;
	assert_violation(&r, "as 3 ends with pages=433 fnv1a=d5b084aeb4b867d1 instead of pages=433 "
			     "fnv1a=d5b084aeb4b867d0");
	open_replay(&r, "nginx", "rcu", 2);
	r.trace.spaces[4].pages--;
	assert_violation(&r,
			 "as 5 ends with pages=429 fnv1a=5a07e67dd49be726 instead of pages=428");
}

static void wrong_pages_are_noticed(void **state)
{
	struct script_page *page;
	struct replay r;

	(void)state;
	open_replay(&r, "nginx", "rcu", 1);
	page = &r.script.spaces[0].pages[100];
	page->prop ^= PT_WRITE;
	assert_violation(&r, "has properties");
	open_replay(&r, "nginx", "rcu", 1);
	r.script.spaces[0].pages[100].fault++;
	assert_violation(&r, "maps to");
	open_replay(&r, "nginx", "rcu", 1);
	r.script.spaces[0].pages[100].va += TRACE_PAGE / 2;
	assert_violation(&r, "should not be there");
	open_replay(&r, "nginx", "rcu", 1);
	r.script.spaces[0].pages[100].va -= TRACE_PAGE / 2;
	assert_violation(&r, "is not there");
	open_replay(&r, "nginx", "rcu", 1);
	r.script.spaces[0].nr_pages--;
	assert_violation(&r, "should not be there");
}

static uint32_t find_call(const struct script *s, enum call_kind kind, enum trace_op op)
{
	uint32_t i = 0;

	while (s->calls[i].kind != kind || s->trace->events[i].op != op)
		i++;
	return i;
}

/* A strategy that forgets a change ends in another state; here the replay forgets it. */
static void lost_calls_are_noticed(void **state)
{
	struct replay r;

	(void)state;
	open_replay(&r, "nginx", "rcu", 1);
	r.script.calls[find_call(&r.script, CALL_PROTECT, OP_PROTECT)].kind = CALL_NONE;
	assert_violation(&r, "has properties");
	open_replay(&r, "edges", "rcu", 2);
	r.script.calls[find_call(&r.script, CALL_UNMAP, OP_UNMAP)].kind = CALL_NONE;
	assert_violation(&r, "");
}

static void calls_that_fail_are_violations(void **state)
{
	struct replay r;
	uint32_t event;
	char message[128];

	(void)state;
	open_replay(&r, "nginx", "rcu", 2);
	event = find_call(&r.script, CALL_PROTECT, OP_FAULT);
	r.script.calls[event].kind = CALL_MAP;
	snprintf(message, sizeof(message), ":%u: fault of as %u at %llx: pt_map returned EEXIST",
		 r.trace.events[event].line, r.trace.events[event].space + 1,
		 (unsigned long long)r.trace.events[event].va);
	assert_violation(&r, message);
	open_replay(&r, "edges", "rcu", 1);
	r.script.max_carried = 3;
	assert_violation(&r, "returned EOVERFLOW");
}

static void too_little_memory_is_not_a_violation(void **state)
{
	struct replay r;

	(void)state;
	open_replay(&r, "edges", "rcu", 2);
	r.pool.chunk_bytes = 256 << 10;
	r.pool.max_bytes = 256 << 10;
	r.pool.magazine = 8;
	assert_int_equal(run_replay(&r.config, &r.result), RUN_NO_RESOURCES);
	if (!strstr(r.result.failure, "ENOMEM"))
		fail_msg("%s", r.result.failure);
	close_replay(&r);
}

static void formats_that_are_too_small_are_refused(void **state)
{
	struct replay r;

	(void)state;
	open_replay(&r, "nginx", "rcu", 1);
	if (pt_format_find("toy"))
		assert_non_null(run_unsupported(&r.script, "toy", 1));
	assert_non_null(run_unsupported(&r.script, "x86_64", UINT32_MAX));
	r.trace.last_va = 1ull << 47;
	assert_non_null(run_unsupported(&r.script, "x86_64", 1));
	close_replay(&r);
}

/* ---- the program ---- */

#define TRACE_TEXT(pages)                                                                   \
	"# ptt 1\n# page_size: 4096\n# columns: t_ns as tid op addr len arg\n# events: 2\n" \
	"# end_state: as=1 state=live pages=" pages " maxpages=1 fnv1a=5c49ba8d0fc50ac0\n"  \
	"0\t1\t1\tmap\t7f0000001000\t4096\t3\n"                                             \
	"5\t1\t2\tfault\t7f0000001000\t4096\t1\n"

static int run_program(const char *text, const char *options)
{
	char path[] = "/tmp/test_replay_run.XXXXXX", command[1024];
	const char *program = getenv("PTBENCH");
	int fd, status;

	if (!program)
		skip();
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(command, sizeof(command),
		 "%s replay %s --reps 1 --loop 1 --place none %s >/dev/null 2>&1", program, path,
		 options);
	status = system(command);
	unlink(path);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void the_program_says_so_by_its_exit_code(void **state)
{
	(void)state;
	assert_int_equal(run_program(TRACE_TEXT("1"), "--threads 1,2"), 0);
	assert_int_equal(run_program(TRACE_TEXT("2"), ""), 2);
	assert_int_equal(run_program("# ptt 1\n", ""), 1);
	assert_int_equal(run_program(TRACE_TEXT("1"), "--strategy none"), 1);
	assert_int_equal(run_program(TRACE_TEXT("1"), "--strategy bare --copies 2"), 1);
	assert_int_equal(run_program(TRACE_TEXT("1"), "--loop 0"), 1);
	if (pt_format_find("toy"))
		assert_int_equal(run_program(TRACE_TEXT("1"), "--format toy"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_strategy_ends_in_the_recorded_state),
		cmocka_unit_test(copies_do_not_meet),
		cmocka_unit_test(workers_take_nodes_of_their_home),
		cmocka_unit_test(random_traces_end_as_the_script_says),
		cmocka_unit_test(wrong_end_states_are_noticed),
		cmocka_unit_test(wrong_pages_are_noticed),
		cmocka_unit_test(lost_calls_are_noticed),
		cmocka_unit_test(calls_that_fail_are_violations),
		cmocka_unit_test(too_little_memory_is_not_a_violation),
		cmocka_unit_test(formats_that_are_too_small_are_refused),
		cmocka_unit_test(the_program_says_so_by_its_exit_code),
	};

	return cmocka_run_group_tests_name("replay_run", tests, NULL, NULL);
}
