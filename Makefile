# Every target works from a fresh clone with Go alone; PostgreSQL's binaries are
# used where they are there.
GO      ?= go
LINT     = $(GO) tool -modfile=tools/go.mod golangci-lint
PACKAGES = ./...
# What kills the real binary, takes its database away or fills its memory is a
# target of its own (faults): it needs minutes, whatever else is tested.
QUICK    = $$($(GO) list $(PACKAGES) | grep -v '/internal/crash$$')
# They take longest, and begin first, so that none of them is left alone at the end.
LONG     = ./store ./api ./executor ./cmd/heddle ./steps ./schedules
# SQLite itself and its C library, C that a program made Go of, have no goroutine of their
# own and are not watched: under the detector they take eight times as long, and half as
# long again where the compiler's checks of pointers see their memory.
UNWATCHED = -race=false -d=checkptr=0
RACE     = -race "-gcflags=modernc.org/sqlite/lib=$(UNWATCHED)" "-gcflags=modernc.org/libc/...=$(UNWATCHED)" "-gcflags=modernc.org/memory=$(UNWATCHED)"
# Far beyond what any package needs: only a hang reaches it.
LIMIT    = -timeout 30m
# Packages at once: tests wait for processes, disks and databases a third of the time, so that
# more than there are processors keep these busy.
AT_ONCE  = -p 3
# Tests are linked without what a debugger needs, and vetted by make lint, which does
# more: together a third of what building them costs.
BUILD    = -ldflags=-w -vet=off
# What `make profile` measures, and where it writes.
CASES    = awaited
PROFILES = profiles
comma   := ,

.DEFAULT_GOAL := help

.PHONY: help build test race faults race-long lint fmt layers crash sweep scripts bench profile eventsource console tour ci

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the binary, without cgo
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/heddle ./cmd/heddle

test: ## unit, property and conformance tests; needs no service
	$(GO) test $(LIMIT) $(AT_ONCE) $(BUILD) $(TESTFLAGS) $(LONG) $(QUICK)

race: TESTFLAGS += $(RACE) -count=1
race: test ## the same under the race detector

faults: ## the whole program: kills, outages, bad days
	$(GO) test -count=1 $(LIMIT) -parallel 3 -v ./internal/crash/

race-long: ## 10,000 rounds of each of the executor's races on SQLite, 2,000 on PostgreSQL; prints outcomes
	HEDDLE_RACE_ROUNDS=10000 $(GO) test -count=1 -timeout 2h -v -run 'TestRaces' ./executor/
	HEDDLE_RACE_ROUNDS=500 $(GO) test $(RACE) -count=1 -timeout 1h -v -run 'TestRaces' ./executor/
	HEDDLE_RACE_ROUNDS=60 $(GO) test $(RACE) -count=1 -timeout 1h -v -run 'Random' ./executor/

lint: ## golangci-lint at the version that tools/go.mod pins
	$(LINT) run --allow-parallel-runners $(PACKAGES)

fmt: ## format the code
	$(LINT) fmt

layers: ## who may import what
	$(GO) test -count=1 ./internal/layers/

crash: ## 1,000 kills of the real binary per store; prints figures
	HEDDLE_CRASH_KILLS=1000 $(GO) test -count=1 -timeout 3h -v -run 'TestCrash' ./internal/crash/

sweep: ## daily schedules in every zone at every half-hour of 2026; a year with restarts
	HEDDLE_SWEEP=all $(GO) test -count=1 -v -run 'TestSweep|TestAYear' ./schedules/

scripts: ## 10,000 scripts per way of confinement on a machine that is too busy for them
	HEDDLE_SCRIPT_ROUNDS=10000 $(GO) test -count=1 -timeout 2h -v -run 'TestScriptsDoNotFailOnTheirOwn' ./steps/

bench: build ## the figures that docs/benchmarks.md quotes
	bin/heddle bench
	bin/heddle bench --step-cost --parked 100000
	bin/heddle bench --schedules 1000
	bin/heddle bench --case loop-10k
	bin/heddle bench --case loop-1m
	HEDDLE_BENCH_RUNS=20000 $(GO) test -count=1 -v -run TestBenchOnPostgres ./cmd/heddle

profile: build ## CPU and allocation profiles of the cases CASES, in the folder PROFILES
	mkdir -p $(PROFILES)
	bin/heddle bench --case $(CASES) --profile $(PROFILES)
	$(GO) tool pprof -top -cum -nodecount 60 bin/heddle $(PROFILES)/$(word 1,$(subst $(comma), ,$(CASES))).server.cpu.pprof

eventsource: build ## the event streams, read by a client that is not ours (npm)
	HEDDLE_BIN=$(CURDIR)/bin/heddle .ci/eventsource

console: build ## the console's build, its size, and its flows in a browser (npm, Chromium)
	HEDDLE_BIN=$(CURDIR)/bin/heddle .ci/console

tour: build ## the commands of the README, run for real
	.ci/tour

ci: ## what the continuous build runs
	.ci/run
