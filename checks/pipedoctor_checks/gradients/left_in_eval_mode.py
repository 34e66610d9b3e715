from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Loop, Script
from pipedoctor_checks.gradients._loops import Ways, backwards, optimizers, trained_by

_MODES = ("Dropout", "BatchNorm", "AlphaDropout", "InstanceNorm")
"""Layers of torch that do something else while training."""
ENOUGH = 2
"""In so many steps at least; before, a single one may be a trial."""
_LIBRARIES = ("torchvision.models.", "timm.", "transformers.")
"""Packages whose models have such layers, nearly all of them."""


@check("GRD008", Severity.WARNING, stage=Stage.FORWARD, explains=("NUM020",))
def left_in_eval_mode(script: Script, loop: Loop | None = None) -> Iterator[Finding]:
    """
    The model is set to evaluation by `eval()`, then trained, and nothing sets it back.

    In evaluation mode dropout does nothing and batch normalisation neither uses nor updates the
    statistics of the batch; `loss.backward()` works all the same, so nothing tells. With
    statistics that are still those of the start, a network with batch normalisation trains badly
    or not at all; without dropout it overfits sooner. An `eval()` at the end of an epoch counts
    for all that follow. Nothing is said of a model that holds no such layer, or of which that
    can't be seen. Where the loop was run, the mode of each step is known; with batch
    normalisation that has never seen a batch it is an error. Some layers kept in evaluation mode
    while others train are meant so.

    Fails:

        script = '''
        import torch
        from torch import nn

        model = nn.Sequential(nn.Linear(12, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            for inputs, labels in loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
            model.eval()
            report(model)
        '''

    Passes:

        script = '''
        import torch
        from torch import nn

        model = nn.Sequential(nn.Linear(12, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            model.train()
            for inputs, labels in loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
            model.eval()
            report(model)
        '''

    See also: <https://pytorch.org/docs/stable/generated/torch.nn.Module.html>, `eval`.
    """
    seen = [] if loop is None else list(_seen(loop))
    yield from seen or _read(script)


def _seen(loop: Loop) -> Iterator[Finding]:
    """Find the models that were in evaluation mode while they were trained."""
    for mode in loop.modes:
        if mode.since is None or not mode.layers:
            continue
        last = loop.steps[-1].number
        from_start = mode.in_eval == mode.steps
        if mode.in_eval < ENOUGH and not (from_start and mode.steps == 1):
            continue
        when = (
            f"in all {mode.steps} steps"
            if from_start
            else f"from step {mode.since} on, to step {last}"
        )
        layers = " and ".join(mode.layers)
        verb = "do" if len(mode.layers) > 1 else "does"
        message = (
            f"{mode.model} was trained in evaluation mode {when}: {layers} {verb} not work as in "
            "training"
        )
        if mode.idle:
            verb = "normalises" if mode.idle == 1 else "normalise"
            message += (
                f"; {mode.idle} of its layers {verb} with the statistics that they were made with"
            )
        yield Finding(
            message=message,
            where=loop.backward,
            evidence={
                "model": mode.model,
                "steps": mode.steps,
                "in_eval": mode.in_eval,
                "since": mode.since,
                "layers": list(mode.layers),
                "untouched_statistics": mode.idle,
            },
            remedy=f"call {mode.model}.train() where each epoch begins, after any {mode.model}.eval()",
            severity=Severity.ERROR if mode.idle else None,
        )


def _read(script: Script) -> Iterator[Finding]:
    """Find in the text a model that is left in evaluation mode, and trained."""
    trained: set[int] = set()
    for optimizer in optimizers(script):
        trained |= trained_by(script, optimizer)
    if not trained or _set_back(script, trained):
        return
    ways = Ways(script)
    for call in script.calls:
        leaves = call.text.endswith(".eval") and not call.arguments and call.receivers
        if not leaves or not set(call.receivers) <= trained or call.place.runs == "never":
            continue
        layers = _layers(script, script.receivers(call))
        backward = next((b for b in backwards(script) if _before(ways, call, b)), None)
        if backward is None or not layers:
            continue
        model = call.text.removesuffix(".eval")
        yield Finding(
            message=f"{model} is in evaluation mode from line {call.line} on, is trained in line "
            f"{backward.line}, and no line calls {model}.train(): {layers} do not work as in "
            "training",
            where=call.where,
            evidence={"eval": call.line, "backward": backward.line, "layers": layers},
            remedy=f"call {model}.train() where each epoch begins, before line {backward.line}",
        )
        return


def _set_back(script: Script, trained: set[int]) -> bool:
    """Whether a line may set the model to training: `train()` of it, or of what is not known."""
    for call in script.calls:
        if call.text.endswith(".train") and (
            not call.receivers or not trained.isdisjoint(call.receivers)
        ):
            return True
    return any(one.target.endswith(".training") for one in script.assignments)


def _layers(script: Script, makers: tuple[Call, ...]) -> str:
    """Return the layers of a model that the mode changes, in words; empty if it shows none."""
    for maker in makers:
        if any(name.startswith(_LIBRARIES) for name in maker.names):
            return f"dropout and batch normalisation of {maker.text}"
    names = sorted(
        {
            name.rpartition(".")[2]
            for call in script.calls
            for name in call.names[:1]
            if name.startswith("torch.nn.") and name.rpartition(".")[2].startswith(_MODES)
        }
    )
    return " and ".join(names)


def _before(ways: Ways, leaves: Call, backward: Call) -> bool:
    """Whether the model is trained after it was left in evaluation mode, whatever happens."""
    for a, b in ways.shared(leaves, backward):
        sure = a.place.branches == b.place.branches[: len(a.place.branches)]
        again = bool(set(a.place.loops) & set(b.place.loops))
        if sure and not leaves_early(leaves, a) and (again or a.line < b.line):
            return True
    return False


def leaves_early(leaves: Call, way: Call) -> bool:
    """Whether it stands in a branch of the function that is called, and need not be reached."""
    return leaves is not way and any(not arm.startswith("try") for _, arm in leaves.place.branches)
