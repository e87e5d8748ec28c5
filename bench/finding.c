/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "finding.h"

void finding_set(struct finding *finding, enum exit_code code, int thread, pt_va_t va,
		 const char *what, const char *expected, const char *found)
{
	if (finding->code)
		return;
	finding->code = code;
	finding->thread = thread;
	finding->va = va;
	snprintf(finding->what, sizeof(finding->what), "%s", what);
	snprintf(finding->expected, sizeof(finding->expected), "%s", expected);
	snprintf(finding->found, sizeof(finding->found), "%s", found);
}

void finding_set_call(struct finding *finding, int thread, pt_va_t va, const char *call, int error)
{
	finding_set(finding, error == -ENOMEM ? EXIT_RESOURCES : EXIT_VIOLATION, thread, va, call,
		    "success",
		    error ? strerror(-error) : "success, but of another number of pages");
}

void entry_format(char *text, size_t size, uint64_t entry)
{
	if (!entry) {
		snprintf(text, size, "nothing mapped");
		return;
	}
	snprintf(text, size, "frame 0x%" PRIx64 " %s%s%s%s", entry & ~(uint64_t)ENTRY_PROPS,
		 entry & PT_READ ? "r" : "-", entry & PT_WRITE ? "w" : "-",
		 entry & PT_EXEC ? "x" : "-", entry & PT_USER ? "u" : "-");
}

void finding_set_entry(struct finding *finding, int thread, pt_va_t va, const char *what,
		       uint64_t expected, uint64_t found)
{
	char expected_text[96], found_text[96];

	entry_format(expected_text, sizeof(expected_text), expected);
	entry_format(found_text, sizeof(found_text), found);
	finding_set(finding, EXIT_VIOLATION, thread, va, what, expected_text, found_text);
}
