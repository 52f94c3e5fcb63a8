# One task file for laptops and CI. Everything it makes stays in this folder: .venv, typings and caches.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test test-deep cut bugs bench lint types size clean

# The first Python of 3.11 or newer; PYTHON=/path/to/python chooses another.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
RUN := .venv/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet
STUBS := >=1.29,<1.30
BOARD ?= rp2040_pico
PORTS := rp2 esp32 stm32
# The same order of tests for every worker; and what starts a thousand times is compiled once, whatever the shell says.
FOR_TESTS := PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=

help: ## this text
	@sed -n 's/^\([a-z-]*\):[^#]*## */\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

demo: .venv/for-demo ## five refunds on the screen: one goes, one is held, one loses its power, one needs a second person, one comes from a till
	@$(RUN) -m host_tools.demo

test: .venv/for-test ## all tests, under CPython and MicroPython
	@$(FOR_TESTS) $(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-deep: .venv/for-test ## the same with larger counts; takes an hour and a half
	@DEEP=1 $(FOR_TESTS) $(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

cut: .venv/for-test ## one power cut once more, by the id that a failing test printed: make cut ID=rounds/17.3.g
	@$(RUN) -m tests.cut "$(ID)"

bugs: .venv/for-test ## planted bugs, one after the other: the tests must find every one; takes some minutes
	@$(RUN) -m tests.bugs

bench: .venv/for-bench ## measurements of journal, pre-flight, gate and link, into bench/results.md; takes four minutes
	@$(RUN) -m bench

lint: .venv/for-lint ## style and format of every Python file
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: .venv/for-lint typings/unix/.made $(PORTS:%=typings/%/.made) ## the device's code against what MicroPython has, and the drivers of boards against each port
	@for port in $(PORTS); do echo "drivers on $$port:"; $(RUN) -m pyright -p tests/types/$$port.json || exit 1; done
	@$(RUN) -m pyright

size: .venv/for-demo ## bytes of an agent's .mpy on every board: fails if more than 80 KB of them stay in the heap; BOARD=pico_w lists that one's
	@$(RUN) -m boards.size $(BOARD)

clean: ## remove what make made
	rm -rf .venv typings build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- what the targets need ----

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed, and was not found" >&2; exit 1; }
	@echo "making .venv with $(PYTHON)"
	@"$(PYTHON)" -m venv .venv

# Each stamp is as old as the install it stands for, and is made anew when pyproject.toml changes.
.venv/for-demo: WANTED := micropython
.venv/for-test: WANTED := micropython,test
.venv/for-lint: WANTED := micropython,lint
.venv/for-bench: WANTED := micropython,bench
.venv/for-bench: ALONE := pigweed>=0.0.24,<0.1# its framing needs none of the sixty packages that it asks for
.venv/for-demo .venv/for-test .venv/for-lint .venv/for-bench: .venv/for-%: pyproject.toml | .venv/bin/python
	@echo "installing what is needed for $* (once)"
	@$(PIP) install --editable '.[$(WANTED)]'
	@test -z "$(ALONE)" || $(PIP) install --no-deps "$(ALONE)"
	@touch $@

# In a folder of their own: in the environment they would shadow the standard library.
typings/%/.made: Makefile | .venv/bin/python
	@echo "installing the stubs of MicroPython's $* port (once)"
	@rm -rf typings/$*
	@$(PIP) install --target typings/$* 'micropython-$*-stubs$(STUBS)'
	@touch $@
