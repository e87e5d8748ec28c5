/* SPDX-License-Identifier: MIT */
#include "verify.h"

uint64_t verify_read(const struct trial *trial, struct pt_thread *self, pt_va_t va,
		     struct finding *finding)
{
	uint64_t queried, walked = 0;
	struct pt_mapping mapping;
	pt_prop_t prop;
	pt_pa_t pa;
	int error;

	error = pt_query(self, trial->table, va, &mapping);
	if (error) {
		finding_set_call(finding, -1, va, "pt_query after the run", error);
		return 0;
	}
	queried = entry_of(&mapping);
	error = pt_walk(self, trial->table, va, &pa, &prop);
	if (error && error != -ENOENT) {
		finding_set_call(finding, -1, va, "pt_walk after the run", error);
		return queried;
	}
	if (!error)
		walked = entry_make(pa, prop);
	if (walked != queried)
		finding_set_entry(finding, -1, va, "pt_walk after the run, against pt_query",
				  queried, walked);
	return queried;
}

void verify_page(const struct trial *trial, struct pt_thread *self, pt_va_t va, uint64_t expected,
		 struct finding *finding)
{
	uint64_t found = verify_read(trial, self, va, finding);

	if (found != expected)
		finding_set_entry(finding, -1, va, "pt_query after the run", expected, found);
}
