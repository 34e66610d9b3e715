from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Gradients
from pipedoctor.facts.gradients import Stranger, summarised
from pipedoctor_checks.gradients._lists import layers_in_a_list


@check(
    "GRD005",
    Severity.ERROR,
    stage=Stage.MODEL,
    explains=("LOS003", "LOS012"),
    in_text=layers_in_a_list,
)
def parameters_not_registered(gradients: Gradients) -> Iterator[Finding]:
    """
    The loss depends on layers that the model does not know to be its own.

    A module finds its layers among its attributes, and in `ModuleList` and `ModuleDict`. It does
    not look into a plain list or dict. Layers in there take part in the computation, but
    `model.parameters()` leaves them out: no optimizer updates them, `model.to(device)` leaves
    them behind, and no checkpoint holds them. Layers that only give targets, under
    `torch.no_grad()`, are no fault.

    Fails:

        import torch

        class Stack(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [torch.nn.Linear(4, 4) for _ in range(3)]
                self.head = torch.nn.Linear(4, 2)

            def forward(self, x, labels=None):
                for layer in self.layers:
                    x = torch.relu(layer(x))
                return {"loss": torch.nn.functional.cross_entropy(self.head(x), labels)}

        model = Stack()
        train_data = [{"x": [0.1, 0.2, 0.3, 0.4], "labels": row % 2} for row in range(16)]

    Passes:

        import torch

        class Stack(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.ModuleList(torch.nn.Linear(4, 4) for _ in range(3))
                self.head = torch.nn.Linear(4, 2)

            def forward(self, x, labels=None):
                for layer in self.layers:
                    x = torch.relu(layer(x))
                return {"loss": torch.nn.functional.cross_entropy(self.head(x), labels)}

        model = Stack()
        train_data = [{"x": [0.1, 0.2, 0.3, 0.4], "labels": row % 2} for row in range(16)]

    See also: <https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html>.
    """
    inside = [stranger for stranger in gradients.strangers if stranger.name]
    # Where no optimizer is known, another one may well hold what the model does not.
    outside = [s for s in gradients.strangers if not s.name and s.optimized is False]
    if inside:
        names = tuple(stranger.name for stranger in inside)
        yield Finding(
            message=f"The loss depends on {_count(inside)} in {gradients.model} that "
            f"model.parameters() leaves out: {summarised(names)}",
            where=Location(layer=inside[0].holder),
            evidence={"names": list(names[:50]), "elements": sum(s.size for s in inside)},
            remedy=_registered(inside[0]),
        )
    if outside:
        shapes = tuple(" x ".join(str(length) for length in s.shape) for s in outside)
        yield Finding(
            message=f"The loss depends on {_count(outside)} outside {gradients.model} that the "
            f"optimizer does not hold, of shape {summarised(shapes)}",
            evidence={
                "shapes": [list(s.shape) for s in outside[:50]],
                "elements": sum(s.size for s in outside),
            },
            remedy="make their module an attribute of the model, if they are to be trained; if "
            "not, call it under torch.no_grad(), which saves its gradients",
            severity=Severity.WARNING,
        )


def _count(strangers: list[Stranger]) -> str:
    size = sum(stranger.size for stranger in strangers)
    plural = "" if len(strangers) == 1 else "s"
    return f"{len(strangers):,} parameter{plural} ({size:,} elements)"


def _registered(stranger: Stranger) -> str:
    attribute = stranger.holder.rpartition(".")[2]
    inner = stranger.name[len(stranger.holder) :]
    if not inner:
        return f"self.{attribute} = torch.nn.Parameter(...) in the module's __init__"
    if not inner.startswith("["):
        return f"assign the module as an attribute: self.{attribute} = ..., not in __dict__"
    kind = "Module" if "." in inner else "Parameter"
    kind += "Dict" if inner.startswith("['") else "List"
    return f"self.{attribute} = torch.nn.{kind}({attribute}) in the module's __init__"
