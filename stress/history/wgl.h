/* SPDX-License-Identifier: MIT */
/*
 * Is the history of a register linearisable, whatever is written? Exact, but in the worst case
 * exponential in the number of threads.
 *
 * Wing and Gong, "Testing and verifying concurrent objects" (1993): try each operation that could
 * be the next one, and go back where that leads nowhere. Lowe, "Testing for linearizability"
 * (2017): never try twice from the same configuration. A thread's operations follow one another,
 * so a configuration is how far each thread has come, and the value. A read of the present value is
 * taken at once, for it can wait for nothing; so only writes are tried.
 *
 * What the register holds before all operations is an HISTORY_WRITE with call and ret 0.
 */
#ifndef HISTORY_WGL_H
#define HISTORY_WGL_H

#include "operation.h"

#define WGL_THREADS 64

struct wgl;

/* @max_states: configurations to remember before giving up. */
struct wgl *wgl_create(size_t max_states);
void wgl_destroy(struct wgl *w);

/*
 * @ops: of one page, those of a thread together and in its order.
 * @ret: set if wrong: operations that are wrong by themselves, as few as a search for them finds.
 * HISTORY_GAVE_UP: no memory, more than WGL_THREADS threads, or max_states.
 */
enum verdict wgl_check(struct wgl *w, const struct operation *ops, size_t n, struct violation *ret);

#endif
