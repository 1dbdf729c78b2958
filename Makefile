# Each target first installs what it needs into .venv, and again only after the pinned
# requirements changed. Words for the command itself go into ARGS: make test ARGS="-k retail"
BIN := .venv/bin
CODE := environments writ_app tests docs manage.py
TEMPLATES = find templates writ_app -name '*.html' -print0 2>/dev/null | xargs -0 -r

.PHONY: demo up test bench install lint fmt types contracts templates migrations check trainers training audit sbom lock clean

demo: .venv/base.stamp       ## synthesize a small set and serve the app
	@$(BIN)/python manage.py demo $(ARGS)

up: .venv/base.stamp         ## serve the app on the data it has
	@$(BIN)/python manage.py up $(ARGS)

# Where somebody has told Python to keep nothing, each of hundreds of processes would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

# Many tests wait for a browser, a server or a worker: half as many processes again as there are cores keep these busy.
PROCESSES = $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 ))
test: .venv/dev.stamp        ## the whole test suite, on real Postgres and a real broker, in several processes
	@$(BIN)/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder $(ARGS)

bench: .venv/dev.stamp       ## all benchmarks, a quarter of an hour; writes docs/benchmarks.md and docs/benchmarks.json
	@$(BIN)/python -m tests.benchmarks $(ARGS)

install: .venv/dev.stamp     ## only the installation

trainers: .venv/trainers.stamp    ## templates, tokenizers and converters of trainers, which tests/trainers holds our rows against

training: .venv/training.stamp .venv/llama-factory.stamp .venv/trainers.stamp    ## TRL and LLaMA-Factory with torch, by which tests/trainers trains a small model

lint: .venv/dev.stamp
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

fmt: .venv/dev.stamp
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)
	@$(TEMPLATES) $(BIN)/djade --target-version 6.1

types: .venv/dev.stamp
	@$(BIN)/mypy

contracts: .venv/dev.stamp
	@$(BIN)/lint-imports

templates: .venv/dev.stamp
	@$(TEMPLATES) $(BIN)/djade --check --target-version 6.1

# Without a database to compare with, Django warns and goes on: the warning is not for us.
migrations: .venv/dev.stamp
	@WRIT_SECRET_KEY=unused $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(BIN)/python -m pytest -q tests/test_migrations.py

check: lint types contracts templates migrations    ## everything but the tests

# Asks the index about every package, so it is no part of `check`. Without a network there is no report, and that is said.
audit: .venv/audit.stamp     ## known weaknesses of what is pinned
	@rm -f .venv/audit.json
	@.venv/audit/bin/pip-audit --disable-pip --require-hashes -r requirements/base.txt --desc on --format json --output .venv/audit.json \
	  2> .venv/audit.log || test -s .venv/audit.json || { echo "Not audited, the index of weaknesses was not reached:"; tail -n 1 .venv/audit.log; }
	@test ! -s .venv/audit.json || $(BIN)/python -c 'import json, sys; found = [(d["name"], d["version"], v["id"], v["fix_versions"]) for d in json.load(open(".venv/audit.json"))["dependencies"] for v in d.get("vulns", [])]; print(*found or ["No known weakness."], sep="\n"); sys.exit(bool(found))'

sbom: .venv/audit.stamp      ## everything that the app installs, with hashes, as CycloneDX 1.6 in sbom.json
	@.venv/audit/bin/cyclonedx-py requirements requirements/base.txt --spec-version 1.6 --output-reproducible --output-file sbom.json

# The compiled files name no index (the default), so that any mirror serves them.
COMPILE = uv pip compile --quiet --generate-hashes --universal --python-version 3.12 \
  --custom-compile-command "make lock" $(ARGS)
lock:
	$(COMPILE) requirements/base.in -o requirements/base.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) --no-deps requirements/trainers.in -o requirements/trainers.txt
	$(COMPILE) requirements/training.in -o requirements/training.txt
	$(COMPILE) requirements/llama-factory.in -o requirements/llama-factory.txt
	$(COMPILE) requirements/audit.in -o requirements/audit.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.venv/dev.stamp: .venv/base.stamp requirements/dev.txt
	@echo "Installing what tests and checks need ..."
	@$(PIP) -r requirements/dev.txt && touch $@

# Their own requirements are gigabytes that contradict each other; what is read of them needs none. A folder of its own
# keeps them out of everything else's sight.
.venv/trainers.stamp: requirements/trainers.txt .venv/dev.stamp
	@echo "Installing what rows are held against (30 MB) ..."
	@rm -rf .venv/trainers
	@$(PIP) --no-deps --no-compile --target .venv/trainers -r requirements/trainers.txt && touch $@

# On Linux the index has torch with CUDA. Where there is an interpreter with a smaller one, WRIT_TRAINERS_PYTHON and
# WRIT_LLAMA_FACTORY_PYTHON name it instead.
.venv/training.stamp .venv/llama-factory.stamp: .venv/%.stamp: requirements/%.txt | $(BIN)/python
	@echo "Installing $* with torch (6 GB) ..."
	@rm -rf .venv/$* && $(BIN)/python -m venv .venv/$*
	@.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@

# An environment of its own: what looks at the app's requirements shares none of them.
.venv/audit.stamp: requirements/audit.txt | $(BIN)/python
	@echo "Installing what audits ..."
	@rm -rf .venv/audit && $(BIN)/python -m venv .venv/audit
	@.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt && touch $@

.venv/base.stamp: requirements/base.txt | $(BIN)/python
	@echo "Installing what the app needs (about half a minute) ..."
	@$(PIP) -r requirements/base.txt && touch $@

# A name on PATH is not enough: it may be too old, or a shim for a version that is not there.
$(BIN)/python:
	@for name in python3.13 python3.12 python3 python3.14 python; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
	    echo "Making .venv with $$($$name --version) ..."; \
	    $$name -m venv .venv && exit 0; \
	    rm -rf .venv; \
	    echo "$$name cannot make a virtual environment. On Debian or Ubuntu: apt install python3-venv" >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo "WRIT needs Python 3.12 or newer, and none is on PATH. Install one, for example python3.13." >&2; \
	exit 1
