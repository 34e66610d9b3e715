"""What the checks of labels say, against what Transformers does with the same labels."""

import pytest
from facts import outcome

from pipedoctor import registry
from pipedoctor.report import Status

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")

SPEAKING = ("LAB001", "LAB002", "LAB005", "LAB006")
"""The checks that are to foresee what the loss raises."""

MULTI = "multi_label_classification"
SINGLE = "single_label_classification"


def build(**known):
    return transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=50,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            **known,
        )
    )


def raises(model, labels, column):
    """Whether a forward pass over one batch fails, collated as Trainer would."""
    rows = [{"input_ids": [2, 5, 3], column: value} for value in labels]
    try:
        model(**transformers.default_data_collator(rows))
    except (IndexError, RuntimeError, TypeError, ValueError):
        return True
    return False


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        ([0, 1, 0], {}),
        ([0, 1, 2], {}),
        ([0, 1, -1], {}),
        ([0, 1, -100], {}),
        ([1, 2, 3], {"num_labels": 3}),
        ([0, 1, 2], {"num_labels": 3}),
        ([0.0, 1.0, 2.0], {"num_labels": 3}),
        ([0.5, 1.5, 2.5], {"num_labels": 3}),
        ([0.5, 1.5, 2.5], {"num_labels": 1}),
        ([True, False, True], {}),
        ([[0, 1, 1], [1, 0, 0]], {"num_labels": 3}),
        ([[0, 1, 1], [1, 0, 0]], {"num_labels": 3, "problem_type": MULTI}),
        ([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], {"num_labels": 3}),
        ([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], {"num_labels": 2}),
        ([[0], [1], [0]], {}),
        ([[0.0], [1.0], [0.0]], {}),
        ([0, 1, 0], {"problem_type": MULTI}),
        ([0, 1, 0], {"problem_type": "regression"}),
        ([0.0, 1.0, 0.0], {"problem_type": SINGLE}),
        (["no", "yes", "no"], {}),
    ],
)
@pytest.mark.parametrize("column", ["label", "labels"])
def test_one_check_speaks_where_the_loss_raises_and_none_where_it_does_not(labels, known, column):
    data = datasets.Dataset.from_dict({"input_ids": [[2, 5, 3]] * len(labels), column: labels})
    told = {
        code: outcome(registry.load()[code], model=build(**known), train_data=data)
        for code in SPEAKING
    }
    found = [code for code, ended in told.items() if ended.status is Status.FOUND]

    # Of text in a column `labels` the default collator makes nothing: no loss, and no error.
    wrong = raises(build(**known), labels, column) or isinstance(labels[0], str)

    assert len(found) == int(wrong), told
