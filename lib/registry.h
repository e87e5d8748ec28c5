/* SPDX-License-Identifier: MIT */
#ifndef PT_REGISTRY_H
#define PT_REGISTRY_H

#include "table.h"

/* NULL when the pair is not built. */
const struct pt_instance *pt_instance_find(const char *format, const char *strategy);

/* The enum nodelock_kind called @name, or -EINVAL. */
int pt_node_lock_find(const char *name);

#endif
