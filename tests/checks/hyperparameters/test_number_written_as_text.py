import re

import pytest
from facts import findings, settings, the_finding

from pipedoctor_checks.hyperparameters.number_written_as_text import RAISED, number_written_as_text


@pytest.mark.parametrize(
    ("key", "text", "line"),
    [
        ("learning_rate", "2e-5", '"learning_rate": 2.0e-5'),
        ("learning_rate", "5e-5", '"learning_rate": 5.0e-5'),
        ("num_train_epochs", "3", '"num_train_epochs": 3'),
        ("per_device_train_batch_size", "16", '"per_device_train_batch_size": 16'),
        ("weight_decay", " 0.01 ", '"weight_decay": 0.01'),
        ("max_steps", "1e3", '"max_steps": 1000'),
        ("save_total_limit", "2", '"save_total_limit": 2'),
        ("eval_steps", "0.1", '"eval_steps": 0.1'),
    ],
)
def test_a_text_that_spells_a_number(key: str, text: str, line: str) -> None:
    found = the_finding(number_written_as_text, settings(**{key: text}))

    assert found.remedy == f"write {line}"
    assert f'"{text}"' in found.message
    assert found.where.key == key


@pytest.mark.parametrize("text", ["", "auto", "2e", "nan", "inf", "1/3", "5e-5f"])
def test_a_text_that_spells_none(text: str) -> None:
    found = the_finding(number_written_as_text, settings(learning_rate=text))

    assert "is no number" in found.message
    assert '"learning_rate": 5.0e-5' in found.remedy


def test_an_integer_is_asked_for_by_name() -> None:
    assert "an integer" in the_finding(number_written_as_text, settings(seed="x")).remedy


@pytest.mark.parametrize("version", ["4.40.2", "4.57.6", "5.23.0"])
def test_types_are_written_in_several_ways(version: str) -> None:
    made = settings(version, eval_steps="100", save_total_limit="2", warmup_steps="5")

    assert len(findings(number_written_as_text, made)) == 3


@pytest.mark.parametrize(
    "stated",
    [
        {"learning_rate": 2e-5},
        {"learning_rate": 0},
        {"num_train_epochs": 3},
        {"save_total_limit": None},
        {"output_dir": "3"},
        {"run_name": "2e-5"},
        {"optim": "adamw_torch"},
        {"report_to": "none"},
        {"fp16": "true"},
        {"lr_scheduler_kwargs": "{}"},
        {"include_num_input_tokens_seen": "all"},
        {"colour": "5e-5"},
    ],
)
def test_what_may_be_what_it_is(stated: dict[str, object]) -> None:
    assert findings(number_written_as_text, settings(**stated)) == []


@pytest.mark.parametrize("key", sorted(RAISED))
def test_what_it_says_is_raised_is_raised(key: str) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

        def forward(self, x: object, labels: object) -> dict[str, object]:
            logits = self.layer(x)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    rows = [{"x": [0.1 * n, 1.0], "labels": n % 2} for n in range(8)]
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        stated = {
            "output_dir": folder,
            "report_to": "none",
            "use_cpu": True,
            "disable_tqdm": True,
            "max_steps": 2,
            "per_device_train_batch_size": 4,
            "eval_strategy": "steps",
            "eval_steps": 1,
            "save_steps": 1,
        }
        if key == "num_train_epochs":
            del stated["max_steps"]
        stated[key] = "1"
        kind, _, text = RAISED[key].partition("raises ")[2].partition(": ")
        with pytest.raises((TypeError, ValueError)) as caught:
            transformers.Trainer(
                model=Model(),
                args=transformers.TrainingArguments(**stated),
                train_dataset=rows,
                eval_dataset=rows,
            ).train()

    assert type(caught.value).__name__ == kind
    assert text in str(caught.value)
    if key == "learning_rate":
        assert any(re.search(p, str(caught.value)) for p in number_written_as_text.symptoms)
