# Everything a user types. `.venv` is made from the lock files, never from what happens to be installed.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
UV := $(BIN)/uv
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build
INSTALL := $(UV) pip install -q --compile-bytecode --require-hashes --no-deps
.PHONY: run test check docs audit databases mlflow postgres spark dev dashboard bench lock format
run: .venv/.runtime # the whole pipeline on the demo source
	@$(BIN)/clientele run
test: .venv/.develop # the whole test suite
	@$(BIN)/pytest -n 2 --dist loadscope
check: .venv/.develop # format, lint, types, import arrows, SQL lint
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports && PYTHONWARNINGS=ignore $(BIN)/sqlfluff lint -q dbt_project
docs: .venv/.develop # the handbook, the pages about every table and dbt's lineage as a site: site/index.html
	@$(BIN)/python -m handbook
audit: .venv/.develop # known vulnerabilities and licences of all that is installed
	@$(BIN)/python deploy/audit.py
databases mlflow postgres spark: .venv/.runtime # add sources in databases and APIs; an MLflow mirror; Dagster's records in PostgreSQL; Spark
	@$(INSTALL) -r requirements-$@.lock
dev: .venv/.runtime # the Dagster UI with the daily schedule
	@$(BIN)/clientele dev
dashboard: .venv/.runtime # the pages for managers, on what is published
	@$(INSTALL) -r requirements-dashboard.lock && $(BIN)/clientele dashboard
bench: .venv/.develop # what a size costs, SIZE=5k, 100k, 1m or 10m, beside bare scripts
	@$(BIN)/python -m benchmarks $(or $(SIZE),5k) $(if $(PLACE),--place $(PLACE))
format: .venv/.develop # rewrite Python and SQL in the project's style
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/sqlfluff fix -q dbt_project
lock: .venv/.runtime # new lock files from pyproject.toml
	$(COMPILE) -o requirements.lock pyproject.toml
	for extra in databases mlflow dashboard spark; do $(COMPILE) --extra $$extra -c requirements.lock -o requirements-$$extra.lock pyproject.toml || exit; done
	$(COMPILE) --extra postgres -c requirements-databases.lock -o requirements-postgres.lock pyproject.toml
	$(COMPILE) --all-extras --group dev $(foreach extra,databases mlflow dashboard spark,-c requirements-$(extra).lock) -o requirements-dev.lock pyproject.toml

$(UV): requirements.lock
	@test -n "$(PYTHON)" || { echo "Clientele needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python" >&2; exit 2; }
	@$(PYTHON) -m venv .venv && sed -n '/^uv==/,/[^\\]$$/p' $< > .venv/uv.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock && touch $@
.venv/.runtime: requirements.lock pyproject.toml $(UV)
	@$(INSTALL) -r $< && $(UV) pip install -q --no-deps --no-build-isolation -e . && touch $@
.venv/.develop: requirements-dev.lock .venv/.runtime
	@$(INSTALL) -r $< && touch $@
