/* SPDX-License-Identifier: MIT */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

/* The commands `ptstress explore` and `ptstress list`. Return: an exit code. */
int explore_main(int argc, char **argv);
int explore_list_main(int argc, char **argv);

/* Reserve what the explorer runs on. Return: 0 or a negative errno. */
int explore_setup(void);

#endif
