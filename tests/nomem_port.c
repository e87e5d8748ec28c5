/* SPDX-License-Identifier: MIT */
/*
 * Between the library and the port: the linker (--wrap) lets what the library asks for memory come
 * here first. There is one thread.
 */
#include <errno.h>

#include "nomem_script.h"

void *__real_port_alloc(size_t bytes);
void __real_port_free(void *object);
void *__real_port_reserve(size_t bytes, size_t align);
void __real_port_unreserve(void *addr, size_t bytes);
int __real_port_commit(void *addr, size_t bytes);
void *__wrap_port_alloc(size_t bytes);
void __wrap_port_free(void *object);
void *__wrap_port_reserve(size_t bytes, size_t align);
void __wrap_port_unreserve(void *addr, size_t bytes);
int __wrap_port_commit(void *addr, size_t bytes);

struct port_memory port_memory;

static bool refused(void)
{
	uint64_t request = port_memory.requests;

	if (!port_memory.counting)
		return false;
	port_memory.requests++;
	return request - port_memory.refuse < port_memory.refusals;
}

void *__wrap_port_alloc(size_t bytes)
{
	void *object = refused() ? NULL : __real_port_alloc(bytes);

	port_memory.objects += object != NULL;
	return object;
}

void __wrap_port_free(void *object)
{
	port_memory.objects -= object != NULL;
	__real_port_free(object);
}

void *__wrap_port_reserve(size_t bytes, size_t align)
{
	void *addr = refused() ? NULL : __real_port_reserve(bytes, align);

	port_memory.reserved += addr ? (int64_t)bytes : 0;
	return addr;
}

void __wrap_port_unreserve(void *addr, size_t bytes)
{
	port_memory.reserved -= (int64_t)bytes;
	__real_port_unreserve(addr, bytes);
}

int __wrap_port_commit(void *addr, size_t bytes)
{
	return refused() || port_memory.no_backing ? -ENOMEM : __real_port_commit(addr, bytes);
}
