/* SPDX-License-Identifier: MIT */
/*
 * The one place that knows the order of inclusion. Everything below is compiled once for each pair:
 *
 *      PT_FORMAT ----> arch/<format>.h      pure codec       \
 *                      arch/contract.h      checks it         \
 *                      access.h walk.h      slots, stepping    >  one object,
 *      PT_STRATEGY --> strategy/<name>.h    synchronisation   /   one pt_instance
 *                      strategy/contract.h  checks it        /
 *                      ops*.h check.h       the algorithm, once for all
 *
 * Each file includes what it stands on, but formats and strategies are named only here.
 */
#ifndef PT_TEMPLATE_H
#define PT_TEMPLATE_H

/* So that tools can open the files by themselves. */
#ifndef PT_FORMAT
#define PT_FORMAT x86_64
#endif
#ifndef PT_STRATEGY
#define PT_STRATEGY rcu
#endif

#define PT_STRING_(x) #x
#define PT_STRING(x) PT_STRING_(x)
#define PT_PASTE_(a, b, c) a##b##_##c
#define PT_PASTE(a, b, c) PT_PASTE_(a, b, c)

/* clang-format off */
#define PT_HEADER_OF(name) PT_STRING(name.h)
#define PT_STRATEGY_HEADER(name) PT_STRING(strategy/name.h)

#include PT_HEADER_OF(PT_FORMAT)
#include "contract.h"

#include PT_STRATEGY_HEADER(PT_STRATEGY)
#include "strategy/contract.h"

#include "ops_cursor.h"
#include "ops_role.h"
#include "ops_merge.h"
#include "ops_clone_slots.h"
#include "ops_prune.h"
#include "check.h"

#ifdef STRATEGY_WRAPPER
#include STRATEGY_WRAPPER
#endif
/* clang-format on */

/* What struct pt_ops is filled with, by the names of its members; a wrapper has its own. */
#ifndef OP
#define OP(name) op_##name
#endif

#define PT_INSTANCE_NAME PT_PASTE(pt_instance_, PT_FORMAT, PT_STRATEGY)

#endif
