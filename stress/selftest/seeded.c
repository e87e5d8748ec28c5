/* SPDX-License-Identifier: MIT */
#include "seeded.h"

#include <stdatomic.h>
#include <stdint.h>

#include "port.h"

#define RELAXED memory_order_relaxed
#define ACQUIRE memory_order_acquire
#define RELEASE memory_order_release
#define SEQ_CST memory_order_seq_cst

static void lock(_Atomic uint32_t *word)
{
	while (atomic_exchange_explicit(word, 1, ACQUIRE))
		port_wait_until(!atomic_load_explicit(word, RELAXED));
}

static void unlock(_Atomic uint32_t *word)
{
	atomic_store_explicit(word, 0, RELEASE);
}

struct words {
	_Atomic uint32_t a, b;
	_Atomic uint64_t count;
	uint64_t plain;
};

/* A counter; lost update: a load and a store instead of one operation. */
static void counter_body(void *memory, unsigned thread, bool buggy)
{
	struct words *w = memory;
	uint64_t count;

	(void)thread;
	if (!buggy) {
		atomic_fetch_add_explicit(&w->count, 1, RELAXED);
		return;
	}
	count = atomic_load_explicit(&w->count, RELAXED);
	atomic_store_explicit(&w->count, count + 1, RELAXED);
}

static bool counter_right(void *memory)
{
	struct words *w = memory;

	return atomic_load_explicit(&w->count, RELAXED) == 3;
}

/* Plain data under a lock; race: one thread does not lock. */
static void locked_body(void *memory, unsigned thread, bool buggy)
{
	struct words *w = memory;
	bool locks = !buggy || thread;

	if (locks)
		lock(&w->a);
	w->plain++;
	if (locks)
		unlock(&w->a);
}

/* Two locks; deadlock: in both orders. */
static void order_body(void *memory, unsigned thread, bool buggy)
{
	struct words *w = memory;
	bool swap = buggy && thread;

	lock(swap ? &w->b : &w->a);
	lock(swap ? &w->a : &w->b);
	w->plain++;
	unlock(&w->a);
	unlock(&w->b);
}

/* Sleep until set; lost wake-up: looks, then sleeps whatever has become of the word. */
static void sleeper_body(void *memory, unsigned thread, bool buggy)
{
	struct words *w = memory;

	if (thread) {
		atomic_store_explicit(&w->a, 1, RELEASE);
		port_wake(&w->a, 1);
	} else if (!atomic_load_explicit(&w->a, ACQUIRE)) {
		port_sleep(&w->a, buggy ? atomic_load_explicit(&w->a, RELAXED) : 0);
	}
}

/* Publish a filled object; race: the publishing store is relaxed. */
static void publish_body(void *memory, unsigned thread, bool buggy)
{
	struct words *w = memory;

	if (!thread) {
		w->plain = 42;
		atomic_store_explicit(&w->count, 1, buggy ? RELAXED : RELEASE);
	} else if (atomic_load_explicit(&w->count, ACQUIRE)) {
		(void)*(volatile uint64_t *)&w->plain;
	}
}

struct object {
	struct port_rcu_head rcu;
	uint64_t value;
};

struct holder {
	_Atomic(struct object *) current;
	struct object object;
};

static void free_object(struct port_rcu_head *head)
{
	port_rcu_called(head);
	port_poison(head, sizeof(struct object));
}

/* Unlink, wait for readers, free; use after free: the reader is in no read section. */
static void reader_body(void *memory, unsigned thread, bool buggy)
{
	struct holder *h = memory;
	struct object *seen;

	if (thread == 1) {
		seen = atomic_exchange_explicit(&h->current, NULL, RELAXED);
		if (seen)
			port_rcu_call(NULL, &seen->rcu, free_object);
		return;
	}
	if (thread == 2) {
		atomic_store_explicit(&h->current, &h->object, RELEASE);
		return;
	}
	if (!buggy)
		port_rcu_read_lock(NULL);
	seen = atomic_load_explicit(&h->current, ACQUIRE);
	if (seen)
		(void)*(volatile uint64_t *)&seen->value;
	if (!buggy)
		port_rcu_read_unlock(NULL);
}

/*
 * A tree of one child: thread 0 adds to the child, thread 1 removes it. Lost update: after it has
 * waited for the child's lock, the adder does not look whether the child is still in the tree.
 */
struct tree {
	_Atomic uint32_t child; /* 1: linked */
	_Atomic uint32_t child_lock;
	bool stray;
	_Atomic uint32_t slot, added;
};

static void tree_body(void *memory, unsigned thread, bool buggy)
{
	struct tree *t = memory;

	if (thread == 2) {
		atomic_store_explicit(&t->child, 1, RELEASE);
		return;
	}
	if (!atomic_load_explicit(&t->child, ACQUIRE))
		return;
	lock(&t->child_lock);
	if (thread == 1) {
		atomic_store_explicit(&t->child, 0, RELEASE);
		atomic_store_explicit(&t->slot, 0, RELAXED);
		t->stray = true;
	} else if (buggy || !t->stray) {
		atomic_store_explicit(&t->slot, 1, RELAXED);
		if (t->stray)
			atomic_store_explicit(&t->added, 2, RELAXED);
	}
	unlock(&t->child_lock);
}

static bool tree_right(void *memory)
{
	struct tree *t = memory;

	return !atomic_load_explicit(&t->added, RELAXED);
}

/* ---- what only weak memory breaks: no plain data, so no races ---- */

struct letters {
	_Atomic uint32_t a, b;
	_Atomic uint32_t data;
	_Atomic uint32_t wrong;
};

static void expect(struct letters *l, bool right)
{
	if (!right)
		atomic_store_explicit(&l->wrong, 1, RELAXED);
}

static bool letters_right(void *memory)
{
	struct letters *l = memory;

	return !atomic_load_explicit(&l->wrong, RELAXED);
}

/* Message passing; the flag is set by a relaxed store. */
static void message_body(void *memory, unsigned thread, bool buggy)
{
	struct letters *l = memory;

	if (!thread) {
		atomic_store_explicit(&l->data, 1, RELAXED);
		atomic_store_explicit(&l->a, 1, buggy ? RELAXED : RELEASE);
	} else if (atomic_load_explicit(&l->a, ACQUIRE)) {
		expect(l, atomic_load_explicit(&l->data, RELAXED));
	}
}

/* Each says that it is there and looks for the other; release and acquire do not order that. */
static void meeting_body(void *memory, unsigned thread, bool buggy)
{
	struct letters *l = memory;
	_Atomic uint32_t *mine = thread ? &l->b : &l->a, *other = thread ? &l->a : &l->b;

	atomic_store_explicit(mine, 1, buggy ? RELEASE : SEQ_CST);
	if (!atomic_load_explicit(other, buggy ? ACQUIRE : SEQ_CST))
		expect(l, !atomic_fetch_add_explicit(&l->data, 1, RELAXED));
}

/* What has been read is not read older, here or by who is told; the telling is relaxed. */
static void witness_body(void *memory, unsigned thread, bool buggy)
{
	struct letters *l = memory;
	uint32_t seen;

	if (thread == 0) {
		atomic_store_explicit(&l->data, 1, RELAXED);
		atomic_store_explicit(&l->data, 2, RELAXED);
	} else if (thread == 1) {
		seen = atomic_load_explicit(&l->data, RELAXED);
		expect(l, atomic_load_explicit(&l->data, RELAXED) >= seen);
		atomic_store_explicit(&l->a, seen, buggy ? RELAXED : RELEASE);
	} else {
		seen = atomic_load_explicit(&l->a, ACQUIRE);
		expect(l, atomic_load_explicit(&l->data, RELAXED) >= seen);
	}
}

/* A release goes on through what others add; but not through a load and a store. */
static void sequence_body(void *memory, unsigned thread, bool buggy)
{
	struct letters *l = memory;
	uint32_t seen;

	if (thread == 0) {
		atomic_store_explicit(&l->data, 1, RELAXED);
		atomic_store_explicit(&l->a, 1, RELEASE);
	} else if (thread == 1) {
		if (!buggy) {
			atomic_fetch_add_explicit(&l->a, 1, RELAXED);
			return;
		}
		seen = atomic_load_explicit(&l->a, RELAXED);
		atomic_store_explicit(&l->a, seen + 1, RELAXED);
	} else if (atomic_load_explicit(&l->a, ACQUIRE) == 2) {
		expect(l, atomic_load_explicit(&l->data, RELAXED));
	}
}

/* Read-modify-writes see each other; a load and a compare-exchange of something else do not. */
static void claim_body(void *memory, unsigned thread, bool buggy)
{
	struct letters *l = memory;
	_Atomic uint32_t *mine = thread ? &l->b : &l->a, *other = thread ? &l->a : &l->b;

	if (buggy) {
		atomic_exchange_explicit(mine, 1, memory_order_acq_rel);
		if (atomic_load_explicit(other, ACQUIRE))
			return;
	} else if (atomic_exchange_explicit(&l->a, 1, RELAXED)) {
		return;
	}
	expect(l, !atomic_fetch_add_explicit(&l->data, 1, RELAXED));
}

/* Each overwrites what the other stored first; in one order of all stores one of the last two is last. */
static void crossing_body(void *memory, unsigned thread, bool buggy)
{
	struct letters *l = memory;
	_Atomic uint32_t *mine = thread ? &l->b : &l->a, *other = thread ? &l->a : &l->b;

	atomic_store_explicit(mine, 1, buggy ? RELAXED : SEQ_CST);
	atomic_store_explicit(other, 2, buggy ? RELEASE : SEQ_CST);
}

static bool crossing_right(void *memory)
{
	struct letters *l = memory;

	return atomic_load_explicit(&l->a, RELAXED) + atomic_load_explicit(&l->b, RELAXED) > 2;
}

/* Who is told may overwrite; the telling is relaxed, so it may be as if it had written before. */
static void handover_body(void *memory, unsigned thread, bool buggy)
{
	struct letters *l = memory;

	if (!thread) {
		atomic_store_explicit(&l->data, 1, RELAXED);
		atomic_store_explicit(&l->a, 1, buggy ? RELAXED : RELEASE);
	} else if (atomic_load_explicit(&l->a, ACQUIRE)) {
		atomic_store_explicit(&l->data, 2, RELAXED);
		atomic_store_explicit(&l->b, 1, RELAXED);
	}
}

static bool handover_right(void *memory)
{
	struct letters *l = memory;

	return !atomic_load_explicit(&l->b, RELAXED) ||
	       atomic_load_explicit(&l->data, RELAXED) == 2;
}

const struct seeded seeded[] = {
	{"counter", "lost update", "C1", 3, counter_body, counter_right, false},
	{"locked", "data race", "C1", 2, locked_body, NULL, false},
	{"order", "deadlock", "P1", 2, order_body, NULL, false},
	{"sleeper", "lost wake-up", "P1", 2, sleeper_body, NULL, false},
	{"publish", "relaxed publication", "C1", 2, publish_body, NULL, false},
	{"reader", "use after free", "R1", 3, reader_body, NULL, false},
	{"tree", "missing second look", "C1", 3, tree_body, tree_right, false},
	{"message", "relaxed flag", "C1", 2, message_body, letters_right, true},
	{"meeting", "no single order", "C1", 2, meeting_body, letters_right, true},
	{"witness", "relaxed telling", "C1", 3, witness_body, letters_right, true},
	{"sequence", "broken sequence", "C1", 3, sequence_body, letters_right, true},
	{"claim", "exchange, then a load", "C1", 2, claim_body, letters_right, true},
	{"crossing", "no order of stores", "C1", 2, crossing_body, crossing_right, true},
	{"handover", "relaxed telling", "C1", 2, handover_body, handover_right, true},
};
const unsigned seeded_count = sizeof(seeded) / sizeof(seeded[0]);
