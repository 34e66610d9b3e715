from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, Unavailable, check
from pipedoctor.facts import Forward


@check(
    "LOS004",
    Severity.ERROR,
    stage=Stage.LOSS,
    symptoms={
        r"compute_loss\(\) got an unexpected keyword argument 'num_items_in_batch'": (
            "def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None)"
        ),
    },
)
def custom_loss_refuses_item_count(forward: Train[Forward]) -> Iterator[Finding]:
    """
    A trainer's own `compute_loss` does not take the argument that Trainer passes since 4.46.

    Trainer tells it how many tokens the whole accumulated batch has, as `num_items_in_batch`. A
    method written before that raises TypeError at the first step.

    Fails:

        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

        class MyTrainer(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False):
                return model(**inputs).loss

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        model = BertForSequenceClassification(config)
        train_data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 8, "labels": [0, 1] * 4})
        trainer = MyTrainer(model, TrainingArguments("out", use_cpu=True), train_dataset=train_data)

    Passes:

        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

        class MyTrainer(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
                return model(**inputs).loss

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        model = BertForSequenceClassification(config)
        train_data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 8, "labels": [0, 1] * 4})
        trainer = MyTrainer(model, TrainingArguments("out", use_cpu=True), train_dataset=train_data)

    See also: <https://github.com/huggingface/transformers/issues/36331>.
    """
    if not forward.own_loss:
        raise Unavailable("the loss is the model's own")
    yield from ()  # what the method raised is told by its text: see the symptoms
