/* SPDX-License-Identifier: MIT */
/* What libFuzzer calls; scripts/fuzz builds and runs it. */
#include <stdlib.h>

#include "program.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* An assertion of the model that fails is a crash, which libFuzzer keeps the input of. */
	return setenv("CMOCKA_TEST_ABORT", "1", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	fuzz_program(bytes, size);
	return 0;
}
