/* SPDX-License-Identifier: MIT */
/*
 * The scheduler cannot interrupt a loop without scheduling points, such as one that spins without
 * port_wait_until(). While armed, the watchdog ends the program when one execution takes too long.
 */
#ifndef EXPLORE_WATCHDOG_H
#define EXPLORE_WATCHDOG_H

void watchdog_arm(void);
void watchdog_disarm(void);

#endif
