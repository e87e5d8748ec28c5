/* SPDX-License-Identifier: MIT */
/* Which pairs are built: the list that the build generates. */
#include "registry.h"

#include <errno.h>
#include <string.h>

#include "sync/nodekind.h"

#define PT_INSTANCE(format, strategy) \
	extern const struct pt_instance pt_instance_##format##_##strategy;
#include "instances.def"
#undef PT_INSTANCE

static const struct pt_instance *const instances[] = {
#define PT_INSTANCE(format, strategy) &pt_instance_##format##_##strategy,
#include "instances.def"
#undef PT_INSTANCE
};

#define NR_INSTANCES (sizeof(instances) / sizeof(instances[0]))

const struct pt_instance *pt_instance_find(const char *format, const char *strategy)
{
	for (size_t i = 0; i < NR_INSTANCES; i++)
		if (!strcmp(instances[i]->format.name, format) &&
		    !strcmp(instances[i]->strategy.name, strategy))
			return instances[i];
	return NULL;
}

bool pt_pair_exists(const char *format, const char *strategy)
{
	return pt_instance_find(format, strategy) != NULL;
}

const struct pt_format_info *pt_format_find(const char *name)
{
	for (size_t i = 0; i < NR_INSTANCES; i++)
		if (!strcmp(instances[i]->format.name, name))
			return &instances[i]->format;
	return NULL;
}

const struct pt_strategy_info *pt_strategy_find(const char *name)
{
	for (size_t i = 0; i < NR_INSTANCES; i++)
		if (!strcmp(instances[i]->strategy.name, name))
			return &instances[i]->strategy;
	return NULL;
}

/* The list is by pair; each name counts where it occurs first. */
const struct pt_format_info *pt_format_at(unsigned index)
{
	for (size_t i = 0; i < NR_INSTANCES; i++) {
		const struct pt_format_info *format = &instances[i]->format;

		if (pt_format_find(format->name) == format && index-- == 0)
			return format;
	}
	return NULL;
}

const struct pt_strategy_info *pt_strategy_at(unsigned index)
{
	for (size_t i = 0; i < NR_INSTANCES; i++) {
		const struct pt_strategy_info *strategy = &instances[i]->strategy;

		if (pt_strategy_find(strategy->name) == strategy && index-- == 0)
			return strategy;
	}
	return NULL;
}

static const char *const node_locks[] = {
	[NODELOCK_TTAS] = "ttas",           [NODELOCK_TICKET] = "ticket",
	[NODELOCK_QUEUED] = "queued",       [NODELOCK_MUTEX] = "mutex",
	[NODELOCK_PHASEFAIR] = "phasefair", [NODELOCK_PTHREAD] = "pthread",
	[NODELOCK_BRAVO] = "bravo",         [NODELOCK_BRAVO_PTHREAD] = "bravo-pt",
};

#define NR_NODE_LOCKS (sizeof(node_locks) / sizeof(node_locks[0]))

const char *pt_node_lock_at(unsigned index)
{
	return index < NR_NODE_LOCKS ? node_locks[index] : NULL;
}

int pt_node_lock_find(const char *name)
{
	for (size_t i = 0; i < NR_NODE_LOCKS; i++)
		if (!strcmp(node_locks[i], name))
			return (int)i;
	return -EINVAL;
}
