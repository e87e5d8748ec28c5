/* SPDX-License-Identifier: MIT */
/* Read sections, inlined as the library has them. */
#define _LGPL_SOURCE
#include <urcu/urcu-bp.h>
#include <urcu/urcu-mb.h>
#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

#include "suite.h"

/* A thread that uses a table is registered already, with the flavour the library is built for. */
#define FLAVOUR(flavour, is_registered)                                            \
	static void flavour##_sections(struct bm_state *state, const void *unused) \
	{                                                                          \
		bool registered = is_registered;                                   \
		uint64_t n;                                                        \
                                                                                   \
		(void)unused;                                                      \
		if (!registered)                                                   \
			urcu_##flavour##_register_thread();                        \
		for (n = bm_loop_begin(state, 1); n; n--) {                        \
			urcu_##flavour##_read_lock();                              \
			__asm__ volatile("" : : : "memory");                       \
			urcu_##flavour##_read_unlock();                            \
		}                                                                  \
		bm_loop_end(state);                                                \
		if (!registered)                                                   \
			urcu_##flavour##_unregister_thread();                      \
	}

FLAVOUR(memb, URCU_TLS(urcu_memb_reader).registered)
FLAVOUR(mb, URCU_TLS(urcu_mb_reader).registered)
FLAVOUR(qsbr, URCU_TLS(urcu_qsbr_reader).registered)
FLAVOUR(bp, !!URCU_TLS(urcu_bp_reader))

void suite_rcu(void)
{
	suite_add(memb_sections, NULL, BM_THREAD, 1, "rcu-section/flavour:memb");
	suite_add(mb_sections, NULL, BM_THREAD, 1, "rcu-section/flavour:mb");
	suite_add(qsbr_sections, NULL, BM_THREAD, 1, "rcu-section/flavour:qsbr");
	suite_add(bp_sections, NULL, BM_THREAD, 1, "rcu-section/flavour:bp");
}
