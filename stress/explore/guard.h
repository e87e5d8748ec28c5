/* SPDX-License-Identifier: MIT */
/*
 * What coroutines cannot be saved from by the scheduler: loops without scheduling points, such as
 * one that spins without port_wait_until(), and wild pointers.
 */
#ifndef EXPLORE_GUARD_H
#define EXPLORE_GUARD_H

/*
 * While armed, the program ends when one execution takes too long; a crash of the code under test
 * breaks a rule like any other.
 */
void guard_arm(void);
void guard_disarm(void);

#endif
