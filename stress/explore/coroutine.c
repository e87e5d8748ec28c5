/* SPDX-License-Identifier: MIT */
/*
 * The switch saves what the calling convention says a function must preserve, and nothing else; a
 * fresh stack is laid out so that the first switch "returns" into the entry function.
 */
#include "coroutine.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#define STACK_BYTES ((uintptr_t)128 << 10)
#define STACK_GUARD ((uintptr_t)64 << 10)
#define STACK_BASE ((uintptr_t)0x610000000000)

void coroutine_switch_asm(void **from_sp, void *to_sp);

#if defined(__x86_64__)

__asm__(".text\n"
	".globl coroutine_switch_asm\n"
	".type coroutine_switch_asm, @function\n"
	"coroutine_switch_asm:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size coroutine_switch_asm, . - coroutine_switch_asm\n");

#define FRAME_WORDS 8 /* six registers, the entry, and the entry's return address */
#define FRAME_ENTRY 6

#elif defined(__aarch64__)

__asm__(".text\n"
	".globl coroutine_switch_asm\n"
	".type coroutine_switch_asm, %function\n"
	"coroutine_switch_asm:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size coroutine_switch_asm, . - coroutine_switch_asm\n");

#define FRAME_WORDS 20
#define FRAME_ENTRY 11 /* x30 */

#else
#error "the schedule explorer needs a coroutine switch for this architecture"
#endif

int coroutine_setup(struct coroutine *all, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uintptr_t base = STACK_BASE + i * (STACK_BYTES + STACK_GUARD);
		void *stack = mmap(
			(void *)base, STACK_GUARD + STACK_BYTES, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

		if (stack != (void *)base ||
		    mprotect((char *)stack + STACK_GUARD, STACK_BYTES, PROT_READ | PROT_WRITE))
			return -ENOMEM;
		all[i].stack_top = (char *)stack + STACK_GUARD + STACK_BYTES;
	}
	return 0;
}

void coroutine_reset(struct coroutine *c, void (*entry)(void))
{
	uintptr_t *frame = (uintptr_t *)c->stack_top - FRAME_WORDS;

	for (unsigned i = 0; i < FRAME_WORDS; i++)
		frame[i] = 0;
	frame[FRAME_ENTRY] = (uintptr_t)entry;
	c->sp = frame;
}

void coroutine_switch(struct coroutine *from, struct coroutine *to)
{
	coroutine_switch_asm(&from->sp, to->sp);
}
