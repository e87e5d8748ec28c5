/* SPDX-License-Identifier: MIT */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

/* `ptbench run`: argv[0] is the command's name. Returns the exit code. */
int run_command(int argc, char **argv);

/* `ptbench list` */
int list_command(int argc, char **argv);

#endif
