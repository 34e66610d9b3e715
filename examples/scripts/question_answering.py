"""
Fine-tune an encoder to find the answer to a question in a text.

    python examples/scripts/question_answering.py --model examples/qnli/minilm \
        --train_file examples/scripts/data/questions_train.json \
        --validation_file examples/scripts/data/questions_validation.json \
        --output_dir out/questions --learning_rate 2e-4 --num_train_epochs 10

A text that is too long for the model becomes several rows that overlap. What the model says of
the rows is put together to one answer for each question, before the metrics are computed.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from datasets import load_dataset
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    EvalPrediction,
    HfArgumentParser,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)
from transformers.trainer_utils import speed_metrics


@dataclass
class ScriptArguments:
    model: str
    train_file: str
    validation_file: str
    max_length: int = 64
    stride: int = 24
    max_answer_length: int = 12


class QuestionAnsweringTrainer(Trainer):
    """A Trainer whose metrics are computed on answers, not on logits."""

    def __init__(self, *args, eval_examples=None, post_process=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.eval_examples = eval_examples
        self.post_process = post_process

    def evaluate(self, eval_dataset=None, ignore_keys=None, metric_key_prefix="eval"):
        import time

        start = time.time()
        data = self.eval_dataset if eval_dataset is None else eval_dataset
        loader = self.get_eval_dataloader(data)
        compute_metrics, self.compute_metrics = self.compute_metrics, None
        try:
            output = self.evaluation_loop(
                loader,
                description="Evaluation",
                prediction_loss_only=False,
                ignore_keys=ignore_keys,
                metric_key_prefix=metric_key_prefix,
            )
        finally:
            self.compute_metrics = compute_metrics
        metrics = dict(output.metrics)
        metrics.update(speed_metrics(metric_key_prefix, start, num_samples=output.num_samples))
        answers = self.post_process(self.eval_examples, data, output.predictions)
        for name, value in self.compute_metrics(answers).items():
            metrics[f"{metric_key_prefix}_{name}"] = value
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


def post_processor(max_answer_length):
    def post_process(examples, features, predictions):
        starts, ends = predictions[:2]
        of_example = defaultdict(list)
        for number, name in enumerate(features["example_id"]):
            of_example[name].append(number)
        found = []
        for example in examples:
            best, answer = -np.inf, ""
            for number in of_example[example["id"]]:
                offsets = features[number]["offset_mapping"]
                for start in np.argsort(starts[number])[-10:]:
                    for end in np.argsort(ends[number])[-10:]:
                        if offsets[start] is None or offsets[end] is None:
                            continue
                        if not 0 <= end - start < max_answer_length:
                            continue
                        score = starts[number][start] + ends[number][end]
                        if score > best:
                            best = score
                            answer = example["context"][offsets[start][0] : offsets[end][1]]
            found.append({"id": example["id"], "prediction_text": answer})
        right = [{"id": row["id"], "answers": row["answers"]} for row in examples]
        return EvalPrediction(predictions=found, label_ids=right)

    return post_process


def compute_metrics(evaluation):
    right = [
        found["prediction_text"] in row["answers"]["text"]
        for found, row in zip(evaluation.predictions, evaluation.label_ids, strict=True)
    ]
    return {"exact_match": 100 * sum(right) / len(right)}


def main():
    parser = HfArgumentParser((ScriptArguments, TrainingArguments))
    args, training_args = parser.parse_args_into_dataclasses()
    set_seed(training_args.seed)
    files = {"train": args.train_file, "validation": args.validation_file}
    raw = load_dataset("json", data_files=files)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForQuestionAnswering.from_pretrained(args.model)

    def tokenised(rows):
        return tokenizer(
            rows["question"],
            rows["context"],
            truncation="only_second",
            max_length=args.max_length,
            stride=args.stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding="max_length",
        )

    def prepare_training(rows):
        prepared = tokenised(rows)
        owners = prepared.pop("overflow_to_sample_mapping")
        places = prepared.pop("offset_mapping")
        prepared["start_positions"], prepared["end_positions"] = [], []
        for number, offsets in enumerate(places):
            answers = rows["answers"][owners[number]]
            first = answers["answer_start"][0]
            last = first + len(answers["text"][0])
            inside = [
                token
                for token, part in enumerate(prepared.sequence_ids(number))
                if part == 1 and offsets[token][0] >= first and offsets[token][1] <= last
            ]
            # A row that does not hold the whole answer points at its first token, [CLS].
            whole = inside and offsets[inside[0]][0] == first and offsets[inside[-1]][1] == last
            prepared["start_positions"].append(inside[0] if whole else 0)
            prepared["end_positions"].append(inside[-1] if whole else 0)
        return prepared

    def prepare_validation(rows):
        prepared = tokenised(rows)
        owners = prepared.pop("overflow_to_sample_mapping")
        prepared["example_id"] = [rows["id"][owner] for owner in owners]
        prepared["offset_mapping"] = [
            [
                place if part == 1 else None
                for place, part in zip(offsets, prepared.sequence_ids(n))
            ]
            for n, offsets in enumerate(prepared["offset_mapping"])
        ]
        return prepared

    columns = raw["train"].column_names
    train = raw["train"].map(prepare_training, batched=True, remove_columns=columns)
    validation = raw["validation"].map(prepare_validation, batched=True, remove_columns=columns)
    trainer = QuestionAnsweringTrainer(
        model=model,
        args=training_args,
        train_dataset=train,
        eval_dataset=validation,
        eval_examples=raw["validation"],
        processing_class=tokenizer,
        data_collator=default_data_collator,
        post_process=post_processor(args.max_answer_length),
        compute_metrics=compute_metrics,
    )
    trainer.train()
    trainer.save_model()
    trainer.log_metrics("eval", trainer.evaluate())


if __name__ == "__main__":
    main()
