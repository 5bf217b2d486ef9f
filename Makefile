# Commands for users and developers; `make` alone lists them.
#
# Needs Python 3.11 or newer with venv, and make. Everything else goes into $(VENV).

PYTHON    ?= python3
VENV      ?= .venv
HOST      ?= 127.0.0.1
ECHO_PORT ?= 12345
HTTP_PORT ?= 8080
LAB_OUT   ?= lab-results
LIVE_PORT ?= 8081
TESTS     ?= tests
# How many tests run at a time.
JOBS      ?= 2
FUZZ_SECONDS ?= 10
BENCH     ?=
BARE      ?= .ci/run
TRUTH     ?= $(wildcard tests/captures/data/*/*.pcap*)
SEEDS     ?= 1 10000
JSON      ?=

BIN := $(VENV)/bin
# Three sizes of the same environment; each file's date is that of its last installation.
RUN_STAMP   := $(VENV)/.installed-run
TEST_STAMP  := $(VENV)/.installed-test
CHECK_STAMP := $(VENV)/.installed-check
FUZZ_STAMP  := $(VENV)/.installed-fuzz
BENCH_STAMP := .venv-bench/.installed
METADATA    := setup.cfg pyproject.toml
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

# COVERAGE=1 measures what runs; `make coverage-report` then adds up and judges.
COVERAGE       ?=
MEASURED       := $(if $(COVERAGE),$(BIN)/coverage run,$(BIN)/python)
# Trial counts a skip as a success; where skips are forbidden .ci/trial.py does not.
TRIAL          := $(if $(NETLAB_NO_SKIPS),.ci/trial.py,$(BIN)/trial)
# What tests write stays out of the tree. Several at a time only where there are some for sure: with
# -j and no test case at all trial waits for ever.
TRIAL          += $(if $(filter tests,$(TESTS)),-j$(JOBS)) --temp-directory=$(VENV)/trial-scratch
# Tests that share what is dear to make are of a group, which one process runs.
PYTEST         := -m pytest --numprocesses=$(JOBS) --dist=loadgroup

.DEFAULT_GOAL := help
.PHONY: help run lab live test quick trial bare bench fuzz truth truth-simulated strictness lint format types docs news coverage coverage-report dist check clean
.DELETE_ON_ERROR:

help: ## list these commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  Variables: PYTHON=$(PYTHON) VENV=$(VENV) HOST=$(HOST) ECHO_PORT=$(ECHO_PORT) HTTP_PORT=$(HTTP_PORT) LAB_OUT=$(LAB_OUT) LIVE_PORT=$(LIVE_PORT)"

run: $(RUN_STAMP) ## start both servers in the foreground until Ctrl-C
	@exec $(BIN)/netlab serve --host $(HOST) --echo-port $(ECHO_PORT) --http-port $(HTTP_PORT)

lab: $(RUN_STAMP) ## run the reference experiments and name the page of their results (LAB_OUT=…)
	@exec $(BIN)/netlab lab run --reference --jobs 2 --out $(LAB_OUT)

live: $(RUN_STAMP) ## serve the live laboratory's page until Ctrl-C (LIVE_PORT=…)
	@exec $(BIN)/twistd -n --pidfile= netlab-lab --listen tcp:127.0.0.1:$(LIVE_PORT)

test: $(TEST_STAMP) ## run the TestCases under trial, then all else under pytest (TESTS=… picks, COVERAGE=1 measures, JOBS=2)
	@$(if $(COVERAGE),rm -f .coverage .coverage.*)
	$(MEASURED) $(TRIAL) $(TESTS)
	$(MEASURED) $(PYTEST) --without-cases $(TESTS)

quick: $(TEST_STAMP) ## run what takes milliseconds, under pytest alone
	$(BIN)/python $(PYTEST) -m "not slow" $(TESTS)

trial: $(TEST_STAMP) ## run the TestCases alone
	$(BIN)/python $(TRIAL) $(TESTS)

bare: ## run CI from a clone on a machine that has next to nothing, as root (BARE=command)
	@.ci/bare $(BARE)

bench: $(RUN_STAMP) $(BENCH_STAMP) ## measure the servers beside others (BENCH=quick, or workloads by name; JSON=FILE)
	$(BIN)/python -m benchmarks $(if $(filter quick,$(BENCH)),--quick) $(if $(JSON),--json $(JSON)) $(filter-out quick,$(BENCH))

lint: $(CHECK_STAMP) ## check style and layout of the source
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(CHECK_STAMP) ## lay the source out and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(CHECK_STAMP) ## check the types of package, plugin and tests
	$(BIN)/mypy

docs: $(CHECK_STAMP) ## build the API documentation into apidocs/
	$(BIN)/python .ci/apidocs.py

fuzz: $(FUZZ_STAMP) ## look for bytes that break a promise (FUZZ_SECONDS=… for each target)
	@mkdir -p artefacts/fuzz
	$(BIN)/python -m tests.fuzz.run --list | xargs -P 2 -I TARGET $(BIN)/python -m tests.fuzz.run \
	    TARGET -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=artefacts/fuzz/TARGET-

truth: $(TEST_STAMP) ## hold what is claimed of captures against their frames (TRUTH=files …)
	$(BIN)/python -m tests.truth $(TRUTH)

truth-simulated: $(TEST_STAMP) ## hold what is told of simulated runs against what happened (SEEDS="1 10000")
	$(BIN)/python -m tests.truth.laboratory $(SEEDS) --simulated

strictness: $(TEST_STAMP) ## try the black-box cases on nginx, lighttpd and twistd web too
	$(BIN)/python benchmarks/strictness.py

news: $(CHECK_STAMP) ## show the news that the next release would announce
	$(BIN)/towncrier build --draft --version next

coverage: ## run all tests and judge how much of the code they reach
	$(MAKE) test COVERAGE=1
	$(MAKE) coverage-report

coverage-report: $(CHECK_STAMP)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: lint types docs test ## all of the above that judges

dist: $(CHECK_STAMP) ## build sdist and wheel into dist/
	rm -rf build dist
	$(BIN)/python -m build
	rm -rf build

clean: ## remove everything that these commands made
	rm -rf $(VENV) .venv-* build dist apidocs artefacts lab-results *.egg-info _trial_temp* .coverage .coverage.* \
	    .hypothesis .mypy_cache .ruff_cache .pytest_cache twisted/plugins/dropin.cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || \
	    { echo "netlab: no $(PYTHON) here; name a Python 3.11 or newer: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "netlab: $$($(PYTHON) --version 2>&1) is too old, 3.11 is needed: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	    { echo "netlab: $(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "netlab: making the Python environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# The servers that ours is measured beside, and what draws the chart: kept apart, since ours need none
# of it. Without a package index the benchmarks name these servers as absent.
$(BENCH_STAMP): benchmarks/requirements.txt
	@echo "netlab: installing the servers to be compared with into .venv-bench"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r $< || \
	    echo "netlab: some could not be installed; the benchmarks go on without them"
	@touch $@

$(RUN_STAMP): $(METADATA) | $(BIN)/python
	@echo "netlab: installing into $(VENV)"
	@$(PIP_INSTALL) .
	@touch $@

$(TEST_STAMP): $(METADATA) | $(BIN)/python
	@echo "netlab: installing into $(VENV), with what the tests need"
	@$(PIP_INSTALL) '.[test]'
	@touch $@ $(RUN_STAMP)

# atheris, which guides by coverage, is large and has wheels for few platforms: only make fuzz wants it.
$(FUZZ_STAMP): $(METADATA) | $(BIN)/python
	@echo "netlab: installing into $(VENV), with what fuzzing needs"
	@$(PIP_INSTALL) '.[test,fuzz]'
	@touch $@

$(CHECK_STAMP): $(METADATA) | $(BIN)/python
	@echo "netlab: installing into $(VENV), with what the tests and checks need"
	@$(PIP_INSTALL) '.[test,check]'
	@touch $@ $(TEST_STAMP) $(RUN_STAMP)
