# make run     set up where it is missing, then the demo: simulated venues and a router, FIX on port 9876
# make test    the same set-up, then the whole test suite
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: run test lint bench chaos soak clean-state

run: $(READY)
	@exec $(BIN)/fixrouter demo

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	@$(BIN)/python -c 'import ccxt' 2>/dev/null || $(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m tests.bench

chaos: $(READY)
	@$(BIN)/python -m tests.chaos $(ARGS)

soak: $(READY)
	@$(BIN)/python -m tests.bench.soak $(ARGS)

clean-state:
	rm -rf var

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@PYTHON=$(BIN)/python sh .ci/install
	@touch $@
