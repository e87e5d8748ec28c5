/* SPDX-License-Identifier: MIT */
/*
 * Points that nobody watches. Weak, so that a program which has these functions itself gets its own and
 * not these, from an archive or from its objects.
 */
#include "port.h"

__attribute__((weak)) void port_point(enum port_point point)
{
	(void)point;
}

__attribute__((weak)) void port_freed(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
}
