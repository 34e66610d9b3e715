"""The example scripts whose arguments a config can hold, as far as the names tell them apart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.targets.metrics import GLUE
from pipedoctor.targets.recipe import Task
from pipedoctor.targets.sample import Sample


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODEL = _names(
    "model_name_or_path config_name tokenizer_name cache_dir model_revision token trust_remote_code"
    " use_auth_token"  # until 4.34 in place of token
)
FILES = _names("train_file validation_file overwrite_cache max_train_samples max_eval_samples")
DATASET = _names("dataset_name dataset_config_name")
TEST = _names("test_file max_predict_samples")
LENGTH = _names("max_seq_length pad_to_max_length")
FAST = _names("use_fast_tokenizer")
WORKERS = _names("preprocessing_num_workers")
MISMATCH = _names("ignore_mismatched_sizes")
LANGUAGE_MODEL = _names(
    "model_type config_overrides dtype streaming validation_split_percentage"
    " torch_dtype low_cpu_mem_usage"  # older copies of these scripts have these two
)
SEQ2SEQ_FIELDS = _names(
    "sortish_sampler predict_with_generate generation_max_length generation_num_beams"
    " generation_config"
)
"""What Seq2SeqTrainingArguments has besides the usual ones."""

SEQ2SEQ = SEQ2SEQ_FIELDS | _names(
    "max_source_length max_target_length val_max_target_length pad_to_max_length num_beams"
    " ignore_pad_token_for_loss source_prefix forced_bos_token"
)

SEQ2SEQ_ARGUMENTS = "transformers.Seq2SeqTrainingArguments"

OWN = _names(
    # the head
    "num_labels problem_type id2label label2id text_column label_column"
    # how the model is loaded
    " dtype torch_dtype attn_implementation device_map low_cpu_mem_usage load_in_8bit load_in_4bit"
    " bnb_4bit_compute_dtype bnb_4bit_quant_type bnb_4bit_use_double_quant"
    # what of it is trained
    " use_peft use_lora lora_r lora_rank lora_alpha lora_dropout lora_bias lora_target_modules"
    " lora_modules_to_save target_modules freeze_backbone freeze_encoder freeze_base_model"
    " freeze_embeddings freeze_layers"
    # and the rest
    " hidden_dropout_prob attention_probs_dropout_prob classifier_dropout"
    " early_stopping_patience early_stopping_threshold wandb_project"
    " test_size val_size eval_size dev_size validation_split eval_split"
)
"""What users' own versions of these scripts often take besides."""

HELD_OUT = _names("test_size val_size eval_size dev_size validation_split eval_split")
"""Of one's own too: they have a script evaluate on a part of its training data."""

OTHER_MODEL = _names(
    "use_peft use_lora lora_r lora_rank lora_alpha load_in_8bit load_in_4bit freeze_backbone"
    " freeze_encoder freeze_base_model freeze_embeddings freeze_layers"
)
"""Of those, the ones with which less than the whole model is trained, or another one."""


@dataclass(frozen=True, repr=False, eq=False)
class Script:
    """
    One of the scripts: all keys that it takes, and the marks by which it is known.

    `defaults` are those of its own arguments that decide what enters the model. `task` is None
    where pipedoctor can't prepare its data.
    """

    name: str
    keys: frozenset[str]
    marks: frozenset[str] = frozenset()
    task: Task | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    arguments_class: str = ""


def _script(name: str, shared: frozenset[str], marks: str = "", **rest: Any) -> Script:
    return Script(name, MODEL | shared | _names(marks), _names(marks), **rest)


_PADDED = {"max_seq_length": 128, "pad_to_max_length": True}

SCRIPTS = {
    script.name: script
    for script in (
        _script(
            "run_glue",
            FILES | DATASET | TEST | LENGTH | FAST | MISMATCH | {"task_name"},
            task="text-classification",
            defaults=_PADDED,
        ),
        _script(
            "run_classification",
            FILES | DATASET | TEST | LENGTH | FAST | MISMATCH | WORKERS | {"label_column_name"},
            "do_regression text_column_names text_column_delimiter train_split_name"
            " validation_split_name test_split_name remove_splits remove_columns"
            " shuffle_train_dataset shuffle_seed metric_name",
            task="text-classification",
            defaults=_PADDED,
        ),
        _script(
            "run_xnli",
            (FILES - {"train_file", "validation_file"})
            | {"max_predict_samples", "language"}
            | LENGTH
            | FAST
            | MISMATCH,
            "train_language do_lower_case",
            task="text-classification",
            defaults=_PADDED,
        ),
        _script(
            "run_ner",
            FILES
            | DATASET
            | TEST
            | LENGTH
            | MISMATCH
            | WORKERS
            | {"task_name", "label_column_name"},
            "text_column_name label_all_tokens return_entity_level_metrics",
            task="token-classification",
            defaults={"pad_to_max_length": False},
        ),
        _script(
            "run_qa",
            FILES | DATASET | TEST | LENGTH | WORKERS,
            "version_2_with_negative null_score_diff_threshold doc_stride n_best_size"
            " max_answer_length",
        ),
        _script(
            "run_clm",
            FILES | DATASET | FAST | WORKERS | LANGUAGE_MODEL,
            "block_size keep_linebreaks",
            task="causal-lm",
        ),
        _script(
            "run_mlm",
            FILES | DATASET | FAST | WORKERS | LANGUAGE_MODEL | LENGTH,
            "mlm_probability line_by_line",
            task="masked-lm",
            defaults={"pad_to_max_length": False},
        ),
        _script(
            "run_summarization",
            FILES | DATASET | TEST | FAST | WORKERS | SEQ2SEQ | {"text_column", "lang"},
            "summary_column resize_position_embeddings",
            arguments_class=SEQ2SEQ_ARGUMENTS,
        ),
        _script(
            "run_translation",
            FILES | DATASET | TEST | FAST | WORKERS | SEQ2SEQ,
            "source_lang target_lang",
            arguments_class=SEQ2SEQ_ARGUMENTS,
        ),
        _script("run_swag", FILES | LENGTH | FAST | WORKERS),
    )
}

# Well-known data sets, by the last part of their names; what else is there says nothing.
_DATASETS = {
    "squad": "run_qa",
    "squad_v2": "run_qa",
    "conll2003": "run_ner",
    "wnut_17": "run_ner",
    "cnn_dailymail": "run_summarization",
    "xsum": "run_summarization",
    "samsum": "run_summarization",
    "wikitext": "run_clm",
    "openwebtext": "run_clm",
    "bookcorpus": "run_mlm",
}
_HEAD = _names("num_labels problem_type id2label label2id")
_SWAG = {"sent1", "ending0"}
_COLUMNS = (
    ({"question", "context", "answers"}, "run_qa"),
    ({"data"}, "run_qa"),
    ({"translation"}, "run_translation"),
    ({"summary"}, "run_summarization"),
    ({"highlights"}, "run_summarization"),
    ({"tokens"}, "run_ner"),
)


def recognise(stated: Mapping[str, Any], sample: Sample) -> tuple[Script, bool] | None:
    """
    Return the script whose arguments these are, and whether that is sure.

    A key that only one script has is sure, and so are the columns of the training data; where
    they can't be seen, the likeliest script is assumed. None is returned where nothing is said
    of the data: any script may read such a config.
    """
    marks = {name: len(script.marks & stated.keys()) for name, script in SCRIPTS.items()}
    best = max(marks, key=lambda name: marks[name])
    if marks[best]:
        return SCRIPTS[best], True
    task = str(stated.get("task_name") or "").lower()
    if task in GLUE:
        return SCRIPTS["run_glue"], True
    if task in {"ner", "pos", "chunk"}:
        return SCRIPTS["run_ner"], True
    columns = frozenset(sample.columns)
    labelled = _labelled(stated, columns)
    name = _by_shared_keys(stated, labelled=labelled)
    name = name or _by_data(stated, columns, labelled=labelled)
    # The columns of a file that is there are as good as a key; a data set's name says little.
    seen = bool(columns) and not stated.get("dataset_name")
    return None if name is None else (SCRIPTS[name], seen)


def _by_shared_keys(stated: Mapping[str, Any], *, labelled: bool) -> str | None:
    """Tell what several scripts have in common, and others do not."""
    if stated.keys() & (SEQ2SEQ - LENGTH):
        prefix = str(stated.get("source_prefix") or "")
        return "run_translation" if prefix.startswith("translate") else "run_summarization"
    # Scripts of one's own may take a dtype or a model type too, but then they have labels.
    if stated.keys() & (LANGUAGE_MODEL - OWN) and not labelled:
        return _language_model(stated)
    return None


def _by_data(stated: Mapping[str, Any], columns: frozenset[str], *, labelled: bool) -> str | None:
    dataset = str(stated.get("dataset_name") or "").lower().rpartition("/")[2]
    if dataset:
        plausible = labelled or stated.keys() & (LENGTH | {"label_column_name"})
        return _DATASETS.get(dataset) or ("run_glue" if plausible else None)
    train = stated.get("train_file") or stated.get("validation_file")
    if not isinstance(train, str):
        return "run_xnli" if "language" in stated else None
    if os.path.splitext(train)[1].lower() == ".txt":
        return _language_model(stated)
    if columns >= _SWAG:
        return "run_swag"
    # Where the file can't be looked into, run_glue says best what is wrong with it.
    if labelled or not columns:
        return "run_glue"
    for known, name in _COLUMNS:
        if known <= columns:
            return name
    if columns == {"text"}:
        return _language_model(stated)
    return "run_glue" if stated.keys() & LENGTH else None


def _labelled(stated: Mapping[str, Any], columns: frozenset[str]) -> bool:
    """Whether the config or its data speaks of labels, of which language models have none."""
    column = stated.get("label_column")
    return (
        "label" in columns
        or (isinstance(column, str) and column in columns)
        or bool(_HEAD & stated.keys())
    )


def _language_model(stated: Mapping[str, Any]) -> str:
    return "run_mlm" if stated.keys() & LENGTH else "run_clm"
