# One-line aliases of `python -m kdnotes …` that also make the environment (.venv).
#   make course [PROFILE=tiny|quick|gpu|full] [DATA=path-of-a-face-set]
#   make test; make test-all runs what takes minutes, too
#   make book builds the web book; make slides the lecture; make exercises the exercises and solutions
#   make badges SLUG=owner/repo [VERSION=tag] for a fork
PYTHON ?= python3
BIN := .venv/bin
export KDNOTES_PROFILE := $(or $(PROFILE),$(KDNOTES_PROFILE))
export KDNOTES_DATA := $(or $(DATA),$(KDNOTES_DATA))

.PHONY: course test test-all lab book exercises slides badges lint clean
course: .venv/ready
	$(BIN)/python -m kdnotes course

test: .venv/ready
	$(BIN)/python -m kdnotes test

test-all: .venv/ready
	$(BIN)/python -m kdnotes test --all

lab: .venv/ready
	$(BIN)/python -m kdnotes lab

book: .venv/ready
	$(BIN)/python -m kdnotes book

exercises: .venv/ready
	$(BIN)/python -m kdnotes exercises

slides: .venv/ready
	$(BIN)/python -m kdnotes slides

badges: .venv/ready
	$(BIN)/python -m kdnotes badges $(SLUG) $(if $(VERSION),--version $(VERSION))

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf build
