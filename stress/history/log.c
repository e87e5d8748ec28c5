/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct log *log_create(unsigned threads, uint32_t pages, size_t records, enum clock_mode mode)
{
	struct log *log = aligned_alloc(64, sizeof(*log));

	if (!log)
		return NULL;
	memset(log, 0, sizeof(*log));
	clock_init(&log->clock, mode);
	log->threads = threads;
	log->pages = pages;
	log->parts = aligned_alloc(64, threads * sizeof(*log->parts));
	log->starts = calloc((size_t)pages + 1, sizeof(*log->starts));
	if (!log->parts || !log->starts) {
		free(log->parts);
		log->parts = NULL;
		log_destroy(log);
		return NULL;
	}
	memset(log->parts, 0, threads * sizeof(*log->parts));
	for (unsigned t = 0; t < threads; t++) {
		log->parts[t].records = malloc(records * sizeof(struct record));
		log->parts[t].room = records;
		if (!log->parts[t].records) {
			log_destroy(log);
			return NULL;
		}
	}
	return log;
}

void log_destroy(struct log *log)
{
	if (!log)
		return;
	for (unsigned t = 0; log->parts && t < log->threads; t++)
		free(log->parts[t].records);
	free(log->parts);
	free(log->starts);
	free(log->ops);
	free(log);
}

uint64_t log_operations(const struct log *log)
{
	uint64_t n = 0;

	for (unsigned t = 0; t < log->threads; t++)
		n += log->parts[t].operations;
	return n;
}

/* starts[page] becomes where the operations of that page begin. */
static void count_pages(struct log *log)
{
	size_t sum = 0;

	memset(log->starts, 0, (log->pages + (size_t)1) * sizeof(*log->starts));
	for (unsigned t = 0; t < log->threads; t++)
		for (size_t i = 0; i < log->parts[t].n; i++) {
			const struct record *r = &log->parts[t].records[i];

			for (uint32_t p = 0; p < r->pages; p++)
				log->starts[r->first + p]++;
		}
	for (uint32_t p = 0; p <= log->pages; p++) {
		size_t n = log->starts[p];

		log->starts[p] = sum;
		sum += n;
	}
}

/* starts[page] moves to the end of that page. */
static void place(struct log *log, unsigned thread, const struct record *r)
{
	for (uint32_t p = 0; p < r->pages; p++)
		log->ops[log->starts[r->first + p]++] = (struct operation){
			.call = r->call,
			.ret = r->ret,
			.value = r->value + (uint64_t)p * r->step,
			.before = r->before + (uint64_t)p * r->step,
			.page = r->first + p,
			.thread = (uint16_t)thread,
			.kind = r->kind,
			.name = r->name,
		};
}

int log_group(struct log *log)
{
	size_t n = log_operations(log);

	if (n > log->ops_room) {
		free(log->ops);
		log->ops = malloc(n * sizeof(*log->ops));
		log->ops_room = log->ops ? n : 0;
		if (!log->ops)
			return -ENOMEM;
	}
	count_pages(log);
	for (unsigned t = 0; t < log->threads; t++)
		for (size_t i = 0; i < log->parts[t].n; i++)
			place(log, t, &log->parts[t].records[i]);
	memmove(log->starts + 1, log->starts, log->pages * sizeof(*log->starts));
	log->starts[0] = 0;
	return 0;
}

void log_empty(struct log *log)
{
	for (unsigned t = 0; t < log->threads; t++) {
		log->parts[t].n = 0;
		log->parts[t].operations = 0;
	}
}
