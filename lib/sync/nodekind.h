/* SPDX-License-Identifier: MIT */
/* Kinds of node locks: what exists, and who has them. */
#ifndef PT_SYNC_NODEKIND_H
#define PT_SYNC_NODEKIND_H

enum nodelock_kind {
	/* of strategies whose nodes have exclusive locks that readers share for a moment: nodelock.h */
	NODELOCK_TTAS, /* their default */
	NODELOCK_TICKET,
	NODELOCK_QUEUED,
	NODELOCK_MUTEX,
	/* of strategies whose nodes have reader/writer locks: noderw.h */
	NODELOCK_PHASEFAIR, /* their default */
	NODELOCK_PTHREAD,
	NODELOCK_BRAVO,
	NODELOCK_BRAVO_PTHREAD,
	NR_NODELOCK_KINDS,
};

/* For STRATEGY_NODE_LOCKS; a bit for each kind, the default is the lowest. */
#define NODELOCK_BIT(kind) (1u << (kind))
#define NODELOCKS_EXCLUSIVE (NODELOCK_BIT(NODELOCK_PHASEFAIR) - NODELOCK_BIT(NODELOCK_TTAS))
#define NODELOCKS_RW (NODELOCK_BIT(NR_NODELOCK_KINDS) - NODELOCK_BIT(NODELOCK_PHASEFAIR))

#endif
