/* SPDX-License-Identifier: MIT */
/* `ptbench replay`: recorded memory management of real programs, executed by page tables. */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

/* Return: the exit code (say.h). argv[0] is the name to show in messages. */
int replay_command(int argc, char **argv);

#endif
