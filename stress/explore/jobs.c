/* SPDX-License-Identifier: MIT */
#include "jobs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "interrupt.h"

#define LOOK_MS 100 /* for signals, while jobs work */

struct job {
	pid_t pid; /* -1: could not be started */
	int from;
};

struct jobs {
	struct job all[MAX_JOBS];
	unsigned count;
	bool told; /* that they should end early */
};

/*
 * A signal that was sent to this process alone is meant for all; each still hands back what it has.
 * Not by a signal that they may have got already.
 */
static void pass_on_interrupt(struct jobs *jobs)
{
	if (!interrupt_seen() || jobs->told)
		return;
	jobs->told = true;
	for (unsigned i = 0; i < jobs->count; i++)
		if (jobs->all[i].pid > 0)
			kill(jobs->all[i].pid, SIGUSR1);
}

static bool read_all(struct jobs *jobs, int fd, char *to, size_t size)
{
	while (size) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		ssize_t n;

		pass_on_interrupt(jobs);
		/* Not for ever: a signal may come between the look and the wait. */
		if (poll(&readable, 1, LOOK_MS) <= 0)
			continue;
		n = read(fd, to, size);
		if (n <= 0)
			return false;
		to += n;
		size -= (size_t)n;
	}
	return true;
}

/* The work of a job, in its own process, which does not outlive the one that waits for it. */
static _Noreturn void be_job(void (*work)(void *ctx, unsigned job, void *result), void *ctx,
			     unsigned number, size_t size, int to, pid_t parent)
{
	void *result = calloc(1, size);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (result && getppid() == parent)
		work(ctx, number, result);
	fflush(NULL);
	_exit(!result || write(to, result, size) != (ssize_t)size);
}

static struct job start(void (*work)(void *ctx, unsigned job, void *result), void *ctx,
			unsigned number, size_t size)
{
	struct job job = {.pid = -1};
	const pid_t parent = getpid();
	int ends[2];

	fflush(NULL);
	if (pipe(ends))
		return job;
	job.from = ends[0];
	job.pid = fork();
	if (!job.pid) {
		close(ends[0]);
		be_job(work, ctx, number, size, ends[1], parent);
	}
	close(ends[1]);
	if (job.pid < 0)
		close(ends[0]);
	return job;
}

/* Why there is no result of a job. */
static void complain(unsigned number, int status)
{
	if (WIFSIGNALED(status))
		command_complain("job %u was ended by signal %d", number, WTERMSIG(status));
	else
		command_complain("job %u has no result: out of memory", number);
}

static bool finish(struct jobs *jobs, unsigned number, void *result, size_t size)
{
	const struct job *job = &jobs->all[number];
	char *got = malloc(size);
	bool well = got && read_all(jobs, job->from, got, size);
	int status = 0;

	close(job->from);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		pass_on_interrupt(jobs);
	well = well && !status;
	if (!well)
		complain(number, status);
	for (size_t i = 0; well && i < size; i++)
		((char *)result)[i] = got[i];
	free(got);
	return well;
}

unsigned jobs_run(unsigned jobs, void (*work)(void *ctx, unsigned job, void *result), void *ctx,
		  void *results, size_t size)
{
	struct jobs started = {.count = 0};
	unsigned badly = 0;

	interrupt_catch_also(SIGUSR1);
	for (; started.count < jobs; started.count++) {
		started.all[started.count] = start(work, ctx, started.count, size);
		if (started.all[started.count].pid < 0)
			command_complain("job %u cannot be started: %s", started.count,
					 strerror(errno));
	}
	for (unsigned i = 0; i < jobs; i++)
		if (started.all[i].pid < 0 ||
		    !finish(&started, i, (char *)results + i * size, size))
			badly++;
	return badly;
}
