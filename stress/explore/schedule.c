/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

#include "runtime.h"

static char mark_of(const struct schedule_switch *s)
{
	return s->pick ? '=' : s->uninvoked ? '~' : ':';
}

void schedule_print(const struct schedule *schedule, FILE *out)
{
	if (!schedule->count)
		fputs("serial", out);
	for (unsigned i = 0; i < schedule->count; i++)
		fprintf(out, "%s%u%c%u", i ? "," : "", schedule->at[i].step,
			mark_of(&schedule->at[i]), schedule->at[i].to);
}

static bool parse_number(const char **text, unsigned long limit, unsigned long *ret)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	*ret = strtoul(*text, &end, 10);
	*text = end;
	return *ret < limit;
}

bool schedule_parse(const char *text, struct schedule *ret)
{
	ret->count = 0;
	if (!strcmp(text, "serial"))
		return true;
	for (;;) {
		struct schedule_switch *s = &ret->at[ret->count];
		unsigned long step, to;
		char mark;

		if (ret->count == SCHEDULE_MAX || !parse_number(&text, UINT32_MAX, &step))
			return false;
		mark = *text++;
		if (!mark || !strchr(":~=", mark) ||
		    !parse_number(&text, mark == '=' ? SCHEDULE_ALTERNATIVES : MAX_THREADS, &to))
			return false;
		*s = (struct schedule_switch){
			.step = (uint32_t)step,
			.to = (uint8_t)to,
			.pick = mark == '=',
			.uninvoked = mark == '~',
		};
		if (ret->count && s->step <= s[-1].step)
			return false;
		ret->count++;
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}
