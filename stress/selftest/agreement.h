/* SPDX-License-Identifier: MIT */
#ifndef SELFTEST_AGREEMENT_H
#define SELFTEST_AGREEMENT_H

/*
 * Searches that leave out equivalent schedules must lose nothing: of every scenario that both can
 * finish, DPOR sees the same histories as the search without a bound, and what is drawn at random is
 * among them. Return: how many tests; adds to *@wrong those that fail.
 */
unsigned agreement_test(unsigned *wrong);

#endif
