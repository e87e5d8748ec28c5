/* SPDX-License-Identifier: MIT */
/*
 * `ptstress differential`: the same program on every strategy returns the same and ends in the same
 * table. The first strategy runs it with one thread; that is what all others, and threads at once,
 * are held to.
 */
#ifndef DIFFERENTIAL_H
#define DIFFERENTIAL_H

int differential_main(int argc, char **argv);

#endif
