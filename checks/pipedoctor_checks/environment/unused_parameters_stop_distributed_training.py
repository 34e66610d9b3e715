from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Distribution, Gradients, Settings
from pipedoctor.facts.gradients import places, summarised

REMEDY = "ddp_find_unused_parameters=True, or freeze the parameters that get no gradient"


@check(
    "ENV002",
    Severity.ERROR,
    stage=Stage.BACKWARD,
    symptoms={
        r"Expected to have finished reduction in the prior iteration": REMEDY,
        r"parameters that were not used in producing (the )?loss": REMEDY,
    },
    explains=("GRD003",),
)
def unused_parameters_stop_distributed_training(
    distribution: Distribution, gradients: Gradients, settings: Settings | None
) -> Iterator[Finding]:
    """
    Several processes train the model, and each waits for gradients that never come.

    DistributedDataParallel sums up the gradients of all processes as they become ready. It waits
    for every trainable parameter, unless it is told to look for those that a loss does not use.
    With one that gets no gradient, the second step raises "Expected to have finished reduction
    in the prior iteration before starting a new one". Trainer has it look by default, but not
    with gradient checkpointing, and not where `ddp_find_unused_parameters` is false.

    Fails:

        import torch
        from transformers import BertConfig, BertModel

        class Classifier(torch.nn.Module):
            def __init__(self, config):
                super().__init__()
                self.encoder = BertModel(config)
                self.head = torch.nn.Linear(config.hidden_size, 2)

            def forward(self, input_ids, labels=None):
                hidden = self.encoder(input_ids).last_hidden_state
                logits = self.head(hidden[:, 0])
                return {"loss": torch.nn.functional.cross_entropy(logits, labels)}

        model = Classifier(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]
        settings = {"ddp_find_unused_parameters": False}
        environment = {"processes": 4}

    Passes:

        import torch
        from transformers import BertConfig, BertModel

        class Classifier(torch.nn.Module):
            def __init__(self, config):
                super().__init__()
                self.encoder = BertModel(config, add_pooling_layer=False)
                self.head = torch.nn.Linear(config.hidden_size, 2)

            def forward(self, input_ids, labels=None):
                hidden = self.encoder(input_ids).last_hidden_state
                logits = self.head(hidden[:, 0])
                return {"loss": torch.nn.functional.cross_entropy(logits, labels)}

        model = Classifier(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]
        settings = {"ddp_find_unused_parameters": False}
        environment = {"processes": 4}

    See also: <https://github.com/pytorch/pytorch/issues/43259>.
    """
    if distribution.processes < 2 or not distribution.wrapped:
        return
    # Also those that this step left out at random: some step leaves them out.
    unused = [name for name, gradient in gradients.of.items() if gradient.norm is None]
    if not unused or len(unused) == len(gradients.of) or distribution.finds_unused:
        return
    layers = places(unused, (n for n, g in gradients.of.items() if g.norm is not None))
    key = "ddp_find_unused_parameters"
    yield Finding(
        message=f"{len(unused):,} of {len(gradients.of):,} trainable parameters get no gradient "
        f"({summarised(layers)}), and {distribution.processes} processes wait for them: the second "
        "step raises RuntimeError: Expected to have finished reduction in the prior iteration",
        where=Location(key=key) if settings is None else settings.where(key),
        evidence={
            "unused": unused[:50],
            "count": len(unused),
            "processes": distribution.processes,
            "finds_unused": False,
        },
        remedy=f"{key}=True",
        alternatives=(f"freeze what is not used: {layers[0]}",),
    )
