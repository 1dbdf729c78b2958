# Each target first installs what it needs into .venv, and again only after the pinned
# requirements changed. Words for the command itself go into ARGS: make test ARGS="-k retail"
BIN := .venv/bin
CODE := environments writ_app tests manage.py
TEMPLATES = find templates writ_app -name '*.html' -print0 2>/dev/null | xargs -0 -r

.PHONY: demo up test install lint fmt types contracts templates migrations check trainers lock clean

demo: .venv/base.stamp       ## synthesize a small set and serve the app
	@$(BIN)/python manage.py demo $(ARGS)

up: .venv/base.stamp         ## serve the app on the data it has
	@$(BIN)/python manage.py up $(ARGS)

test: .venv/dev.stamp        ## the whole test suite, on real Postgres and a real broker, one process per core
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(ARGS)

install: .venv/dev.stamp     ## only the installation

trainers: .venv/trainers.stamp    ## templates, tokenizers and converters of trainers, which tests/trainers holds our rows against

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

# The compiled files name no index (the default), so that any mirror serves them.
COMPILE = uv pip compile --quiet --generate-hashes --universal --python-version 3.12 \
  --custom-compile-command "make lock" $(ARGS)
lock:
	$(COMPILE) requirements/base.in -o requirements/base.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) --no-deps requirements/trainers.in -o requirements/trainers.txt

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
