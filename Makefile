# onelane: two commands do the main things: make demo, make test.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help setup demo up down reset logs test chaos planted prove check format proto bench lock

help: ## list every target with a line
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "onelane needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $(STAMP)

setup: $(STAMP) ## install the locked packages into .venv

demo: setup ## set everything up, start the real stack, place orders, show the messages arriving
	@$(BIN)/onelane demo run

up: setup ## start the stack, without any traffic
	@$(BIN)/onelane up

down: ## stop the stack, keep its data
	@if test -x $(BIN)/onelane; then $(BIN)/onelane down; fi

reset: setup ## stop the stack and delete its data
	@$(BIN)/onelane reset --execute

logs: setup ## show what the processes say
	@$(BIN)/onelane logs

test: setup check ## set everything up, check, and run the whole test suite (SERVERS=containers: shared servers in containers)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(if $(SERVERS),--servers $(SERVERS))

chaos: setup ## faults against outbox and inbox for MINUTES=60, with BROKERS=3; SEED=… repeats a run
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),60) --brokers $(or $(BROKERS),3) $(if $(SEED),--seed $(SEED)) $(if $(CONTROL),--control $(CONTROL))

planted: setup ## plant every known mistake and convict it
	@$(BIN)/python -m tests.planted

prove: setup ## the proofs at full size: lost commits (ROUNDS=50), a hundred deaths of sender and cart, 20,000 steps of stories, expiry within 2 s
	@$(BIN)/python -m tests.commit_cuts $(ROUNDS)
	@ONELANE_PROVE=1 $(BIN)/python -m pytest -q -s -n 0 tests/resilience/notification/test_killed_sender.py tests/resilience/cart/test_killed.py tests/integration/loms/test_stories.py tests/integration/loms/test_expirer.py

check: setup ## format, lint, types, imports
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: setup ## rewrite the sources in the one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

proto: setup ## generate the code beside every .proto
	@$(BIN)/python -m rpc.generate

bench: setup ## measure against peers and bare floors, half an hour (SECONDS=1 REPEAT=1 ROWS=10000 HELD_SECONDS=5: short)
	@$(BIN)/python -m bench $(PARTS) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(ROWS),--rows $(ROWS)) $(if $(HELD_SECONDS),--held-seconds $(HELD_SECONDS)) $(if $(TAKEOVERS),--takeovers $(TAKEOVERS))

lock: ## resolve requirements.lock and the images' part of it anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra stack --extra projection --extra dev --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	for image in runtime projection; do cp requirements.lock deploy/containers/$$image.lock && uv pip compile --quiet --universal --python-version 3.11 --constraints requirements.lock --generate-hashes --no-emit-index-url --no-header --no-annotate deploy/containers/$$image.in -o deploy/containers/$$image.lock || exit 1; done
