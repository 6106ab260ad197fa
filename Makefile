# Python 3.11 to 3.13 and make are all that is needed. `make help` lists the targets.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)
PYTEST_ARGS ?=
# Smallest, and as fast as the others once the installation counts: docs/decisions/0001-demo-backend.md
DEMO_BACKEND ?= jax
DEMO_ARGS ?=

# The real ECGs of tests, benchmarks and the demo; without them the demo simulates its own.
ifndef CARDIOFLOW_DATA
ifneq ($(wildcard ../shared/data),)
CARDIOFLOW_DATA := $(abspath ../shared/data)
endif
endif
ifdef CARDIOFLOW_DATA
export CARDIOFLOW_DATA
endif

BIN := .venv/bin
INSTALL := -m pip install -qq --disable-pip-version-check -c constraints.txt -e

.DEFAULT_GOAL := help
.PHONY: help demo test bugs check lint types imports stubs format stub bench reference docs dist constraints clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: .venv-demo/installed ## Train, save, load and ask a model that tells atrial fibrillation from other rhythms
	KERAS_BACKEND=$(DEMO_BACKEND) .venv-demo/bin/cardioflow demo $(DEMO_ARGS)

test: .venv/installed ## Run the whole suite
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bugs: .venv/installed ## Put each known fault back and check that its tests notice
	$(BIN)/python tools/check_known_bugs.py

check: lint types imports stubs ## Run all that is checked without running the code

lint: .venv/installed ## Check style and formatting (ruff)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/installed ## Check the types (mypy --strict)
	$(BIN)/mypy

imports: .venv/installed ## Check that imports point down (import-linter)
	$(BIN)/lint-imports

stubs: .venv/installed ## Check that what is generated (the fluent stubs, the reference) is current
	$(BIN)/python tools/write_stubs.py --check
	$(BIN)/python tools/write_reference.py --check
	$(BIN)/python tools/write_options.py --check

format: .venv/installed ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

stub: .venv/installed ## Write the fluent stubs anew
	$(BIN)/python tools/write_stubs.py

bench: .venv/installed ## Measure ourselves against the named peers
	@set -e; for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script; done

reference: .venv/installed ## Write the reference of all members, the figures and the page of the zoo anew
	$(BIN)/python tools/write_reference.py
	$(BIN)/python tools/write_zoo.py
	$(BIN)/python tools/write_options.py

docs: .venv/installed ## Build the documentation site in out/site; a broken link is an error
	$(BIN)/python tools/build_site.py

dist: .venv/installed ## Build the wheel, the sdist and an SBOM in dist/, and try the wheel in an empty environment
	$(BIN)/python tools/build_dist.py

constraints: .venv/installed ## Pin the versions that are installed now
	@{ echo '# The versions that the suite passes with. "make constraints" writes this file anew.'; \
	$(BIN)/python -m pip freeze --exclude-editable | grep -v ' @ ' | sed 's/+cpu$$//' | LC_ALL=C sort -f; } > constraints.part
	@mv constraints.part constraints.txt

clean: ## Remove the environments and what was built
	rm -rf .venv .venv-demo build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# An environment is made once, and again when what it is made from has changed.
.venv/installed: pyproject.toml constraints.txt
	@$(call make_env,.venv,$(EXTRAS))

.venv-demo/installed: pyproject.toml constraints.txt
	@$(call make_env,.venv-demo,$(DEMO_BACKEND))

comma := ,
EXTRAS := torch,jax,tensorflow,onnx,ray,search,tracking,serve,docs,dev
define make_env
	$(or $(PYTHON),false) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || { \
		echo "No Python 3.11, 3.12 or 3.13 was found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }; \
	if [ ! -x $(1)/bin/python ]; then $(PYTHON) -m venv $(1) || { \
		echo "$(PYTHON) has no venv module. Install it (on Debian: apt install python3-venv)."; rm -rf $(1); exit 1; }; fi; \
	echo "Installing cardioflow[$(2)] into $(1) (once; a few minutes)"; \
	$(1)/bin/python $(INSTALL) '.[$(2)]' && touch $@
endef
