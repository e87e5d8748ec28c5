/* SPDX-License-Identifier: MIT */
#ifndef SELFTEST_SELFTEST_H
#define SELFTEST_SELFTEST_H

/* Does the explorer find what it must, and nothing else? Return: an exit code. */
int selftest_run(void);

#endif
