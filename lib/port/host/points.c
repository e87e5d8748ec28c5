/* SPDX-License-Identifier: MIT */
/*
 * Points that nobody watches. In an archive, so that a program which has these functions itself gets its
 * own and not these.
 */
#include "port.h"

void port_point(enum port_point point)
{
	(void)point;
}

void port_freed(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
}
