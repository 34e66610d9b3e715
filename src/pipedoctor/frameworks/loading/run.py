"""One run as its script prepares it; each piece is loaded once, when it is asked for."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.loading import foreign_code, raw
from pipedoctor.frameworks.loading.broken import BrokenFile, describe, unreadable
from pipedoctor.frameworks.loading.new import remember
from pipedoctor.frameworks.loading.prepared import Prepared
from pipedoctor.frameworks.loading.quiet import need, quiet
from pipedoctor.frameworks.loading.task import Task
from pipedoctor.frameworks.restoring.restore import seeded
from pipedoctor.parts import Lazy
from pipedoctor.probes import habits
from pipedoctor.probes.hub_cache import locate
from pipedoctor.targets.recipe import Recipe

_STREAM = "PytorchStreamReader"
"""What torch says of a weights file that is cut off."""

TASKS = {
    "text-classification": ("classification", "Classification"),
    "token-classification": ("tokens", "TokenClassification"),
    "causal-lm": ("language", "CausalLanguage"),
    "masked-lm": ("language", "MaskedLanguage"),
}


class Run:
    """The pieces of one run, loaded from local files only."""

    def __init__(self, recipe: Recipe) -> None:
        """Load nothing yet."""
        self.recipe = recipe
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._raw = Lazy(self._load_raw)
        self._config = Lazy(self._load_config)
        self._tokenizer = Lazy(self._load_tokenizer)
        self._model = Lazy(self._load_model)
        self._data = {split: Lazy(partial(self._prepare, split)) for split in Split}
        module, name = TASKS[recipe.task]
        task = getattr(import_module(f"pipedoctor.frameworks.loading.{module}"), name)
        self._task: Task = task(recipe, self._raw.get)

    def load_tokenizer(self) -> Any:
        """Return the tokenizer."""
        return self._tokenizer.get()

    def load_model(self) -> Any:
        """Return the model, built as the script builds it before its first step."""
        return self._model.get()

    def load_blueprint(self) -> Any:
        """Return the model without weights, on the meta device."""
        need("torch", "transformers")
        from pipedoctor.frameworks.loading import blueprint

        config = self._config.get()
        with quiet("transformers"):
            model = blueprint.built(self._task.model_class, config, self.recipe.dtype)
            blueprint.finished(model, lambda m: self._task.finish(m, self.load_tokenizer))
        return model

    def load_data(self, split: Split) -> Prepared:
        """Return the data of a split as the trainer would get it."""
        prepared: Prepared = self._data[split].get()
        return prepared

    def load_collator(self) -> Any:
        """Return the function that makes a batch of rows."""
        need("torch", "transformers")
        with quiet("transformers"):
            return self._task.collator(self.load_tokenizer)

    def _load_raw(self) -> raw.Raw:
        with quiet("datasets"):
            return raw.load(self.recipe, self._cache)

    def _cache(self) -> str:
        """Return a folder for Arrow copies; it goes when this run does, at exit at the latest."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="pipedoctor-", ignore_cleanup_errors=True
            )
        return self._folder.name

    def _load_config(self) -> Any:
        from_data = self._task.config_arguments()
        return self._pretrained("AutoConfig", self.recipe.config or self.recipe.model, **from_data)

    def _load_tokenizer(self) -> Any:
        config = self._config.get() if self._task.tokenizer_needs_config else None
        return self._pretrained(
            "AutoTokenizer",
            self.recipe.tokenizer or self.recipe.model,
            **self._task.tokenizer_arguments(config),
        )

    def _load_model(self) -> Any:
        need("torch", "transformers")
        config = self._config.get()
        recipe = self.recipe
        arguments = {} if recipe.dtype is None else {_dtype_keyword(): recipe.dtype}
        with quiet("transformers"), seeded(recipe.seed):
            model, loading = self._pretrained(
                self._task.model_class,
                recipe.model,
                config=config,
                ignore_mismatched_sizes=recipe.ignore_mismatched_sizes,
                output_loading_info=True,
                weights_only=True,
                **arguments,
            )
            self._task.finish(model, self.load_tokenizer)
        remember(model, loading)
        return model

    def _prepare(self, split: Split) -> Prepared:
        with quiet("datasets"):
            return self._task.prepare(split, self.load_tokenizer, self._config.get)

    def _pretrained(self, kind: str, name: str, **arguments: Any) -> Any:
        """Call `from_pretrained` of a class of transformers, offline; say which file is broken."""
        recipe = self.recipe
        with quiet("transformers"):
            import transformers

            folder = locate(name, recipe.revision, recipe.cache_dir)
            foreign_code.refuse(name, folder)
            if recipe.revision is not None:
                arguments["revision"] = recipe.revision
            try:
                return getattr(transformers, kind).from_pretrained(
                    name,
                    cache_dir=recipe.cache_dir,
                    local_files_only=True,
                    trust_remote_code=False,
                    **arguments,
                )
            except Exception as error:
                explained = _explained(error, name, folder)
                if explained is error:
                    raise
                raise explained from error


def _dtype_keyword() -> str:
    """Return the name that this transformers has for the dtype of the weights."""
    import transformers

    return "dtype" if habits.KNOWS_DTYPE.known(transformers.__version__) else "torch_dtype"


def _explained(error: Exception, name: str, folder: str) -> Exception:
    """Return an error that says what is wrong in words that can be acted upon."""
    if "trust_remote_code" in str(error):
        return foreign_code.refusal(name)
    if folder != name and "file named" in str(error):
        return Unavailable(
            f"the local hub cache has only a part of {name}; complete it with `hf download {name}`"
        )
    if not isinstance(error, (RuntimeError, TypeError, ImportError)) or _STREAM in str(error):
        with suppress(OSError):
            broken = unreadable(folder)
            if broken is not None:
                return describe(*broken)
    return error if folder in str(error) else _at(error, folder)


def _at(error: Exception, folder: str) -> Exception:
    """Add the folder to an error's text, keeping its type where that takes one text."""
    try:
        return type(error)(f"{error} (loading {folder})")
    except Exception:  # noqa: BLE001 - an error's constructor may ask for anything
        return BrokenFile(f"{folder}: {type(error).__name__}: {error}")
