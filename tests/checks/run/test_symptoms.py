"""Errors as the libraries word them go to the check that knows their cause."""

import pytest

from pipedoctor import registry
from pipedoctor.fact import Split
from pipedoctor.facts import Batch
from pipedoctor.failures import FALLBACK, attribute
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Measurement, Pipeline, ProbeFailed

NO_LOSS = "The model did not return a loss from the inputs, only the following keys: "
PADDING = (
    "Unable to create tensor, you should probably activate truncation and/or padding with "
    "'padding=True' 'truncation=True' to have batched tensors with the same length."
)

ENCODING = (
    "You should supply an encoding or a list of encodings to this method that includes "
    "input_ids, but you provided ['label']"
)
EXPANDED = (
    "The expanded size of the tensor (33) must match the existing size (32) at "
    "non-singleton dimension 1.  Target sizes: [4, 33]."
)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("DAT002", "No columns in the dataset match the model's forward method signature: (x)."),
        ("DAT002", "Invalid key: 5 is out of bounds for size 0"),
        ("DAT004", "expected sequence of length 7 at dim 1 (got 4)"),
        ("DAT004", PADDING),
        ("DAT004", "stack expects each tensor to be equal size, but got [7] at entry 0"),
        ("DAT004", "all input arrays must have the same shape"),
        ("DAT005", "You must specify exactly one of input_ids or inputs_embeds"),
        ("DAT005", "You have to specify either input_ids or inputs_embeds"),
        ("DAT005", ENCODING),
        ("DAT006", "Cannot handle batch sizes > 1 if no padding token is defined."),
        ("DAT006", "Asking to pad but the tokenizer does not have a padding token. Please"),
        ("DAT007", "index out of range in self"),
        ("DAT008", EXPANDED),
        ("DAT008", "index 32 is out of bounds for dimension 1 with size 32"),
        ("DAT014", "cannot be inferred; max_steps has to be specified."),
        ("LAB001", "Target 2 is out of bounds."),
        ("LAB001", "Target -1 is out of bounds."),
        ("LAB001", "CUDA error: device-side assert triggered"),
        ("LAB001", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        (
            "LAB001",
            "Target size (torch.Size([4, 2])) must be the same as input size (torch.Size([4, 3]))",
        ),
        ("LAB002", "too many dimensions 'str'"),
        ("LAB003", f"{NO_LOSS}logits. For reference, the inputs it received are input_ids."),
        ("LAB004", f"{NO_LOSS}last_hidden_state,pooler_output. For reference, the inputs"),
        ("LAB004", "BertModel.forward() got an unexpected keyword argument 'labels'"),
        ("LAB005", "result type Float can't be cast to the desired output type Long"),
        ("LAB005", "Subtraction, the `-` operator, with two bool tensors is not supported."),
        ("LAB005", "Expected input batch_size (4) to match target batch_size (12)."),
        (
            "LAB006",
            "Target size (torch.Size([4])) must be the same as input size (torch.Size([4, 2]))",
        ),
        ("LAB006", "expected target dtype to be Long or Byte, but got Float"),
        ("LAB006", "expected scalar type Long but found Float"),
        ("LAB008", "You set `ignore_mismatched_sizes` to `False`, thus raising an error."),
        ("LAB008", "size mismatch for classifier.weight: copying a param with shape"),
        (FALLBACK, "something of the user's own"),
    ],
)
def test_an_error_goes_to_the_check_that_knows_its_cause(code, text):
    failure = ProbeFailed(Batch, Split.TRAIN, ValueError(text))
    subject = Pipeline(
        Parts({}), measurements={(Batch, Split.TRAIN): Measurement(None, failure, 0.0)}
    )
    (outcome,) = attribute([], subject, registry.load().rows)

    assert outcome.rule.code == code
    assert text.splitlines()[0][:40] in outcome.findings[0].message
    assert outcome.findings[0].remedy
