/* SPDX-License-Identifier: MIT */
/* ptstress run: see options.c. */
#ifndef STRESS_RUN_H
#define STRESS_RUN_H

int run_main(int argc, char **argv);

#endif
