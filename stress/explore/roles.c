/* SPDX-License-Identifier: MIT */
#include "roles.h"

#include "trace.h"

/*
 * What the threads hold. A reference counts as gone when the call that gives it back begins, so it is
 * never gone too late.
 */
static struct holding {
	struct pt_config user; /* of user tables */
	unsigned references;   /* of the scenario's user table, CPUs aside */
	bool kernel_given;     /* the creator's reference of the kernel table is given back */
	struct pt_table *own[MAX_THREADS];
	struct pt_cpu cpus[MAX_THREADS];
} holding, snapshot;

static void must_work(int rc, const char *what)
{
	if (rc)
		rt_fail("S1", "%s returns %d", what, rc);
}

/* A CPU gets another root. It walks the old one until the hook returns, so that must still be there. */
static void load_root(void *ctx, pt_pa_t root_pa)
{
	const struct pt_table *old = pt_cpu_table(&holding.cpus[rt.me]);

	(void)ctx;
	if (old && pt_table_root_at(old, rt.me != 0) == root_pa)
		rt_fail("S1", "the root of a table is loaded that the CPU runs on");
}

void roles_setup(struct program *p, const struct pt_config *config)
{
	struct pt_config kernel = *config;

	kernel.role = PT_ROLE_KERNEL;
	must_work(pt_table_create(p->handles[0], &kernel, &p->kernel), "creating the kernel table");
	holding = (struct holding){.user = *config, .references = 1};
	holding.user.kernel = p->kernel;
	if (p->scenario->user && !pt_strategy_find(p->strategy)->reuses)
		holding.user.strategy = p->scenario->user;
	holding.user.activate = load_root;
	must_work(pt_table_create(p->handles[0], &holding.user, &p->table),
		  "creating the user table");
}

void roles_snapshot(void)
{
	snapshot = holding;
}

void roles_restore(void)
{
	holding = snapshot;
}

static bool looks(const struct step *s)
{
	return s->kind >= STEP_QUERY && s->kind <= STEP_ACCESS;
}

struct pt_table *roles_table(const struct program *p, const struct step *s, unsigned t)
{
	if (!p->kernel)
		return table_of(p, s->page);
	if (looks(s))
		return holding.own[t] ? holding.own[t] : p->table;
	return s->page >= KERNEL_PAGE || s->kind == STEP_SYNC ? p->kernel : p->table;
}

static int put_user(struct program *p, unsigned t)
{
	holding.references--;
	return pt_table_put(p->handles[t], p->table);
}

static int drop_own(struct program *p, unsigned t)
{
	struct pt_table *own = holding.own[t];

	holding.own[t] = NULL;
	return pt_table_put(p->handles[t], own);
}

void roles_run(struct program *p, struct call *call, unsigned t)
{
	struct pt_table *table = holding.own[t] ? holding.own[t] : p->table;

	switch (call->step->kind) {
	case STEP_TABLE_NEW:
		call->rc = pt_table_create(p->handles[t], &holding.user, &holding.own[t]);
		break;
	case STEP_TABLE_DROP:
		call->rc = drop_own(p, t);
		break;
	case STEP_TABLE_GET:
		call->rc = pt_table_get(p->table);
		holding.references++;
		break;
	case STEP_TABLE_PUT:
		call->rc = put_user(p, t);
		break;
	case STEP_KERNEL_PUT:
		holding.kernel_given = true;
		call->rc = pt_table_put(p->handles[t], p->kernel);
		break;
	case STEP_ACTIVATE:
		call->rc = pt_table_activate(p->handles[t], &holding.cpus[t], table);
		break;
	default:
		call->rc = pt_table_activate(p->handles[t], &holding.cpus[t], NULL);
		break;
	}
	must_work(call->rc, rt.self->operation);
}

bool roles_user_is_gone(const struct program *p)
{
	return p->kernel && !holding.references;
}

void roles_tear_down(struct program *p)
{
	for (unsigned t = 0; t < p->threads; t++)
		if (holding.own[t] || pt_cpu_table(&holding.cpus[t]))
			rt_fail("-", "the scenario keeps a table of %s", trace_thread(t));
	if (holding.references > 1)
		rt_fail("-", "the scenario keeps references");
	if (holding.references)
		must_work(pt_table_destroy(p->handles[0], p->table), "destroying the user table");
	if (!holding.kernel_given)
		must_work(pt_table_destroy(p->handles[0], p->kernel),
			  "destroying the kernel table");
}
