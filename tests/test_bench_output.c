/* SPDX-License-Identifier: MIT */
/* Tables, the progress line, areas and result files. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "area.h"
#include "place.h"
#include "progress.h"
#include "results.h"
#include "text_table.h"

static void test_table(void **state)
{
	static const char *const columns[] = {"<name", ">ns\nper op", "<what", NULL};
	struct table *table = table_create(columns);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	table_cell(table, "rcu");
	table_cell(table, "%.1f", 3.14);
	table_cell(table, "fast");
	table_cell(table, "m\xc3\xbctex"); /* five columns in six bytes */
	table_skip(table);
	table_line(table, "a line longer than all of the columns together");
	table_print(table, out, false);
	fclose(out);
	assert_string_equal(text, "           ns\n"
				  "name   per op  what\n"
				  "rcu       3.1  fast\n"
				  "m\xc3\xbctex\n"
				  "a line longer than all of the columns together\n");
	free(text);
	table_destroy(table);
}

static void expect_progress(double done, double elapsed, unsigned width, const char *expected)
{
	char line[128];

	progress_line(line, sizeof(line), width, done, 200, elapsed, "rcu");
	assert_string_equal(line, expected);
}

static void test_progress(void **state)
{
	(void)state;
	expect_progress(0, 10, 80, "[--------------------]   0%  rcu");
	expect_progress(50, 10, 80, "[#####---------------]  25%  30s left  rcu");
	expect_progress(50, 100, 80, "[#####---------------]  25%  5m00s left  rcu");
	expect_progress(200, 9, 80, "[####################] 100%  0s left  rcu");
	expect_progress(300, 9, 80, "[####################] 100%  0s left  rcu");
	expect_progress(50, 10, 28, "[#####---------------]  25% ");
}

static struct pt_format_info make_format(unsigned va_bits, unsigned pa_bits)
{
	return (struct pt_format_info){
		.name = "test",
		.levels = 4,
		.index_bits = 9,
		.page_shift = 12,
		.va_bits = va_bits,
		.pa_bits = pa_bits,
	};
}

static void test_areas(void **state)
{
	struct pt_format_info format = make_format(40, 48);
	struct area_needs needs = {.shared_bytes = 3 << 20, .private_bytes = 4096};
	struct area shared, private[3];

	(void)state;
	assert_int_equal(area_layout(&format, &needs, 3, &shared, private), 0);
	assert_int_equal(shared.pages, 768);
	assert_true(area_is_dense(&shared));
	/* Each begins a leaf table, which is 2 MiB here. */
	assert_int_equal(private[0].base, 4 << 20);
	assert_int_equal(private[1].base, 6 << 20);
	assert_int_equal(private[2].base, 8 << 20);
	assert_int_equal(private[2].pages, 1);

	needs.shared_bytes = UINT64_C(64) << 30;
	assert_int_equal(area_layout(&format, &needs, 1, &shared, private), 0);
	assert_int_equal(shared.pages, 262144);
	assert_int_equal(shared.stride, 256 << 10);
	assert_false(area_is_dense(&shared));
	assert_int_equal(area_va(&shared, 262143), (UINT64_C(64) << 30) - (256 << 10));

	needs.shared_bytes = 4096 + 1;
	assert_int_equal(area_layout(&format, &needs, 1, &shared, private), -EINVAL);
	needs.shared_bytes = (UINT64_C(1) << 40) - (2 << 20);
	assert_int_equal(area_layout(&format, &needs, 1, &shared, private), 0);
	assert_int_equal(area_layout(&format, &needs, 2, &shared, private), -EINVAL);
	/* Half of the addresses are left if the other half is the kernel's. */
	format.sign_extended = true;
	assert_int_equal(area_layout(&format, &needs, 1, &shared, private), -EINVAL);
}

static void test_frames(void **state)
{
	struct pt_format_info format = make_format(48, 48);
	struct frame_code code;
	pt_pa_t pa;

	(void)state;
	assert_int_equal(frame_code_init(&code, &format, 5, 1000), 0);
	pa = frame_encode(&code, 4, 999, UINT32_MAX);
	assert_int_equal(pa & 4095, 0);
	assert_true(pa >> 48 == 0);
	assert_int_equal(frame_page(&code, pa), 999);
	assert_int_equal(frame_thread(&code, pa), 4);
	assert_true(frame_encode(&code, 4, 999, 0) != frame_encode(&code, 4, 999, 1));
	assert_int_equal(frame_page(&code, frame_encode(&code, 0, 7, 12345)), 7);

	/* 12 + 4 + 10 + 3 bits fit exactly. */
	format.pa_bits = 29;
	assert_int_equal(frame_code_init(&code, &format, 5, 1000), 0);
	pa = frame_encode(&code, 4, 999, 15);
	assert_true(pa >> 29 == 0);
	format.pa_bits = 28;
	assert_int_equal(frame_code_init(&code, &format, 5, 1000), -EINVAL);
}

/* -------------------------------------------------------------------------- result files -- */

static char folder[] = "/tmp/pagetree-results-XXXXXX";
static char path[64];

static struct results *make_results(void)
{
	char *argv[] = {"ptbench run", "--seed", "7", NULL};
	const struct result_row row = {
		.name = "query/strategy:rcu/format:toy/threads:2",
		.repetitions = 5,
		.repetition = 3,
		.threads = 2,
		.operations = UINT64_C(1) << 40,
		.wall_ns_per_op = 4,
		.cpu_ns_per_op = 3.5,
		.ops_per_second = 5e8,
		.fairness = 1,
		.more = json_pack("{s:i}", "block", 3),
	};
	struct place *place;
	struct results *results;

	assert_int_equal(place_create("none", &place), 0);
	results = results_create(3, argv, 7, place);
	results_add(results, &row);
	place_destroy(place);
	return results;
}

static unsigned count_files(void)
{
	DIR *dir = opendir(folder);
	unsigned count = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static const json_t *at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_non_null(value);
	return value;
}

static void test_results(void **state)
{
	struct results *results = make_results();
	const json_t *row, *context;
	struct stat status;
	json_t *root;

	(void)state;
	assert_int_equal(results_check_path(path), 0);
	assert_int_equal(results_write(results, path), 0);
	/* Nothing temporary is left, and a second one replaces the first. */
	assert_int_equal(results_write(results, path), 0);
	assert_int_equal(count_files(), 1);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0600, 0600);
	results_destroy(results);

	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	row = json_array_get(at(root, "benchmarks"), 0);
	/* What Google Benchmark's readers look at. */
	assert_string_equal(json_string_value(at(row, "run_type")), "iteration");
	assert_string_equal(json_string_value(at(row, "time_unit")), "ns");
	assert_string_equal(json_string_value(at(row, "run_name")),
			    "query/strategy:rcu/format:toy/threads:2");
	assert_true(json_integer_value(at(row, "iterations")) == INT64_C(1) << 40);
	assert_true(json_number_value(at(row, "real_time")) == 4);
	assert_true(json_number_value(at(row, "cpu_time")) == 3.5);
	assert_true(json_number_value(at(row, "items_per_second")) == 5e8);
	assert_int_equal(json_integer_value(at(row, "repetition_index")), 3);
	assert_int_equal(json_integer_value(at(row, "threads")), 2);
	assert_int_equal(json_integer_value(at(at(row, "pagetree"), "block")), 3);
	context = at(root, "context");
	assert_true(json_is_array(at(context, "caches")));
	assert_true(json_integer_value(at(context, "num_cpus")) > 0);
	assert_int_equal(json_integer_value(at(at(context, "pagetree"), "seed")), 7);
	assert_int_equal(json_array_size(at(at(context, "pagetree"), "argv")), 3);
	json_decref(root);
}

static void test_bad_paths(void **state)
{
	struct results *results = make_results();
	char missing[128];

	(void)state;
	snprintf(missing, sizeof(missing), "%s/none/a.json", folder);
	assert_int_equal(results_check_path(missing), -ENOENT);
	assert_int_equal(results_check_path(""), -EINVAL);
	assert_int_equal(results_check_path(folder), -EISDIR);
	assert_int_equal(results_write(results, missing), -ENOENT);
	results_destroy(results);
}

/*
 * By links, which a wrong rename() would replace instead: a test run by root must not be able to
 * destroy a device.
 */
static void test_special_files_are_not_replaced(void **state)
{
	struct results *results = make_results();
	char sink[128], full[128];
	struct stat status;

	(void)state;
	snprintf(sink, sizeof(sink), "%s/null", folder);
	snprintf(full, sizeof(full), "%s/full", folder);
	assert_int_equal(symlink("/dev/null", sink), 0);
	assert_int_equal(symlink("/dev/full", full), 0);
	assert_int_equal(results_write(results, sink), 0);
	assert_int_equal(lstat(sink, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(results_write(results, full), -ENOSPC);
	assert_int_equal(lstat(full, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	unlink(sink);
	unlink(full);
	results_destroy(results);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/a.json", mkdtemp(folder));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_areas),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_special_files_are_not_replaced),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
