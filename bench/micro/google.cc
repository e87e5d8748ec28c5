/* SPDX-License-Identifier: MIT */
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "google.h"

/* The one is the other, seen from C. */
static benchmark::State &unwrap(struct bm_state *state)
{
	return *reinterpret_cast<benchmark::State *>(state);
}

static const benchmark::State &unwrap(const struct bm_state *state)
{
	return *reinterpret_cast<const benchmark::State *>(state);
}

void bm_register(const char *name, bm_function function, const void *argument, enum bm_time time,
		 unsigned threads)
{
	auto *made = benchmark::RegisterBenchmark(name, [=](benchmark::State &state) {
		function(reinterpret_cast<struct bm_state *>(&state), argument);
	});

	if (time == BM_PROCESS)
		made->MeasureProcessCPUTime();
	if (threads > 1)
		made->ThreadRange(1, static_cast<int>(threads));
}

uint64_t bm_loop_begin(struct bm_state *state, uint64_t step)
{
	benchmark::State &s = unwrap(state);
	uint64_t wanted = static_cast<uint64_t>(s.max_iterations);

	wanted = (wanted + step - 1) / step * step;
	s.KeepRunningBatch(static_cast<benchmark::IterationCount>(wanted));
	return wanted;
}

void bm_loop_end(struct bm_state *state)
{
	unwrap(state).KeepRunningBatch(1);
}

bool bm_more(struct bm_state *state, uint64_t step)
{
	return unwrap(state).KeepRunningBatch(static_cast<benchmark::IterationCount>(step));
}

void bm_pause(struct bm_state *state)
{
	unwrap(state).PauseTiming();
}

void bm_resume(struct bm_state *state)
{
	unwrap(state).ResumeTiming();
}

unsigned bm_thread(const struct bm_state *state)
{
	return static_cast<unsigned>(unwrap(state).thread_index());
}

unsigned bm_threads(const struct bm_state *state)
{
	return static_cast<unsigned>(unwrap(state).threads());
}

void bm_fail(struct bm_state *state, const char *why)
{
	unwrap(state).SkipWithError(why);
}

void bm_context(const char *key, const char *value)
{
	benchmark::AddCustomContext(key, value);
}

void bm_options(int *argc, char **argv)
{
	benchmark::Initialize(argc, argv);
	if (benchmark::ReportUnrecognizedArguments(*argc, argv))
		std::exit(1);
}

unsigned bm_run(void)
{
	unsigned ran = static_cast<unsigned>(benchmark::RunSpecifiedBenchmarks());

	benchmark::Shutdown();
	return ran;
}
