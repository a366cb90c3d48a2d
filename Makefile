# Two commands matter: `make demo` hears Hearth work, `make test` proves it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TRAIN  := $(VENV)/.train

.DEFAULT_GOAL := help
.PHONY: help demo test check bench train clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml hatch_build.py server/hearth_server/asr/micro/passing.c
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --editable '.[satellite,server]' --group dev
	@touch $@

# PyTorch by pip and first: its CPU build is taken where one is at hand, and whatever is installed satisfies the extra.
$(TRAIN): $(READY)
	$(BIN)/python -m pip install --quiet 'torch==2.13.0'
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --editable '.[satellite,server,train]' --group dev
	@touch $@

demo: $(READY) ## Play real recordings through a satellite and a server into the demo home
	$(BIN)/hearth demo

test: check $(TRAIN) ## Everything that must hold: style, types, tests
	$(BIN)/python -m pytest --durations=20

check: $(TRAIN) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## Measure again what the README claims
	$(BIN)/python bench/commands.py --engine micro --engine pocketsphinx
	$(BIN)/python bench/latency.py --most 60
	$(BIN)/python bench/streams.py
	$(BIN)/python bench/grammar.py
	$(BIN)/python bench/decoder.py
	$(BIN)/python bench/swap.py
	$(BIN)/python bench/rename.py
	$(BIN)/python bench/intents.py
	$(BIN)/python bench/rooms.py --check
	$(BIN)/python bench/wake.py --positives tests/data/satellite/alexa-*.flac --negatives examples/recordings --stages
	$(BIN)/python bench/front_end.py
	$(BIN)/python bench/endpoint.py --most 40
	$(BIN)/python bench/pause.py
	$(BIN)/python bench/idle.py --check
	$(BIN)/python bench/soak.py
	$(BIN)/python bench/soak.py --faults --rounds 1

train: $(TRAIN) ## The micro model from recordings to the file that is shipped (hours)
	train/run.sh

clean: ## Remove what make made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist server/hearth_server/asr/micro/libpassing.so
