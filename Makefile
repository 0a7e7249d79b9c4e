# The commands for people and for CI. `make run` starts the desk, `make test` proves it.
PORT ?= 8501
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
PYTEST := $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

.PHONY: run test test-all check bench format clean

run: export PORT := $(PORT)
run: $(VENV)/ready-run ## Start the desk at http://localhost:$(PORT)
	@$(BIN)/python scripts/serve.py

test test-all: export PYTHONDONTWRITEBYTECODE := # their many processes start a third faster from bytecode
test: $(VENV)/ready-test ## Every test that a change must pass (under 10 minutes)
	$(PYTEST)

test-all: $(VENV)/ready-test ## Also the long ones: all kills, soaks and simulations
	$(PYTEST) -m "slow or not slow"

check: $(VENV)/ready-test ## Lint, format, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

format: $(VENV)/ready-test ## Put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/ready-test ## Measure; results go into benchmarks/RESULTS.md by hand
	$(BIN)/python -m benchmarks

clean: ## Forget the environment and the data
	rm -rf $(VENV) var

$(VENV)/ready-venv:
	@test -n "$(PYTHON)" || { echo "Trialdesk needs Python 3.11, 3.12 or 3.13. Install one, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/ready-run: $(VENV)/ready-venv requirements.txt
	@echo "Installing what Trialdesk needs into $(VENV): once, mostly in less than two minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-test: $(VENV)/ready-run requirements-dev.txt
	@echo "Installing what the tests need into $(VENV): once, mostly in less than two minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
