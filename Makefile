# Marginproof. `make demo` runs the main job, `make test` passes the tests; both build what they need.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := .build
CARGO_TOOLS := $(BUILD)/cargo
# Tools that were installed into the environment (maturin, buf, vyper) come before the machine's own.
export PATH := $(abspath $(BIN)):$(abspath $(CARGO_TOOLS)/bin):$(PATH)
# Tables of the core are kept with the build, not in the home of whoever builds.
export MARGINPROOF_CACHE_DIR ?= $(abspath $(BUILD))/tables
ROOMS := model reference attestation client node chains oracles risk relayers prover verifier cli
CORE_SOURCES := $(shell find core \( -path core/target -o -path core/fuzz \) -prune -o -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.py' -o -name '*.pyi' -o -name '*.bin' \) -print 2>/dev/null)
SEED ?= 1
COUNT ?= 200
SECONDS ?= 60

.PHONY: help demo test test-rust test-python check lint types proto bench bench-core bench-sweep bench-memory bench-threads bench-typescript bench-gas plots costs mutants mutants-all mutants-core mutants-core-all differential differential-tenth fuzz fuzz-corpus races install tools clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# -- installation: each stamp is made again only when what it depends on has changed ---------------------------------

$(BUILD)/tools.stamp: scripts/require-tools
	@PYTHON=$(PYTHON) scripts/require-tools python rust node
	@mkdir -p $(BUILD) && touch $@

$(BUILD)/python.stamp: requirements/runtime.txt requirements/develop.txt requirements/constraints.txt $(BUILD)/tools.stamp
	@echo "[1/4] Python environment"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -r requirements/runtime.txt -r requirements/develop.txt
	@touch $@

$(BUILD)/core.stamp: $(CORE_SOURCES) $(BUILD)/python.stamp
	@echo "[2/4] Rust core (the first build takes a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall ./core
	@touch $@

$(BUILD)/package.stamp: pyproject.toml $(BUILD)/core.stamp
	@echo "[3/4] marginproof"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(BUILD)/node.stamp: package.json package-lock.json $(BUILD)/tools.stamp
	@echo "[4/4] anvil, the development chain, and the TypeScript compiler"
	@npm install --silent --no-audit --no-fund --no-save --ignore-scripts
	@touch $@

# Unoptimised: each is built in half the time and has little to do itself.
$(CARGO_TOOLS)/bin/cargo-mutants: | $(BUILD)/tools.stamp
	@echo "[tools] cargo-mutants (a minute)"
	@cargo install --quiet --debug --locked --root $(CARGO_TOOLS) cargo-mutants --version 27.1.0

$(CARGO_TOOLS)/bin/cargo-fuzz: | $(BUILD)/tools.stamp
	@scripts/require-tools nightly
	@echo "[tools] cargo-fuzz (half a minute)"
	@cargo install --quiet --debug --locked --root $(CARGO_TOOLS) cargo-fuzz --version 0.13.2

install: $(BUILD)/package.stamp $(BUILD)/node.stamp ## Build everything that demo and tests need
tools: $(BUILD)/tools.stamp ## Check that Python, Rust and Node are there

# -- the two commands -------------------------------------------------------------------------------------------------

demo: install ## Run the main job: two chains, three relayers, two venues, an account (two minutes)
	@$(BIN)/marginproof demo $(DEMO_ARGS)

test: install test-rust test-python ## Run all tests

test-rust: install
	@echo "[test] Rust core"
	@cd core && cargo test --release --workspace --quiet

test-python: install
	@echo "[test] Python"
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

# -- what CI adds -----------------------------------------------------------------------------------------------------

check: install lint types proto mutants differential-tenth test ## Everything CI runs

lint: install
	@echo "[check] formatting and lint"
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache >$(BUILD)/imports.log 2>&1 || { cat $(BUILD)/imports.log; exit 1; }
	@cd core && cargo fmt --all --check
	@cd core && cargo clippy --release --workspace --all-targets --quiet -- -D warnings

types: install
	@echo "[check] types"
	@$(BIN)/mypy $(ROOMS) proto/generate.py scripts tests benches examples core/python

proto: install ## Check the protos and that their generated stubs are current
	@echo "[check] protos"
	@$(BIN)/buf lint
	@$(BIN)/python proto/generate.py --check

mutants: install mutants-core ## Delete a seeded tenth of the checks, change a seeded tenth of the core, see a test go red
	@echo "[check] mutants, a seeded tenth"
	@$(BIN)/python scripts/mutants.py --sample 10 --seed $(SEED)

mutants-all: install mutants-core-all ## Delete every check and change every expression of the core's checks (hours)
	@$(BIN)/python scripts/mutants.py

mutants-core: install $(CARGO_TOOLS)/bin/cargo-mutants ## Change a seeded tenth of the verifier, statement checks and decoders (cargo-mutants)
	@echo "[check] mutants of the core, a seeded tenth"
	@$(BIN)/python scripts/mutants_core.py --tenth $(SEED)

mutants-core-all: install $(CARGO_TOOLS)/bin/cargo-mutants ## Change all of them, one at a time (an hour)
	@$(BIN)/python scripts/mutants_core.py

differential: install ## Specification and core agree: known answers, forgeries, 200 random statements (COUNT, SEED; five minutes)
	@$(BIN)/python -m scripts.differential --count $(COUNT) --seed $(SEED)

differential-tenth: install
	@echo "[check] specification and core, known answers and twenty random statements"
	@$(BIN)/python -m scripts.differential --count 20 --seed $(SEED)

fuzz: $(BUILD)/python.stamp $(CARGO_TOOLS)/bin/cargo-fuzz ## Fuzz the core, SECONDS=60 for each target or TARGET=name; INPUT=file runs it on one input
	@scripts/require-tools nightly
	@$(BIN)/python scripts/fuzz.py --seconds $(SECONDS) $(if $(TARGET),--target $(TARGET)) $(if $(INPUT),--input $(INPUT))

fuzz-corpus: $(BUILD)/python.stamp $(CARGO_TOOLS)/bin/cargo-fuzz ## Put what fuzzing learnt into the repository's corpus, minimised
	@$(BIN)/python scripts/fuzz.py --merge $(if $(TARGET),--target $(TARGET))

races: install ## Two venues race for one headroom, 200 times
	@MARGINPROOF_RACES=200 $(BIN)/python -m pytest -q tests/verifier/test_race_swaps.py

# -- figures ----------------------------------------------------------------------------------------------------------

bench: bench-core bench-sweep bench-memory bench-threads bench-typescript bench-gas ## All figures; those of the core and the verifiers in build/bench

costs: install ## What it costs: gas, waiting, storage, traffic (writes docs/costs.md; DEMO names a demo's directory)
	@$(BIN)/python -m benches.costs --write $(if $(DEMO),--demo $(DEMO))

bench-core: install ## Prove and verify, with both engines, beside range proofs of other hands (two minutes)
	@mkdir -p build/bench
	@cd core && cargo run --release --quiet --package comparison -- figures ../build/bench/core.json

bench-sweep: install ## The same against n, rows, digit columns and the size of a batch (two minutes)
	@mkdir -p build/bench
	@cd core && cargo run --release --quiet --package comparison -- sweep ../build/bench/core-sweep.json

bench-memory: install ## What a process holds that only verifies
	@$(BIN)/python -m benches.memory build/bench/memory.json

bench-threads: install ## How much faster two Python threads verify than one
	@$(BIN)/python -m benches.threads build/bench/threads.json

bench-typescript: install ## The verifier for browsers and Node, in Node
	@mkdir -p build/bench
	@npm run --silent --workspace client/typescript bench -- ../../build/bench/typescript.json

bench-gas: install ## Gas of every contract call
	@$(BIN)/python benches/gas.py

plots: install ## docs/performance.md and its pictures from the figures in build/bench
	@$(BIN)/python -m benches.plot_core --collect

clean: ## Remove everything that was built
	rm -rf $(BUILD) $(VENV) node_modules core/target core/fuzz/target core/fuzz/artifacts build dist client/typescript/build client/typescript/dist
