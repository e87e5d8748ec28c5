/* SPDX-License-Identifier: MIT */
/* What a sanitizer finds ends `ptstress run` as a violation does. Without one there is nothing to test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "run/sanitizer.h"

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define TSAN true
#else
#define TSAN false
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define ASAN true
#else
#define ASAN false
#endif

#define NOTICED 7 /* what a child returns that could ask the sanitizer, and got the right answer */

static int status_of(void (*child)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		child();
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int shared;

static void *count(void *unused)
{
	for (unsigned i = 0; i < 1000; i++)
		shared++;
	return unused;
}

static void race(void)
{
	pthread_t other;

	if (sanitizer_reported() || pthread_create(&other, NULL, count, NULL))
		_exit(1);
	count(NULL);
	pthread_join(other, NULL);
}

static void race_and_ask(void)
{
	race();
	_exit(sanitizer_reported() ? NOTICED : 0);
}

static bool stops_at_once(void)
{
	const char *options = getenv("TSAN_OPTIONS");

	return options && strstr(options, "halt_on_error=1");
}

static void test_race(void **state)
{
	(void)state;
	if (!TSAN)
		skip();
	assert_int_equal(status_of(race_and_ask), stops_at_once() ? 2 : NOTICED);
	assert_int_equal(status_of(race), 2);
}

static void *volatile lost;

static void use_after_free(void)
{
	char *volatile memory = malloc(10);

	free(memory);
	memory[5] = 1;
}

static void lose(void)
{
	if (sanitizer_leaks())
		_exit(1);
	lost = malloc(100);
	memset((void *)&lost, 0, sizeof(lost));
	_exit(sanitizer_leaks() ? NOTICED : 0);
}

static void test_memory(void **state)
{
	(void)state;
	if (!ASAN)
		skip();
	assert_int_equal(status_of(use_after_free), 2);
	assert_int_equal(status_of(lose), NOTICED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("run_sanitizer", tests, NULL, NULL);
}
