from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import ModelFiles, Script, Settings
from pipedoctor.facts.model_files import HEADS

SCRIPTS = frozenset({"run_glue", "run_classification", "run_ner", "run_xnli"})
"""The scripts of Hugging Face that put a classifier on top of a model."""


@check("LAB007", Severity.ERROR, stage=Stage.EVALUATION)
def untrained_head_answers(
    settings: Settings, files: ModelFiles, script: Script | None
) -> Iterator[Finding]:
    """
    The run only evaluates or predicts, with a head that was never trained.

    A base model has no head, so a classifier starts from random weights. That is usual before a
    training, and makes every answer a guess without one. It happens where the base model is named
    in the place of the folder of the trained one. Judged are the scripts of Hugging Face for
    classes of texts and tokens, and runs that state `do_train` as false.

    Fails:

        settings = {
            "model_name_or_path": "base", "num_labels": 2, "do_train": False, "do_predict": True
        }
        files = {
            "model": {
                "config": {"architectures": ["BertModel"]},
                "tensors": {"embeddings.word_embeddings.weight": ("F32", (30522, 768))},
            }
        }

    Passes:

        settings = {
            "model_name_or_path": "out", "num_labels": 2, "do_train": False, "do_predict": True
        }
        files = {
            "model": {
                "config": {"architectures": ["BertForSequenceClassification"]},
                "tensors": {
                    "bert.embeddings.word_embeddings.weight": ("F32", (30522, 768)),
                    "classifier.weight": ("F32", (2, 768)),
                },
            }
        }

    See also: <https://github.com/huggingface/transformers/issues/13346>.
    """
    if settings.get("do_train") is True or (script is not None and script.trainings):
        return
    classifies = settings.script in SCRIPTS
    stated = settings.stated.get("do_train") is False and "num_labels" in settings.stated
    asked = [name for name in ("do_predict", "do_eval") if settings.get(name) is True]
    if not asked or not (classifies or stated):
        return
    if any(name.endswith(HEADS) for name in files.tensors):
        return
    yield Finding(
        message=f"{' and '.join(asked)} without do_train: none of the {len(files.tensors)} tensors "
        f"of {files.name} is that of a classifier, so that it answers by random weights",
        where=settings.where("model_name_or_path"),
        evidence={"asked": asked, "model": files.name, "tensors": len(files.tensors)},
        remedy="name the folder of the trained model: "
        f"{settings.entry('model_name_or_path', settings.stated.get('output_dir') or 'out')}",
        alternatives=(settings.entry("do_train", True),),
    )
