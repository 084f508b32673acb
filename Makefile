# Every target works from a bare clone with Python 3.11 to 3.13 and make. `run` and `ui` install what running needs;
# the targets that test or measure add what these need. uv is used where it is on the PATH, pip otherwise.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed-run
DEV    := $(VENV)/.installed-dev
UV     := $(shell command -v uv 2>/dev/null)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Compiling every installed file costs half a minute of processor time, and most of the files are never imported. So
# neither pip nor uv compiles: importing the definitions once compiles what a run imports, also where the environment
# says that Python writes no bytecode. The pip that Python 3.11 brings takes three times as long as a newer one, so it is
# replaced first. pip's own lines are counted: a silent minute looks like a hang.
FIRST_LOAD := OPS_HOME=$(VENV)/first-load PYTHONDONTWRITEBYTECODE= $(BIN)/python -c 'import ops_project.definitions'
ifeq ($(UV),)
NEW_VENV := $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --require-hashes -r requirements-pip.lock
INSTALL  := $(BIN)/python -m pip install --progress-bar off --no-compile --no-deps
COUNT    := awk '/^Collecting/ {n++; if (n % 25 == 0) {print "  " n " packages fetched …"; fflush()}} \
	/^Installing collected/ {print "  unpacking them …"; fflush()} /^(ERROR|error)/ {print} /^exit / {code = $$2} END {exit code}'
else
NEW_VENV := $(UV) venv --quiet --seed --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
INSTALL  := $(UV) pip install --quiet --python $(BIN)/python --no-deps
COUNT    := awk '/^exit / {code = $$2; next} {print} END {exit code}'
endif

.PHONY: setup setup-dev run ui test lint bench bench-large soak mutants lock clean help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(RUN): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 to 3.13 is needed, and $(PYTHON) is " + sys.version.split()[0] + ": call make PYTHON=python3.11 …") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	@echo "Installing $$(grep -c '==' requirements.lock) packages into $(VENV) with $(if $(UV),uv (about half a minute),pip (about a minute)). This happens once."
	@test -x $(BIN)/python || $(NEW_VENV)
	@{ $(INSTALL) --require-hashes -r requirements.lock 2>&1; echo "exit $$?"; } | $(COUNT)
	@{ $(INSTALL) --no-build-isolation --editable . 2>&1; echo "exit $$?"; } | $(COUNT)
	@echo "Loading the definitions for the first time …"
	@$(FIRST_LOAD)
	@rm -rf $(VENV)/first-load
	@touch $@

# mypy 2 checks the project in two thirds of the time of mypy 1. It needs a newer pathspec than dbt allows, so it has a
# folder of its own.
$(DEV): requirements-dev.lock requirements-types.lock $(RUN)
	@echo "Installing what the tests and measurements need …"
	@{ $(INSTALL) --require-hashes -r requirements-dev.lock 2>&1; echo "exit $$?"; } | $(COUNT)
	@rm -rf $(VENV)/types
	@{ $(INSTALL) --require-hashes --target $(VENV)/types -r requirements-types.lock 2>&1; echo "exit $$?"; } | $(COUNT)
	@touch $@

setup: $(RUN) ## Install what running needs

setup-dev: $(DEV) ## Install what the tests need as well

run: $(RUN) ## Run the main job; simulates the source systems where nothing has arrived yet
	@$(BIN)/ops run --simulate-if-empty

ui: $(RUN) ## Open the Dagster UI and its daemon on the same state; PORT=3001 for another port
	@$(BIN)/ops ui $(if $(PORT),--port $(PORT))

# Compiled once, each test file and library costs nothing in the other processes that the suite starts: it is wanted also
# where the environment says that Python writes no bytecode.
TEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

# Some tests wait for a server, a limit of time or a child. With a third process, two cores work meanwhile: in a new clone
# the suite takes 7 min 37 s, and 8 min 6 s with two processes.
test: $(DEV) ## Lint, types, laws and the test suite (about 8 minutes on two cores)
	@$(TEST) -n 3 --dist loadgroup -m "not soak and not bench"

lint: $(DEV) ## Style, types, import laws, calls in the tests and SQL style
	@$(BIN)/python -m tests.architecture.calls
	@$(TEST) -m "not soak and not bench" tests/architecture

bench: $(DEV) ## Measure; JSON on standard output
	@$(BIN)/python -m tests.benchmarks

bench-large: $(DEV) ## Measure at full size, one round
	@$(BIN)/python -m tests.benchmarks --large

soak: $(DEV) ## What is longer than the suite allows
	@$(TEST) -n 2 -m soak

mutants: $(DEV) ## Edit the models one place at a time, and see that tests notice; writes docs/mutants.md
	@$(BIN)/python -m tests.mutation

lock: ## Compile the locks anew from pyproject.toml (needs uv on the PATH)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --all-extras \
	  --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	echo 'mypy>=2.4' | uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --quiet --no-annotate - -o requirements-types.lock
	echo pip | uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  --no-annotate - -o requirements-pip.lock

clean: ## Remove the environment and the caches; the state in data/ stays
	rm -rf $(VENV) dbt_project/target .mypy_cache .ruff_cache .import_linter_cache
