# One-line aliases of `python -m kdnotes …` that also make the environment (.venv).
#   make course [PROFILE=tiny|quick|gpu|full] [DATA=path-of-a-face-set]
#   CPU=1, the first time: PyTorch without CUDA, hundreds of megabytes in place of 5 GB
#   PYTHON=python3.12: another Python than python3
#   make test; make test-all runs what takes minutes, too
#   make book builds the web book; make slides the lecture; make exercises the exercises and solutions
#   make badges SLUG=owner/repo [VERSION=tag] for a fork
PYTHON ?= python3
TORCH_FOR_CPU ?= https://download.pytorch.org/whl/cpu
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
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || \
		{ echo "kdnotes needs Python 3.11 to 3.14, and $(PYTHON) is not; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
ifdef CPU
	$(BIN)/python -m pip install -c constraints.txt --extra-index-url $(TORCH_FOR_CPU) torch torchvision
endif
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf build
