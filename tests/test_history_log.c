/* SPDX-License-Identifier: MIT */
/* What is logged comes out again by page, what is wrong is said in words, and clocks order threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "history/log.h"
#include "history/words.h"
#include "history/zones.h"

static void test_group(void **state)
{
	const struct record wide = {.call = 1,
				    .ret = 2,
				    .value = 100,
				    .first = 1,
				    .pages = 3,
				    .step = 1,
				    .kind = HISTORY_WRITE,
				    .name = 5};
	const struct record mark = {.call = 3,
				    .ret = 4,
				    .value = 7,
				    .before = 9,
				    .first = 2,
				    .pages = 2,
				    .kind = HISTORY_CHANGE};
	struct log *log = log_create(2, 4, 2, CLOCK_SHARED);
	const struct operation *ops;
	size_t n;

	(void)state;
	assert_non_null(log);
	for (unsigned round = 0; round < 2; round++) {
		assert_true(log_has_room(log, 1, 2));
		log_add(log, 1, &wide);
		assert_false(log_has_room(log, 1, 2));
		log_add(log, 1, &mark);
		log_add(log, 0, &mark);
		assert_int_equal(log_operations(log), 7);
		assert_int_equal(log_group(log), 0);
		log_page(log, 0, &n);
		assert_int_equal(n, 0);
		ops = log_page(log, 1, &n);
		assert_int_equal(n, 1);
		assert_int_equal(ops[0].value, 100);
		ops = log_page(log, 3, &n);
		assert_int_equal(n, 3);
		assert_int_equal(ops[0].thread, 0);
		assert_int_equal(ops[0].value, 7);
		assert_int_equal(ops[0].before, 9);
		assert_int_equal(ops[1].thread, 1);
		assert_int_equal(ops[1].value, 102);
		assert_int_equal(ops[1].name, 5);
		assert_int_equal(ops[1].kind, HISTORY_WRITE);
		assert_int_equal(ops[1].page, 3);
		assert_int_equal(ops[2].call, 3);
		assert_int_equal(ops[2].ret, 4);
		log_empty(log);
		assert_int_equal(log_operations(log), 0);
	}
	log_destroy(log);
}

static void frame(void *ctx, uint64_t value, char *text, size_t size)
{
	snprintf(text, size, "%s%u", (const char *)ctx, (unsigned)value);
}

static void test_words(void **state)
{
	static const char *const names[] = {"query", "map"};
	const struct vocabulary voc = {names, frame, (void *)"frame "};
	struct violation v = {.what = "wrong",
			      .nr_shown = 3,
			      .all_shown = true,
			      .shown = {
				      {.call = 107, .ret = 109, .value = 1, .page = 8, .thread = 2},
				      {.call = 100,
				       .ret = 104,
				       .value = 2,
				       .page = 8,
				       .kind = HISTORY_WRITE,
				       .name = 1},
				      {.value = 1, .page = 8, .kind = HISTORY_WRITE},
			      }};
	char text[1000] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	words_print(out, &voc, &v);
	fclose(out);
	assert_string_equal(text, "page 8: wrong\n"
				  "  at first                 it was frame 1\n"
				  "  thread 0    map          made it frame 2, from 0 to 4\n"
				  "  thread 2    query        saw frame 1, from 7 to 9\n");
}

static void test_names(void **state)
{
	enum clock_mode mode;

	(void)state;
	for (unsigned i = 0; clock_name(i); i++) {
		assert_true(clock_find(clock_name(i), &mode));
		assert_int_equal(mode, i);
	}
	assert_false(clock_find("sundial", &mode));
	assert_null(clock_unsupported(CLOCK_SHARED));
	assert_null(clock_unsupported(CLOCK_NONE));
}

/* ---- a register of the machine's own ---- */

#define REGISTER_THREADS 3
#define REGISTER_OPS 100000

static struct log *register_log;
static _Atomic uint64_t the_register;

static void *use_register(void *arg)
{
	const unsigned self = (unsigned)(uintptr_t)arg;

	for (uint64_t i = 1; i <= REGISTER_OPS; i++) {
		struct record r = {.pages = 1,
				   .kind = (i * 7 + self) % 5 ? HISTORY_READ : HISTORY_WRITE};
		const uint64_t value = i * REGISTER_THREADS + self;

		r.call = log_call(register_log);
		if (r.kind == HISTORY_WRITE)
			atomic_store_explicit(&the_register, value, memory_order_release);
		else
			r.value = atomic_load_explicit(&the_register, memory_order_acquire);
		r.ret = log_return(register_log);
		if (r.kind == HISTORY_WRITE)
			r.value = value;
		log_add(register_log, self, &r);
	}
	return NULL;
}

static void check_register(enum clock_mode mode)
{
	pthread_t threads[REGISTER_THREADS];
	struct zones *zones = zones_create();
	const struct operation *ops;
	struct violation v;
	struct record first = {.pages = 1, .kind = HISTORY_WRITE};
	size_t n;

	if (clock_unsupported(mode))
		skip();
	atomic_store(&the_register, 0);
	register_log = log_create(REGISTER_THREADS, 1, REGISTER_OPS + 1, mode);
	assert_non_null(register_log);
	log_add(register_log, 0, &first);
	for (uintptr_t t = 0; t < REGISTER_THREADS; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, use_register, (void *)t), 0);
	for (unsigned t = 0; t < REGISTER_THREADS; t++)
		pthread_join(threads[t], NULL);
	assert_int_equal(log_group(register_log), 0);
	ops = log_page(register_log, 0, &n);
	assert_int_equal(n, REGISTER_THREADS * REGISTER_OPS + 1);
	if (zones_check(zones, ops, n, &v) != HISTORY_RIGHT) {
		words_print(stderr, &(struct vocabulary){0}, &v);
		fail_msg("an atomic word was found wrong");
	}
	zones_destroy(zones);
	log_destroy(register_log);
}

static void test_clock_shared(void **state)
{
	(void)state;
	check_register(CLOCK_SHARED);
}

static void test_clock_tsc(void **state)
{
	(void)state;
	check_register(CLOCK_TSC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group),     cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),     cmocka_unit_test(test_clock_shared),
		cmocka_unit_test(test_clock_tsc),
	};

	return cmocka_run_group_tests_name("history log", tests, NULL, NULL);
}
