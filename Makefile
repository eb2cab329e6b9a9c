# Every target sets up what it needs by itself, so that a fresh clone needs nothing but Python, make and git.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test simulate node browser secrets lint fmt chaos bench docs site package sbom audit lock clean

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml

AUDIT := $(BIN)/pip-audit --disable-pip --progress-spinner off

# Stamps: made again when a lock changes, so that the second time is quick.
RUN := $(VENV)/.ready-to-run
DEV := $(VENV)/.ready-to-develop
# Directories with a package-lock.json, whose tests run in Node.
NODE_DIRS := tests/fidelity packages/salesforce packages/netsuite

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN) ## See it work, without any account; ARGS=--once plays and checks the scenario, then ends
	$(BIN)/twinbook demo $(ARGS)

# Four at a time, also on two cores: the slow ones wait more than they work. Who has nothing left takes from the others.
test: $(DEV) node ## Run all tests, or with ARGS some: make test ARGS=tests/unit
	$(BIN)/python -m pytest $(or $(ARGS),-n 4 --dist worksteal --ignore=tests/browser)
	@if [ -z '$(ARGS)' ] && compgen -G 'tests/browser/test_*.py' >/dev/null; then $(MAKE) browser; fi

# Where Node is missing it says so, and the tests that need it are skipped with that reason.
node: $(NODE_DIRS:%=%/node_modules/.ready)

%/node_modules/.ready: %/package.json %/package-lock.json
	@$(call npm_install,$*)

# In a process of its own: Playwright's event loop and that of the other tests exclude each other.
browser: $(DEV)
	command -v chromium >/dev/null || $(call apt_install,chromium)
	$(BIN)/python -m pytest tests/browser

screenshots: $(DEV) ## Make the pictures of the dashboard in docs/screenshots anew
	command -v chromium >/dev/null || $(call apt_install,chromium)
	$(BIN)/python -m tests.dashboard.look $(ARGS)

SEEDS ?= 2000
SEED ?=
simulate: $(DEV) ## Simulate faults by chance: SEEDS=50000 for more, SEED=1234 plays one and prints its trace
	$(BIN)/python -m tests.simulation.simulate $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(ARGS)

secrets: $(DEV) ## Look for secrets in what is committed; those in .secrets.baseline are known to be none
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --no-verify --baseline .secrets.baseline

lint: $(DEV) ## Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(DEV) ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

chaos: $(DEV) ## 5,000 edits while workers, systems and the database fail; ARGS=N for another number
	CHAOS_EDITS=$(or $(ARGS),5000) $(BIN)/python -m pytest -s --timeout 1800 tests/scenario/test_chaos.py

bench: $(DEV) ## Run the benchmarks
	@shopt -s nullglob; for file in bench/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file" $(ARGS); done

docs: $(DEV) ## Write the generated parts of docs/ anew
	$(BIN)/python docs/generate.py

site: $(DEV) ## Make the documentation as a site, in site/
	$(BIN)/zensical build --clean --strict

package: $(DEV) ## Build the wheel and see that it works where nothing else of this project is
	rm -rf dist .package
	$(BIN)/hatchling build -t wheel
	$(PYTHON) -m venv .package
	.package/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements.lock
	.package/bin/python -m pip --disable-pip-version-check --quiet install --no-deps dist/*.whl
	cd .package && bin/twinbook demo --once

sbom: $(DEV) ## List what is installed for use, in dist/twinbook.cdx.json
	mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible -o dist/twinbook.cdx.json

# Whether there is anybody to ask is tried out with a version that is known to be vulnerable.
audit: $(DEV) ## Ask for known vulnerabilities of what is installed for use (needs the internet)
	@if $(AUDIT) --no-deps -r <(echo 'jinja2==2.4.1') 2>&1 | grep -q 'Found [0-9]* known'; \
	then $(AUDIT) --require-hashes --strict -r requirements.lock; \
	else echo 'pip-audit: not checked: no access to the vulnerability data.'; fi

# The smaller lock follows the larger one: what is installed for use is what was tested.
lock: $(DEV) ## Resolve the dependencies anew; ARGS=--upgrade takes newer versions
	$(COMPILE) --group build --group dev --output-file requirements-dev.lock $(ARGS)
	$(COMPILE) --group build --constraint requirements-dev.lock --output-file requirements.lock $(ARGS)

clean: ## Remove all that was made here, the environment too
	rm -rf $(VENV) $(NODE_DIRS:%=%/node_modules) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .package dist site

$(DEV): requirements-dev.lock $(RUN)
	$(PIP) -r $<
	touch $@

# Without build isolation, so that the build backend too comes from the lock.
$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the dependencies into $(VENV) (once) ..."
	$(PIP) -r $<
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Twinbook needs Python 3.11 or later. Name one with: make PYTHON=python3.12 …'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call apt_install,python3-venv)
	$(PYTHON) -m venv $(VENV)

# Packages of a directory, once, by its lock; no script of a package is run.
define npm_install
if command -v npm >/dev/null && node -e 'process.exit(+(parseInt(process.versions.node) < 20))'; then \
	echo 'Installing the Node packages of $(1) (once) ...'; \
	(cd $(1) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) && touch $(1)/node_modules/.ready; \
else echo 'Node 20 or later with npm is missing: the tests of $(1) are skipped. Install it, then: make node'; fi
endef

# Debian leaves out some parts of what it installs; as root they can be added.
define apt_install
{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	|| { echo 'Please install the package $(1) (Debian, Ubuntu: sudo apt-get install $(1)).'; exit 1; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(1); }
endef
