# Two commands: `make demo` and `make test`. Each sets up what it needs in .venv.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Some images turn bytecode off, which makes every start several times slower.
unexport PYTHONDONTWRITEBYTECODE
# uv does not read pip's configuration: hand a mirror on, where one is configured.
INDEX := $(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null)
ifneq ($(INDEX),)
export UV_DEFAULT_INDEX ?= $(INDEX)
endif
# a company's own certificates, as pip and git know them
export UV_SYSTEM_CERTS ?= true
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long lint lab ui bench peers airflow real-notebooks lock cassettes screenshots clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.ready ## the environment in .venv, from requirements.lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode --link-mode copy --requirements requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## the whole story on real film reviews with the embedded model
	@$(BIN)/gen demo

test: setup ## everything bounded: unit, contract, kernel, server, browser, chaos
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long" $(ARGS)

test-long: setup ## what takes longer
	@$(BIN)/python -m pytest -m long $(ARGS)

lint: setup ## ruff, mypy, the floors, notebooks stripped
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

lab: setup ## JupyterLab on this workspace
	@$(BIN)/gen lab

ui: setup ## the MLflow UI on this workspace
	@$(BIN)/gen ui

bench: setup ## re-measure what benchmarks/ claims
	@for f in benchmarks/bench_*.py; do $(BIN)/python $$f; done

peers: ## what benchmarks compare with, in .peers: PEERS=.peers/bin/python make bench
	@test -x .peers/bin/python || $(PYTHON) -m venv .peers
	@.peers/bin/python -m pip install --quiet --disable-pip-version-check \
		langchain-openai==1.7.4 inspect-ai==0.3.285 dspy==3.4.1 mlflow==3.17.2 openai==3.57.0
	@command -v npm >/dev/null || { echo "no npm: promptfoo does not take part"; exit 0; }; \
		npm install --silent --no-fund --no-audit --prefix .peers node@22.23.3 promptfoo@0.123.1

airflow: ## Airflow 3 in .peers/airflow, for make test-long: a release runs there unchanged
	@test -x .peers/airflow/bin/python || $(PYTHON) -m venv .peers/airflow
	@.peers/airflow/bin/python -m pip install --quiet --disable-pip-version-check \
		apache-airflow==3.3.2 apache-airflow-providers-papermill==3.13.3 papermill==2.7.0 nbclient==0.11.0 ipykernel==7.4.0

# sources of other projects that hold notebooks: what `gen check` says of those is compared with what papermill does
REAL := papermill==2.7.0 nbclient==0.10.2 nbconvert==7.16.6 nbval==0.11.0 nbformat==5.10.4
real-notebooks: ## notebooks that were not written here, in .peers/notebooks, for make test-long
	@mkdir -p .peers/notebooks
	@$(PYTHON) -m pip download --quiet --no-deps --no-binary papermill,nbclient,nbconvert,nbval,nbformat \
		--dest .peers/notebooks $(REAL)
	@for f in .peers/notebooks/*.tar.gz; do tar xzf $$f -C .peers/notebooks --wildcards '*.ipynb'; done

lock: ## renew requirements.lock: newest versions, hashes, no addresses
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV); $(BIN)/python -m pip install --quiet uv==$(UV_VERSION); }
	@rm -f uv.lock
	$(BIN)/uv export --quiet --all-groups --no-emit-project --no-header --no-annotate --output-file requirements.lock
	@rm -f uv.lock

cassettes: setup ## record the replies that the notebooks' tests play back
	@$(BIN)/python -m tests.record_cassettes

screenshots: setup ## the pictures in docs/, from a real MLflow UI and JupyterLab in chromium
	@$(BIN)/python docs/screenshots.py $(ARGS)

clean: ## remove the environment and caches; records in mlruns/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
