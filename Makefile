# Everything a newcomer or the CI runs. Needs make and Python 3.11 to 3.13 with venv; uv is fetched when it is not installed.

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
BIN := .venv/bin

# Without byte code every start costs two to five times as much.
unexport PYTHONDONTWRITEBYTECODE
# Two OpenMP programs at once must not spin against each other.
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help run atproto spark test lint bench bench-serve docs words

help: ## say what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/ready ## simulate a society if there is no data, train if there is no model, serve on 127.0.0.1:3000
	$(BIN)/clout run

# Tests run side by side, and tables are small: more threads would wait for each other.
test: export OMP_NUM_THREADS ?= 1
test: export POLARS_MAX_THREADS ?= 1
test: .venv/ready browser ## run all tests, quick ones first
	$(BIN)/pytest -n 2 --dist worksteal

browser: ## install Chromium for the tests of the pages, where it is missing and apt-get may
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo 'Installing Chromium for the tests of the pages'; \
	  apt-get update -qq -o Acquire::Retries=5 && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -o Acquire::Retries=5 --no-install-recommends chromium fonts-dejavu-core >/dev/null && exit 0; \
	fi; \
	echo 'No Chromium: the tests of the pages in a browser will be skipped. To run them, install it:'; \
	echo '  apt-get install chromium fonts-dejavu-core   (Debian)    dnf install chromium   (Fedora)'

atproto: .venv/ready ## build a Bluesky network for its tests, where its packages can be had (some minutes, once)
	@sh tests/fixtures/atproto/build.sh

spark: .venv/ready ## get Spark for its tests, where it can be had (0.5 GB, once)
	@sh tests/fixtures/spark.sh $(UV)

lint: .venv/ready ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	rm -rf build/typed && mkdir -p build/typed/clout
	ln -s $(addprefix $(CURDIR)/,$(wildcard clout/*) data features models serving training) build/typed/clout
	$(BIN)/mypy

bench: .venv/ready ## measure what the README claims: run every program in bench/
	$(UV) sync --frozen --group bench
	for program in $(sort $(wildcard bench/*.py)); do echo "== $$program" && $(BIN)/python $$program || exit 1; done

bench-serve: .venv/ready ## measure the service beside its peers
	$(BIN)/python bench/serve.py

docs: .venv/ready ## write the tables in the documents anew from the code, and the plots from what was measured
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/performance.py

words: .venv/ready ## gather the texts of the pages, and bring the translations up to them
	$(BIN)/python docs/words.py

.venv/ready: pyproject.toml uv.lock $(filter .uv/bin/uv,$(UV))
	$(UV) sync --frozen --compile-bytecode
	@$(BIN)/python -c 'import lightgbm' || { \
	  echo 'LightGBM did not load. If libgomp.so.1 (OpenMP) is named above, install it and run make again:'; \
	  echo '  apt-get install libgomp1   (Debian, Ubuntu)    dnf install libgomp   (Fedora)    brew install libomp   (macOS)'; \
	  exit 1; }
	@touch $@

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet uv==0.13.9
