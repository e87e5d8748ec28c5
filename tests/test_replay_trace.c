/* SPDX-License-Identifier: MIT */
/* Reading traces: what is refused, where, and in which words; the checksum's test vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "script.h"
#include "trace.h"

/* A correct trace. Its end states are what the events lead to. */
static const char *const good[] = {
	"# ptt 1",
	"# program: none",
	"# page_size: 4096",
	"# columns: t_ns as tid op addr len arg",
	"# events: 12",
	"# end_state: as=1 state=exit pages=2 maxpages=3 fnv1a=bf7d0b9c2b1d4555",
	"# end_state: as=2 state=live pages=1 maxpages=3 fnv1a=5c49ba8d0fc50ac0",
	"# end_state: as=3 state=live pages=0 maxpages=0 fnv1a=cbf29ce484222325",
	"0\t1\t1\tmap\t1000\t8192\t3",
	"10\t1\t1\tfault\t1000\t4096\t1",
	"10\t1\t7\tfault\t2000\t4096\t0",
	"20\t1\t1\tmap\t7f0000001000\t4096\t11",
	"21\t1\t1\tfault\t7f0000001000\t4096\t9",
	"30\t1\t7\tfork\t0\t0\t2",
	"40\t2\t8\tunmap\t1000\t8192\t0",
	"50\t1\t7\tprotect\t1000\t4096\t1",
	"55\t1\t7\tdontneed\t7f0000001000\t4096\t4",
	"60\t1\t7\tmove\t1000\t4096\t1000:4096",
	"70\t1\t7\texec\t0\t0\t3",
	"80\t1\t1\texit\t0\t0\t0",
};

#define GOOD_LINES (sizeof(good) / sizeof(good[0]))

struct bad {
	unsigned line;       /* counted from 1; replaced by: */
	const char *text;    /* NULL: the line is left out */
	const char *message; /* behind the file's name */
};

static const struct bad bad_header[] = {
	{1, "# ptt 2", ":1: the first line must be '# ptt 1', not '# ptt 2'"},
	{1, "0\t1\t1\tmap\t1000\t4096\t3", ":1: the first line must be"},
	{3, NULL, ":8: the header has no page_size line"},
	{3, "# page_size: 16384", ":3: page_size must be 4096, not '16384'"},
	{4, NULL, ":8: the header has no columns line"},
	{4, "# columns: t_ns tid op", ":4: columns must be"},
	{5, NULL, ":8: the header has no events line"},
	{5, "# events: twelve", ":5: events must be a number"},
	{5, "# events: 4294967295", ":5: events must be a number below 2^32 - 1"},
	{5, "# events: 11", ":20: more events than the 11 of the header"},
	{5, "# events: 13", ":20: cut short: 12 events, the header says 13"},
	{6, NULL, ":6: end_state of as 2 where that of as 1 is due"},
	{8, NULL, ":18: as 3 has no end_state line"},
	{6, "# end_state: as=1 state=gone pages=2 maxpages=3 fnv1a=bf7d0b9c2b1d4555",
	 ":6: state must be exit or live"},
	{6, "# end_state: as=1 state=exit pages=2 maxpages=3 fnv1a=bf7d0b9c2b1d4555x",
	 ":6: expected ' pages=P maxpages=M fnv1a=HEX' at 'x'"},
	{6, "# end_state: as=1 state=exit pages=-2 maxpages=3 fnv1a=bf7d0b9c2b1d4555",
	 ":6: expected"},
	{6, "# end_state: as=1 state=live pages=2 maxpages=3 fnv1a=bf7d0b9c2b1d4555",
	 ":6: end_state says that as 1 stays live, the events do not"},
	{7, "# end_state: as=2 state=exit pages=1 maxpages=3 fnv1a=5c49ba8d0fc50ac0",
	 ":7: end_state says that as 2 exits, the events do not"},
	{18, "# a line of the header", ":18: header line behind the first event"},
};

static const struct bad bad_events[] = {
	{9, "0\t1\t1\tmap\t1000\t8192", ":9: fewer than 7 columns"},
	{9, "0\t1\t1\tmap\t1000\t8192\t3\t4", ":9: more than 7 columns"},
	{9, "", ":9: fewer than 7 columns"},
	{9, "0 1 1 map 1000 8192 3", ":9: fewer than 7 columns"},
	{9, "+0\t1\t1\tmap\t1000\t8192\t3", ":9: t_ns is not a decimal number: '+0'"},
	{9, "99999999999999999999\t1\t1\tmap\t1000\t8192\t3", ":9: t_ns is not a decimal number"},
	{10, "0x\t1\t1\tfault\t1000\t4096\t1", ":10: t_ns is not a decimal number: '0x'"},
	{12, "9\t1\t1\tmap\t7f0000001000\t4096\t11", ":12: time goes back from 10 to 9"},
	{9, "0\t0\t1\tmap\t1000\t8192\t3", ":9: address space is not a number from 1: '0'"},
	{9, "0\t4\t1\tmap\t1000\t8192\t3", ":9: as 4 has no end_state line"},
	{9, "0\t2\t1\tmap\t1000\t8192\t3", ":9: as 2 appears before as 1"},
	{9, "0\t1\t0\tmap\t1000\t8192\t3", ":9: tid is not a number from 1: '0'"},
	{9, "0\t1\t4294967296\tmap\t1000\t8192\t3", ":9: tid is not a number from 1"},
	{9, "0\t1\t1\tMAP\t1000\t8192\t3", ":9: unknown op 'MAP'"},
	{9, "0\t1\t1\tm\x1bp\t1000\t8192\t3", ":9: unknown op 'm?p'"},
	{9, "0\t1\t1\tmap\t0x1000\t8192\t3", ":9: addr is not a hexadecimal number: '0x1000'"},
	{9, "0\t1\t1\tmap\t1001\t8192\t3", ":9: range 1001+8192 is not a multiple of 4096"},
	{9, "0\t1\t1\tmap\t1000\t8191\t3", ":9: range 1000+8191 is not a multiple of 4096"},
	{9, "0\t1\t1\tmap\t1000\t0\t3", ":9: range 1000+0 is empty"},
	{9, "0\t1\t1\tmap\tfffffffffffff000\t8192\t3", ":9: range fffffffffffff000+8192 wraps"},
	{9, "0\t1\t1\tmap\t1000\t8192\t64", ":9: arg of map has unknown bits: 64 (known: 63)"},
	{10, "10\t1\t1\tfault\t1000\t8192\t1", ":10: len of fault must be 4096, not 8192"},
	{10, "10\t1\t1\tfault\t1000\t4096\t16", ":10: arg of fault has unknown bits: 16"},
	{14, "30\t1\t7\tfork\t1000\t0\t2", ":14: addr and len of fork must be 0"},
	{14, "30\t1\t7\tfork\t0\t0\t1", ":14: fork into as 1, which was used before"},
	{14, "30\t1\t7\tfork\t0\t0\t3", ":14: fork into as 3, but the next new one is 2"},
	{14, "30\t1\t7\tfork\t0\t0\t9", ":14: as 9 has no end_state line"},
	{15, "40\t2\t8\tunmap\t1000\t8192\t1", ":15: arg of unmap has unknown bits: 1"},
	{16, "50\t1\t7\tprotect\t1000\t4096\t8", ":16: arg of protect has unknown bits: 8"},
	{17, "55\t1\t7\tdontneed\t7f0000001000\t4096\t5",
	 ":17: arg of dontneed must be 4, 8, 9 or 24, not 5"},
	{18, "60\t1\t7\tmove\t1000\t4096\t2000", ":18: arg of move must be NEWADDR:NEWLEN"},
	{18, "60\t1\t7\tmove\t1000\t4096\t2001:4096", ":18: range 2001+4096 is not a multiple"},
	{18, "60\t1\t7\tmove\t1000\t4096\t2000:0", ":18: range 2000+0 is empty"},
	{20, "80\t1\t1\texit\t0\t0\t1", ":20: arg of exit has unknown bits: 1"},
};

static char path[] = "/tmp/test_replay_trace.XXXXXX";

static void write_file(const void *bytes, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* Return: the length of the good trace with one line replaced, in @text. */
static size_t compose(char *text, size_t size, const struct bad *change)
{
	size_t n = 0;

	for (unsigned i = 0; i < GOOD_LINES; i++) {
		const char *line = good[i];

		if (change && change->line == i + 1)
			line = change->text;
		if (line)
			n += (size_t)snprintf(text + n, size - n, "%s\n", line);
	}
	assert_true(n < size);
	return n;
}

static void assert_refused(const char *message)
{
	struct trace_error error;
	struct trace t;

	assert_int_equal(trace_read(path, &t, &error), -1);
	if (strncmp(error.text, path, strlen(path)) != 0 ||
	    strncmp(error.text + strlen(path), message, strlen(message)) != 0)
		fail_msg("expected '%s%s', got '%s'", path, message, error.text);
}

static void check_refused(const struct bad *bad, size_t n)
{
	char text[4096];

	for (size_t i = 0; i < n; i++) {
		write_file(text, compose(text, sizeof(text), &bad[i]));
		assert_refused(bad[i].message);
	}
}

static void bad_headers_are_refused(void **state)
{
	(void)state;
	check_refused(bad_header, sizeof(bad_header) / sizeof(bad_header[0]));
}

static void bad_events_are_refused(void **state)
{
	(void)state;
	check_refused(bad_events, sizeof(bad_events) / sizeof(bad_events[0]));
}

static void a_trace_without_end_states_is_refused(void **state)
{
	static const char text[] = "# ptt 1\n# page_size: 4096\n"
				   "# columns: t_ns as tid op addr len arg\n# events: 1\n"
				   "0\t1\t1\tmap\t1000\t4096\t3\n";

	(void)state;
	write_file(text, sizeof(text) - 1);
	assert_refused(":5: the header has no end_state lines");
}

static void an_event_behind_an_exit_is_refused(void **state)
{
	char text[4096];
	size_t n = compose(text, sizeof(text), &(struct bad){5, "# events: 13", NULL});

	(void)state;
	n += (size_t)sprintf(text + n, "90\t1\t1\tfault\t1000\t4096\t1\n");
	write_file(text, n);
	assert_refused(":21: fault in as 1 behind its exit");
}

static void odd_files_are_refused(void **state)
{
	char text[8192];
	size_t n;

	(void)state;
	write_file("", 0);
	assert_refused(": the file is empty");
	n = compose(text, sizeof(text), NULL);
	write_file(text, n - 1);
	assert_refused(":20: cut short: the last line has no end");
	text[40] = '\0';
	write_file(text, n);
	assert_refused(":3: a zero byte in the line");
	memset(text, '#', 5000);
	write_file(text, 5000);
	assert_refused(":1: line longer than 4096 bytes");
	unlink(path);
	assert_refused(": cannot open: No such file or directory");
}

static void the_good_trace_is_read(void **state)
{
	struct trace_error error;
	struct script script;
	char text[4096];
	struct trace t;

	(void)state;
	write_file(text, compose(text, sizeof(text), NULL));
	assert_int_equal(trace_read(path, &t, &error), 0);
	assert_int_equal(t.nr_events, 12);
	assert_int_equal(t.nr_spaces, 3);
	assert_int_equal(t.nr_threads, 3);
	assert_int_equal(t.events[2].thread, 1); /* recorded as 7 */
	assert_int_equal(t.events[2].line, 11);
	assert_int_equal(t.events[5].arg, 1);
	assert_int_equal(t.counts[OP_FAULT], 3);
	assert_int_equal(t.last_va, 0x7f0000001fff);
	assert_true(t.spaces[0].gone && !t.spaces[1].gone && t.spaces[2].created);
	script_build(&t, &script);
	assert_int_equal(script_check(&script, &error), 0);
	script_free(&script);
	trace_free(&t);
}

static void wrong_end_states_are_found(void **state)
{
	static const struct bad wrong[] = {
		{6, "# end_state: as=1 state=exit pages=3 maxpages=3 fnv1a=bf7d0b9c2b1d4555", ""},
		{6, "# end_state: as=1 state=exit pages=2 maxpages=2 fnv1a=bf7d0b9c2b1d4555", ""},
		{6, "# end_state: as=1 state=exit pages=2 maxpages=3 fnv1a=bf7d0b9c2b1d4554", ""},
		{10, "10\t1\t1\tdontneed\t1000\t4096\t4", ""},
	};
	struct trace_error error;
	struct script script;
	char text[4096];
	struct trace t;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		write_file(text, compose(text, sizeof(text), &wrong[i]));
		assert_int_equal(trace_read(path, &t, &error), 0);
		script_build(&t, &script);
		assert_int_equal(script_check(&script, &error), -1);
		assert_non_null(strstr(error.text, ":6: end_state of as 1 says"));
		script_free(&script);
		trace_free(&t);
	}
}

/* Two independent programs agree on what these lead to: the one that recorded them, and ours. */
static void shipped_traces_lead_to_their_end_states(void **state)
{
	static const char *const names[] = {
		"gcc_make_head", "jvm_threads", "malloc_jemalloc", "edges", "nginx", "python_numpy",
	};
	struct trace_error error;
	struct script script;
	struct trace t;
	char name[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), TRACES "/%s.ptt.zst", names[i]);
		if (trace_read(name, &t, &error))
			fail_msg("%s", error.text);
		assert_string_equal(t.name, names[i]);
		script_build(&t, &script);
		if (script_check(&script, &error))
			fail_msg("%s", error.text);
		script_free(&script);
		trace_free(&t);
	}
}

/* Each prefix of a compressed trace, and each flipped byte, is refused or read, never more. */
static void damaged_compressed_files_are_refused(void **state)
{
	char text[4096], packed[4096];
	struct trace_error error;
	struct trace t;
	size_t n, size;

	(void)state;
	n = compose(text, sizeof(text), NULL);
	size = ZSTD_compress(packed, sizeof(packed), text, n, 3);
	assert_false(ZSTD_isError(size));
	write_file(packed, size);
	assert_int_equal(trace_read(path, &t, &error), 0);
	trace_free(&t);
	for (size_t cut = 4; cut < size; cut++) {
		write_file(packed, cut);
		assert_int_equal(trace_read(path, &t, &error), -1);
		assert_non_null(strstr(error.text, "cut short"));
	}
	for (size_t at = 0; at < size; at++) {
		packed[at] ^= 0x55;
		write_file(packed, size);
		if (trace_read(path, &t, &error) == 0)
			trace_free(&t);
		packed[at] ^= 0x55;
	}
}

static void checksum_vectors(void **state)
{
	uint64_t two = trace_checksum(TRACE_CHECKSUM_BASIS, 0x1000);

	(void)state;
	assert_true(trace_checksum(TRACE_CHECKSUM_BASIS, 0x7f0000001000) == 0x5c49ba8d0fc50ac0);
	assert_true(trace_checksum(two, 0x2000) == 0xbf7d0b9c2b1d4555);
}

static int create_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_vectors),
		cmocka_unit_test(the_good_trace_is_read),
		cmocka_unit_test(wrong_end_states_are_found),
		cmocka_unit_test(shipped_traces_lead_to_their_end_states),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(bad_events_are_refused),
		cmocka_unit_test(a_trace_without_end_states_is_refused),
		cmocka_unit_test(an_event_behind_an_exit_is_refused),
		cmocka_unit_test(damaged_compressed_files_are_refused),
		cmocka_unit_test(odd_files_are_refused),
	};

	return cmocka_run_group_tests_name("replay_trace", tests, create_file, remove_file);
}
