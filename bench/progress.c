/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "progress.h"
#include "say.h"

#define BAR_CELLS 20
#define DRAW_INTERVAL_NS 100000000u

static struct {
	bool active;  /* started, and what is written is seen only by itself */
	bool visible; /* the line is on the screen */
	double total;
	uint64_t start_ns;
	uint64_t drawn_ns;
} bar;

void progress_start(double total)
{
	/* Output that goes through a pipe to the same screen would be written over the bar. */
	bar.active = is_terminal(STDERR_FILENO) && is_terminal(STDOUT_FILENO) && total > 0;
	bar.visible = false;
	bar.total = total;
	bar.start_ns = clock_wall_ns();
	bar.drawn_ns = 0;
}

void progress_line(char *line, size_t size, unsigned width, double done, double total,
		   double elapsed, const char *label)
{
	double part = total > 0 ? done / total : 1;
	char cells[BAR_CELLS + 1], left[32] = "";
	unsigned full;

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	full = (unsigned)(part * BAR_CELLS);
	memset(cells, '#', full);
	memset(cells + full, '-', BAR_CELLS - full);
	cells[BAR_CELLS] = 0;

	/* Before some of the work is done, an estimate would be a guess. */
	if (part > 0.01 && elapsed > 0.5) {
		unsigned seconds = (unsigned)(elapsed * (1 - part) / part + 0.5);

		if (seconds >= 60)
			snprintf(left, sizeof(left), "  %um%02us left", seconds / 60, seconds % 60);
		else
			snprintf(left, sizeof(left), "  %us left", seconds);
	}
	snprintf(line, size, "[%s] %3u%%%s  %s", cells, (unsigned)(part * 100), left, label);
	if (width && width < size)
		line[width] = 0;
}

void progress_update(double done, const char *label)
{
	uint64_t now = clock_wall_ns();
	char line[256];

	if (!bar.active || (bar.visible && now - bar.drawn_ns < DRAW_INTERVAL_NS))
		return;
	/* The last column stays free: some terminals wrap as soon as it is written. */
	progress_line(line, sizeof(line), terminal_width(STDERR_FILENO) - 1, done, bar.total,
		      (double)(now - bar.start_ns) / 1e9, label);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	bar.visible = true;
	bar.drawn_ns = now;
}

void progress_hide(void)
{
	if (!bar.visible)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	bar.visible = false;
}

void progress_finish(void)
{
	progress_hide();
	bar.active = false;
}
