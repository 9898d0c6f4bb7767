# Everything runs in .venv, which is made when it is missing. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FASHION := models/fashion-mnist
FUZZ ?= 20000
SEED ?= 0

.PHONY: demo test test-slow test-long fuzz lint format bench bench-gpu models clean

demo: $(VENV)/.installed
	$(BIN)/onnxspec analyze $(FASHION)/pytorch.onnx --data $(FASHION)/test.npz -o $(VENV)/demo.h5

test: $(VENV)/.installed-test demo
	$(BIN)/python -m pytest -n auto --dist loadfile

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow

test-long: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m long -s

# Started again, it goes on where it was: outcomes are kept in the log.
fuzz: $(VENV)/.installed-test
	$(BIN)/python -m tests.fuzz --count $(FUZZ) --seed $(SEED) --log $(VENV)/fuzz-$(SEED).jsonl

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-test
	$(BIN)/python -m tests.benchmarks.bench

bench-gpu: $(VENV)/.installed-test
	$(BIN)/python -m tests.benchmarks.gpu

models:
	bash models/make.sh

clean:
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@

$(VENV)/.installed-lint: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[lint]"
	touch $@
