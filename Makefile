# Every target works from a bare clone with Python 3.11+ and make: the stamp file sets the environment up once.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed-from-lock
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup run ui test lint bench bench-large soak mutants lock clean help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 to 3.13 is needed, and $(PYTHON) is " + sys.version.split()[0] + ": call make PYTHON=python3.11 …") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	@echo "Setting up $(VENV) from requirements.lock (once, about a minute) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --compile --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP) ## Set up the environment only

run: $(STAMP) ## Run the main job; simulates the source systems where nothing has arrived yet
	@$(BIN)/ops run --simulate-if-empty

ui: $(STAMP) ## Open the Dagster UI and its daemon on the same state; PORT=3001 for another port
	@$(BIN)/ops ui $(if $(PORT),--port $(PORT))

test: $(STAMP) ## Lint, types, laws and the test suite (under 8 minutes on two cores)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not soak and not bench"

lint: $(STAMP) ## Style, types, import laws and SQL style
	@$(BIN)/python -m pytest -m "not soak and not bench" tests/architecture

bench: $(STAMP) ## Measure; JSON on standard output
	@$(BIN)/python -m tests.benchmarks

bench-large: $(STAMP) ## Measure at full size, one round
	@$(BIN)/python -m tests.benchmarks --large

soak: $(STAMP) ## What is longer than the suite allows
	@$(BIN)/python -m pytest -n 2 -m soak

mutants: $(STAMP) ## Edit the models one place at a time, and see that tests notice; writes docs/mutants.md
	@$(BIN)/python -m tests.mutation

lock: $(STAMP) ## Compile requirements.lock anew from pyproject.toml (needs uv on the PATH)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras \
	  --no-header --quiet pyproject.toml -o requirements.lock

clean: ## Remove the environment and the caches; the state in data/ stays
	rm -rf $(VENV) dbt_project/target .mypy_cache .ruff_cache .import_linter_cache
