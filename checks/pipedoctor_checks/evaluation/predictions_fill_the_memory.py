from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import KeptPredictions
from pipedoctor.units import count, size


@check("EVA001", Severity.ERROR, stage=Stage.EVALUATION)
def predictions_fill_the_memory(kept: KeptPredictions) -> Iterator[Finding]:
    """
    The evaluation keeps more of the model's answers than there is memory.

    For its metrics, Trainer keeps all that the model answers, for all rows: of a language model
    these are the logits over the whole vocabulary for each token. 1,000 rows of 512 tokens and
    30,522 words are 62.5 GB. They stay on the GPU until the evaluation ends, and are joined
    there, for which they are there twice; with `eval_accumulation_steps` they go to the memory of
    the machine, where there must be room for them as well. It is the first evaluation that stops,
    after all the steps before it.

    Fails:

        from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

        sizes = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 512}
        model = GPT2LMHeadModel(GPT2Config(**sizes))
        class Rows:
            def __len__(self):
                return 1_000_000
            def __getitem__(self, row):
                return {"input_ids": [1] * 512, "labels": [1] * 512}
        arguments = TrainingArguments("out", eval_strategy="epoch", report_to=[], use_cpu=True)
        trainer = Trainer(
            model, arguments, train_dataset=Rows(), eval_dataset=Rows(), compute_metrics=len
        )
        eval_data = trainer.eval_dataset

    Passes:

        from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

        sizes = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 512}
        model = GPT2LMHeadModel(GPT2Config(**sizes))
        class Rows:
            def __len__(self):
                return 10
            def __getitem__(self, row):
                return {"input_ids": [1] * 512, "labels": [1] * 512}
        arguments = TrainingArguments("out", eval_strategy="epoch", report_to=[], use_cpu=True)
        trainer = Trainer(
            model, arguments, train_dataset=Rows(), eval_dataset=Rows(), compute_metrics=len,
            preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1),
        )
        eval_data = trainer.eval_dataset

    See also: <https://github.com/huggingface/transformers/issues/15466>.
    """
    on_device = kept.device == "gpu" and not kept.moved_every
    largest = max(kept.outputs, key=lambda name: kept.outputs[name], default="logits")
    product = (
        f"{count(kept.rows)} rows times {size(kept.row_bytes)} ({', '.join(kept.outputs)}) are "
        f"{size(kept.total)}, which the evaluation keeps"
    )
    evidence = {
        "rows": kept.rows,
        "row_bytes": kept.row_bytes,
        "total": kept.total,
        "outputs": dict(kept.outputs),
    }
    cure = (
        "give Trainer preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1), if "
        f"the metrics need the choice and not the {largest}"
    )
    if on_device and kept.room is not None and kept.total > kept.room:
        yield Finding(
            message=f"{product} on the device; it has {size(kept.room)}",
            evidence=evidence | {"room": kept.room},
            remedy=cure,
            alternatives=("eval_accumulation_steps=1 moves them to the machine's memory",)
            if kept.known("free") and kept.total < kept.free
            else (),
        )
    elif kept.known("free") and kept.total > kept.free:
        yield Finding(
            message=f"{product} in memory in the end; {size(kept.free)} are free here",
            evidence=evidence | {"free": kept.free},
            remedy=cure,
            alternatives=("batch_eval_metrics=True computes the metrics batch by batch",),
        )
