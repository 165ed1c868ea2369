# What a newcomer guesses: bench, setup, test, test-slow, test-lowest, coverage, lint, types, gate, benchmarks,
# fidelity, examples, browser, matrix, lock.
# Everything is set up in $(VENV) on first use; pip reads versions and hashes from
# constraints.txt, so two machines get the same packages.

PYTHON ?= python3
VENV ?= .venv
OLDEST_PYTHON ?= python3.11
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: bench setup test test-slow test-lowest coverage lint format types gate benchmarks fidelity examples browser matrix lock clean

bench: $(VENV)/.ready
	$(BIN)/warpbench run --out results

# Nothing but the environment, for who wants its commands: `. .venv/bin/activate`.
setup: $(VENV)/.ready

# The fast suite: minutes, and right on a busy machine. What starts environments, measures real
# time or needs valgrind is in test-slow; what needs the frameworks or a browser comes below, and so
# do the commands of the docs, which are examples, too.
DOCS := tests/test_docs.py tests/test_gate_docs.py tests/test_world_docs.py tests/test_exploration_docs.py \
	tests/test_services_docs.py
FAST := --ignore tests/examples --ignore tests/browser
# One worker more than there are cores: a quarter of the time tests wait for processes that they start.
WORKERS := -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Neighbours stay together: what a module or a package prepares is prepared by one worker.
PARALLEL := $(WORKERS) --dist worksteal

test: $(VENV)/.ready
	$(BIN)/pytest $(PARALLEL) $(FAST) $(DOCS:%=--ignore %) $(PYTEST_OPTIONS)

# Up to an hour, on a machine that is idle: run it before an issue is closed.
test-slow: $(VENV)/.frameworks
	$(BIN)/pytest tests/slow tests/benchmarks -o timeout=1800 -o faulthandler_timeout=3600 \
		$(PYTEST_OPTIONS)

# With the lowest versions that warpbench takes, on the oldest Python: what talks to packages that
# differ. The extras are not among them, nor what tests them.
LOWEST := tests/agent tests/mocks/transports tests/mocks/world tests/mocks/model \
	tests/mocks/clock/test_time_that_targets_set.py tests/bench/trial tests/bench/runner \
	tests/bench/targets tests/bench/instruments tests/bench/statistics tests/bench/results \
	tests/bench/testing tests/reports
# And what holds the mocked world against the newest SDKs, or HTTP clients that warpbench does not need.
WITH_EXTRAS := tests/mocks/model/test_apis.py tests/mocks/model/test_anthropic_threads.py \
	tests/mocks/model/test_answers_that_fit.py tests/mocks/model/test_described_bounds.py \
	tests/mocks/model/endpoints/test_token_counts.py tests/mocks/model/test_sent.py \
	tests/mocks/model/test_prefill.py tests/mocks/transports/in_process/test_clients.py \
	tests/mocks/transports/in_process/test_own_senders.py \
	tests/mocks/transports/loopback/test_refused_answers.py tests/agent/mcp tests/agent/frontends \
	tests/agent/observability/test_opentelemetry.py tests/agent/test_docs.py tests/mocks/world/test_mcp_server.py \
	tests/bench/trial/test_profiling.py
test-lowest: .venv-lowest/.ready
	@# Old packages are deprecated by newer ones, and newer Pythons.
	.venv-lowest/bin/pytest -W ignore::DeprecationWarning -W ignore:Glyph \
		-k "not aiohttp and not client_of_it and not pyperf and not counts_tokens" $(PARALLEL) $(LOWEST) $(WITH_EXTRAS:%=--ignore %) $(PYTEST_OPTIONS)

# Which lines and branches the fast suite runs; about twice as long as `make test`.
coverage: $(VENV)/.ready
	$(BIN)/coverage erase
	COVERAGE_FILE=$(CURDIR)/.coverage $(BIN)/coverage run -m pytest $(PARALLEL) $(FAST) $(PYTEST_OPTIONS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.ready
	MYPYPATH=$(VENV)/typing $(BIN)/mypy -p warpbench.mocks -p warpbench.bench -p warpbench.reports -p warpbench.agent
	MYPYPATH=$(VENV)/typing $(BIN)/mypy tests/typing_api/agent_api.py
	MYPYPATH=$(VENV)/typing $(BIN)/mypy -p tests.frameworks.matrix

# Holds the agent and the strategies against warpbench-baseline.json.
gate: $(VENV)/.ready
	$(BIN)/warpbench gate

benchmarks: $(VENV)/.frameworks
	$(BIN)/pytest tests/benchmarks --benchmark-enable -s -o timeout=0 -o faulthandler_timeout=3600

# The clock's accuracy: the same cells in `wall` and in `warp`. Real waiting: about 12 minutes.
fidelity: $(VENV)/.ready
	$(BIN)/python tests/benchmarks/fidelity.py

# The examples, and each command and test of the docs.
examples: $(VENV)/.frameworks
	$(BIN)/pytest $(PARALLEL) tests/examples $(DOCS)

# The page in a browser: needs `chromium` on the machine.
browser: $(VENV)/.browser
	$(BIN)/pytest tests/browser

# warpbench beside each framework, newest releases, in .matrix/: renews docs/frameworks.md and the
# constraints. After 90 minutes it stops; what was done stays done. Some: make matrix FRAMEWORKS="crewai agno"
FRAMEWORKS ?=
matrix: $(VENV)/.ready
	nice $(BIN)/python -m tests.frameworks.matrix $(FRAMEWORKS)

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is older than 3.11: name another, as in make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@# Type checkers do not follow the finder of an editable install, but do follow a link.
	mkdir -p $(VENV)/typing && ln -sfn "$(CURDIR)" $(VENV)/typing/warpbench
	@touch $@

.venv-lowest/.ready: pyproject.toml constraints-lowest.txt
	test -x .venv-lowest/bin/python || $(OLDEST_PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet $(PIP_OPTIONS) --require-hashes -r constraints-lowest.txt
	.venv-lowest/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.frameworks: $(VENV)/.ready constraints-frameworks.txt
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) --require-hashes -r constraints-frameworks.txt
	@touch $@

$(VENV)/.browser: $(VENV)/.ready constraints-browser.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r constraints-browser.txt
	@touch $@

# Resolves pyproject.toml for every supported Python, with hashes and without addresses. Versions
# stay as they are where they still fit; `make lock UPGRADE=--upgrade` takes the newest of all.
UPGRADE ?=
LOCKED = --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q
COMPILE = $(BIN)/uv pip compile --universal $(LOCKED) $(UPGRADE)
# The lowest of what pyproject.toml names, and the newest of what that needs in turn.
LOWEST_COMPILE = $(BIN)/uv pip compile --resolution lowest-direct $(LOCKED) --upgrade

lock: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) pyproject.toml --all-extras --group dev --group build -o constraints.txt
	$(COMPILE) pyproject.toml --all-extras --group dev --group build --group frameworks \
		-c constraints.txt -o constraints-frameworks.txt
	$(COMPILE) --group browser -c constraints.txt -o constraints-browser.txt
	$(LOWEST_COMPILE) pyproject.toml --group lowest -o constraints-lowest.txt

clean:
	rm -rf $(VENV) .venv-3.* .venv-lowest .matrix results build *.egg-info .mypy_cache .ruff_cache .pytest_cache
