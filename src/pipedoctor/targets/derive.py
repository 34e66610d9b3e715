"""From the arguments of a known script to the recipe by which it prepares its run."""

from __future__ import annotations

from typing import Any, TypeVar

from pipedoctor.fact import Split
from pipedoctor.targets.document import Document
from pipedoctor.targets.metrics import GLUE
from pipedoctor.targets.recipe import Recipe
from pipedoctor.targets.sample import Sample
from pipedoctor.targets.scripts import HELD_OUT, OTHER_MODEL, OWN, Script

T = TypeVar("T", str, int, float)

_WORDS = {str: "a text", int: "a whole number", float: "a number"}


class Values:
    """The arguments of a script, each of the type that the script needs."""

    def __init__(self, document: Document, script: Script) -> None:
        """Take a config and the script that it is for."""
        self._document = document
        self._script = script

    def text(self, *names: str) -> str | None:
        """Return the first of these that is stated."""
        return self._first(names, str)

    def whole(self, *names: str) -> int | None:
        """Likewise; a truth value is none."""
        return self._first(names, int)

    def number(self, name: str, default: float) -> float:
        """Likewise; a whole number will do."""
        value = self._document.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        found = self._first((name,), float)
        return default if found is None else found

    def flag(self, name: str) -> bool:
        """Return whether a script takes the value for true, as Python does: "false" is."""
        default = self._script.defaults.get(name, False)
        return bool(self._document.get(name, default))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return one text or several, also if they stand in one, separated by commas."""
        value = self._document.get(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        found = self.text(name)
        return () if found is None else tuple(found.split(","))

    def _first(self, names: tuple[str, ...], kind: type[T]) -> T | None:
        for name in names:
            value = self._document.get(name)
            if value is None:
                continue
            if not isinstance(value, kind) or isinstance(value, bool):
                raise TypeError(
                    f"{self._document.locations.get(name, name)}: {name} is {value!r}, but "
                    f"{self._script.name} needs {_WORDS[kind]}"
                )
            if isinstance(value, str) and "\0" in value:
                raise ValueError(f"{name} is {value!r}, with a zero character in it")
            return value
        default: T | None = self._script.defaults.get(names[0])
        return default


def recipe(document: Document, script: Script) -> Recipe | None:
    """
    Return the recipe, or None if the config names no model, or pipedoctor doesn't know the task.

    Raises:
        TypeError: An argument is of a type with which the script would fail.
        ValueError: Likewise, of a value.

    """
    values = Values(document, script)
    model = values.text("model_name_or_path")
    if model is None or script.task is None:
        return None
    seed = values.whole("seed")
    rest = {
        **_data(document, script, values),
        **_head(document, script, values),
        **_own(document, script, values),
    }
    return Recipe(
        task=script.task,
        model=model,
        config=values.text("config_name"),
        tokenizer=values.text("tokenizer_name"),
        revision=values.text("model_revision"),
        cache_dir=values.text("cache_dir") or None,
        use_fast=document.get("use_fast_tokenizer") is not False,
        max_train_rows=values.whole("max_train_samples"),
        max_eval_rows=values.whole("max_eval_samples"),
        max_length=values.whole("max_seq_length"),
        pad_to_max_length=values.flag("pad_to_max_length"),
        pad_to_multiple=8 if _pads_to_eight(script, values) else None,
        ignore_mismatched_sizes=values.flag("ignore_mismatched_sizes"),
        dtype=values.text("dtype", "torch_dtype"),
        seed=42 if seed is None else seed,
        **rest,
    )


def data_source(document: Document, script: Script | None) -> str | None:
    """Return the key that the script takes its data from; it looks at nothing else then."""
    if script is not None and script.name == "run_xnli":
        return "language"
    glue = script is not None and script.name == "run_glue"
    names = ["dataset_name", "train_file", "validation_file"]
    task = str(document.get("task_name") or "").lower()
    if glue and (task in GLUE or (task and not any(document.get(name) for name in names))):
        return "task_name"
    return next((name for name in names if document.get(name) is not None), None)


def _data(document: Document, script: Script, values: Values) -> dict[str, Any]:
    source = data_source(document, script)
    if source == "task_name":
        task = (values.text("task_name") or "").lower()
        if task not in GLUE:
            raise ValueError(f"task_name is {task!r}, but run_glue knows {', '.join(GLUE)}")
        return {"glue_task": task}
    if source == "language":
        language = values.text("train_language", "language")
        return {
            "dataset": "xnli",
            "dataset_config": language,
            "text_columns": ("premise", "hypothesis"),
        }
    if source == "dataset_name":
        return {
            "dataset": values.text("dataset_name"),
            "dataset_config": values.text("dataset_config_name"),
            "train_split": values.text("train_split_name") or "train",
            "eval_split": values.text("validation_split_name") or "validation",
        }
    return {
        "train_file": values.text("train_file"),
        "eval_file": values.text("validation_file"),
    }


def _head(document: Document, script: Script, values: Values) -> dict[str, Any]:
    """Return how many outputs a script of one's own states, and for what."""
    names = document.get("id2label") or document.get("label2id")
    labels = values.whole("num_labels")
    if labels is None and isinstance(names, (dict, list)):
        labels = len(names)
    regression = document.get("do_regression") if script.name == "run_classification" else None
    return {
        "labels": labels,
        "problem_type": values.text("problem_type"),
        "regression": regression if isinstance(regression, bool) else None,
        "label_column": values.text("label_column_name", "label_column"),
    }


def _own(document: Document, script: Script, values: Values) -> dict[str, Any]:
    """Return what only some scripts know."""
    if script.name in {"run_clm", "run_mlm"}:
        percent = values.whole("validation_split_percentage")
        return {
            "block_size": values.whole("block_size"),
            "line_by_line": values.flag("line_by_line"),
            "mlm_probability": values.number("mlm_probability", 0.15),
            "keep_linebreaks": document.get("keep_linebreaks") is not False,
            "eval_percent": 5 if percent is None else percent,
        }
    if script.name == "run_ner":
        return {
            "text_columns": values.texts("text_column_name"),
            "tagging": (values.text("task_name") or "ner").lower(),
            "label_all_tokens": values.flag("label_all_tokens"),
        }
    texts = values.texts("text_column_names") or values.texts("text_column")
    if not texts and script.name == "run_classification" and not own_keys(document, script):
        texts = ("sentence",)
    return {"text_columns": texts} if texts else {}


def _pads_to_eight(script: Script, values: Values) -> bool:
    """Whether the script has its collator pad for tensor cores."""
    if not values.flag("fp16"):
        return False
    if script.name == "run_ner":
        return True
    if script.name == "run_mlm" and not values.flag("line_by_line"):
        return False
    return not values.flag("pad_to_max_length")


def own_keys(document: Document, script: Script) -> frozenset[str]:
    """Return the keys that the script itself does not take, but users' own versions of it do."""
    return frozenset(document) & (OWN - script.keys)


def model_obstacle(document: Document) -> str | None:
    """Return why the model that is trained is not the one that the recipe builds, if so."""
    if any(document.get(name) is False for name in ("use_peft", "use_lora")):
        asked = [name for name in ("load_in_8bit", "load_in_4bit") if document.get(name)]
    else:
        asked = [name for name in document if name in OTHER_MODEL and document[name]]
    if not asked:
        return None
    return f"{asked[0]} makes another model of it than pipedoctor can build from a config"


def held_out(document: Document) -> str | None:
    """Return the key by which a script of one's own evaluates on a part of its training data."""
    return next((name for name in document if name in HELD_OUT and document[name]), None)


def data_obstacle(document: Document, script: Script, sample: Sample, split: Split) -> str | None:
    """Return why the data of a split can't be prepared as the script would, if so."""
    key = held_out(document)
    if key is not None and document.get("validation_file") is None:
        return f"{key} takes rows of the training data away, and which ones is not known here"
    if document.get("streaming"):
        return f"{script.name} streams this data, and pipedoctor reads only what lies in files"
    if script.name == "run_xnli" and split is Split.EVAL:
        language = document.get("train_language")
        if language is not None and language != document.get("language"):
            return "run_xnli evaluates on another language than it trains on"
    if script.name != "run_classification":
        return None
    texts = document.get("text_column_names")
    if isinstance(texts, str) and "," in texts:
        return "run_classification joins several columns of text, which pipedoctor does not"
    if sample.kind(str(document.get("label_column_name") or "label")) == "list":
        return "run_classification takes lists of labels for several classes, pipedoctor does not"
    if document.get("remove_splits") or document.get("remove_columns"):
        return "run_classification removes splits or columns, which pipedoctor does not"
    if split is Split.EVAL and not document.get("do_regression"):
        return "run_classification takes labels from all of its data, pipedoctor from training"
    return None
