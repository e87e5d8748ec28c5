/* SPDX-License-Identifier: MIT */
#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

bool list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	if (!strcmp(list, "all"))
		return true;
	for (;;) {
		size_t length = strcspn(list, ",");

		if (length == n && !strncmp(list, name, n))
			return true;
		if (!list[length])
			return false;
		list += length + 1;
	}
}

bool list_check(const char *what, const char *list, bool (*known)(const char *name))
{
	char name[64];

	if (!strcmp(list, "all"))
		return true;
	for (;; list++) {
		size_t length = strcspn(list, ",");

		snprintf(name, sizeof(name), "%.*s", (int)length, list);
		if (!known(name)) {
			command_complain("no %s '%s'; `ptstress list` shows them", what, name);
			return false;
		}
		list += length;
		if (!*list)
			return true;
	}
}

/* Moves @text behind the number. */
static bool parse_number(const char **text, size_t end, size_t *ret)
{
	char *rest;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*ret = strtoul(*text, &rest, 10);
	*text = rest;
	return !errno && *ret < end;
}

bool list_numbers(const char *list, size_t end, bool *ret_has)
{
	memset(ret_has, 0, end * sizeof(*ret_has));
	for (;; list++) {
		size_t first, last;

		if (!parse_number(&list, end, &first))
			return false;
		last = first;
		if (!strncmp(list, "..", 2)) {
			list += 2;
			if (!parse_number(&list, end, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			ret_has[first] = true;
		if (*list != ',')
			return !*list;
	}
}
