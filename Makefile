# DermoForge. `make` alone lists what can be made. Everything is installed into .venv and nowhere else.

# CONFIG=config/laptop.env: the settings of a deployment. What the environment says already goes before what the file says.
CONFIG ?=
$(foreach line,$(if $(CONFIG),$(shell sed -n 's/^\([A-Z][A-Z0-9_]*\)=/\1?=/p' $(CONFIG))),$(eval export $(line)))

SOURCES ?=
TEACHER ?=
TEACHER_MODEL ?=
TEACHER_FILE ?=
MODEL ?=
PORT ?= 3000
FILE ?=
# gpu where a driver answers, cpu elsewhere; BUILD=cpu overrides it.
BUILD ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
PYTHON311 ?= python3.11
UV_VERSION := 0.13.8

# Where the CPU build of torch comes from: what pip is configured with, otherwise PyTorch's own index. uv does not read pip's settings.
CONFIGURED_LINKS := $(or $(PIP_FIND_LINKS),$(shell $(PYTHON311) -m pip config get global.find-links 2>/dev/null))
FIND_LINKS ?= $(or $(CONFIGURED_LINKS),https://download.pytorch.org/whl/cpu/torch/)

LOCK := requirements/$(BUILD).lock
STAMP := .venv/installed-$(BUILD)
RUN := .venv/bin/python

export DAGSTER_HOME ?= $(CURDIR)/.dagster
export DERMOFORGE_SOURCES := $(or $(SOURCES),$(DERMOFORGE_SOURCES),phantom)
export DERMOFORGE_TEACHER := $(or $(TEACHER),$(DERMOFORGE_TEACHER))
export DERMOFORGE_TEACHER_MODEL := $(or $(TEACHER_MODEL),$(DERMOFORGE_TEACHER_MODEL))
export DERMOFORGE_TEACHER_FILE := $(or $(TEACHER_FILE),$(DERMOFORGE_TEACHER_FILE))
# No accelerator is hidden or faked, and no hub is asked for usage statistics.
export VLLM_NO_USAGE_STATS = 1
export DO_NOT_TRACK = 1

.DEFAULT_GOAL := help
.PHONY: help corpus ui teacher ledger review benchmark report publish diff test lint sql gc reference lock install clean clean-state

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  variables: SOURCES=a,b  TEACHER=composer|vllm|endpoint  TEACHER_MODEL=dir  TEACHER_FILE=config/teacher.toml  PORT=3000  BUILD=cpu|gpu"
	@echo "  settings:  CONFIG=config/laptop.env  DERMOFORGE_LAKE  DERMOFORGE_RELEASES  DERMOFORGE_MIRROR  (docs/settings.md)"

corpus: install $(DAGSTER_HOME)/dagster.yaml ## run the whole job: image sets in, checked trajectories and shards out
	@$(RUN) -m assets.corpus

ui: install $(DAGSTER_HOME)/dagster.yaml ## open the Dagster UI on http://127.0.0.1:PORT (webserver and daemon)
	@.venv/bin/dagster dev -h 127.0.0.1 -p $(PORT)

teacher: install ## serve MODEL=dir behind OpenAI's protocol on PORT (8000), for config/endpoint.toml
	@$(RUN) -m pipelines.teach.serve $(MODEL) --port $(if $(filter 3000,$(PORT)),8000,$(PORT))

ledger: install ## what the teacher's ledger holds: answers, failures, tokens and hours (PRICE=… of a GPU hour)
	@$(RUN) -m pipelines.teach.spent $(if $(PRICE),--price $(PRICE))

review: install ## write the review queue for Label Studio; FILE=verdicts.json takes its export back in
	@$(RUN) -m pipelines.review $(FILE)

benchmark: install ## score STEP=predict MODEL=name URL=http://…/v1 (or FILE=endpoint.toml), baselines, leaderboard; alone: how
	@$(RUN) -m pipelines.benchmark $(if $(STEP),$(STEP) $(if $(URL),--url "$(URL)") $(if $(MODEL),--model "$(MODEL)") $(if $(FILE),--config "$(FILE)") $(if $(JUDGE),--judge "$(JUDGE)"),--help)

report: install ## write the report of the corpus for local eyes, one HTML file (PUBLIC=1: only what may be passed on)
	@$(RUN) -m pipelines.report $(if $(PUBLIC),--public)

publish: install ## send a release TO=hf://datasets/org/name or TO=s3://… (shows what it would do; GO=1 does it, PUBLIC=1, RELEASE=…)
	@$(RUN) -m pipelines.publish $(if $(TO),--to "$(TO)",--help) $(if $(RELEASE),--release "$(RELEASE)") $(if $(GO),--go) $(if $(PUBLIC),--public)

diff: install ## what changed between two releases, and why (OLD=releases/… NEW=releases/…)
	@$(RUN) -m pipelines.diff "$(OLD)" "$(NEW)"

test: install ## run the tests, two files at a time
	@$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install ## ruff, pyright and the import contract
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/pyright
	@.venv/bin/lint-imports

sql: install ## a DuckDB shell with a view on every table (Q="select …" runs one statement)
	@$(RUN) -m pipelines.sql $(if $(Q),"$(Q)")

gc: install ## delete image packs that no row refers to (only while nothing runs)
	@$(RUN) -m pipelines.gc

reference: install ## write every public docstring as HTML into reference/ (open reference/index.html)
	@.venv/bin/pdoc --docformat google --no-show-source -o reference sources prompts quality pipelines assets

lock: install ## resolve pyproject.toml into requirements/*.lock again
	@bash requirements/compile.sh "$(FIND_LINKS)"

install: $(STAMP) ## install the locked packages into .venv (done by every other target)

# The stamp is written last: an install that was cut short is done again by the next make. Bytecode is written here, as a process that
# may not write it (a read-only image, PYTHONDONTWRITEBYTECODE) would compile all that it imports, each time: Dagster alone is a second.
$(STAMP): $(LOCK) pyproject.toml setup/mend_torchvision.py
	@command -v $(PYTHON311) >/dev/null || { echo "Python 3.11 is needed: no '$(PYTHON311)' on PATH (PYTHON311=… names another)" >&2; exit 1; }
	@echo "installing $(LOCK) into .venv (a few minutes the first time)"
	@test -x .venv/bin/python || $(PYTHON311) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@.venv/bin/uv pip install --quiet --system-certs --compile-bytecode --python $(RUN) --no-deps --find-links "$(FIND_LINKS)" -r $(LOCK)
	@.venv/bin/uv pip install --quiet --system-certs --python $(RUN) --no-deps -e .
	@$(RUN) setup/mend_torchvision.py
	@$(RUN) -m compileall -q sources prompts quality pipelines assets
	@rm -f .venv/installed-* && touch $@

$(DAGSTER_HOME)/dagster.yaml: dagster.yaml
	@mkdir -p $(DAGSTER_HOME)
	@cp dagster.yaml $@

clean: ## remove .venv and caches; lake, releases and downloads stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache

clean-state: ## remove Dagster's run history; the lake stays
	rm -rf .dagster
