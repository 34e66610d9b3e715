import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script, Value
from pipedoctor.facts.script import Place
from pipedoctor_checks.gradients._loops import backwards, losses

_STEP = re.compile(r"step\w*$|zero_grad$")
_WITHOUT_GRAPH = ("torch.no_grad", "torch.inference_mode", "torch.autograd.no_grad")


@check("MEM006", Severity.WARNING, stage=Stage.UPDATE)
def history_keeps_graphs(script: Script) -> Iterator[Finding]:
    """
    The losses of all steps are kept as tensors, and each keeps the graph of its whole step.

    A loss knows how it was computed. `total += loss` and `losses.append(loss)` keep that for each
    step, although only its number is wanted: the backward pass frees the activations, not the
    nodes of the graph. A network of 200 linear layers keeps 0.3 MB a step that way (measured with
    torch 2.13), which is 31 GB after 100,000 steps; a loss that `backward()` was not called on
    keeps its activations too. `loss.item()` is the number alone. A sum that `backward()` is
    called on in the end needs its graph, and is not spoken of.

    Fails:

        script = '''
        import torch

        total = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            total += loss
        print(total / len(loader))
        '''

    Passes:

        script = '''
        import torch

        total = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(total / len(loader))
        '''

    See also: <https://pytorch.org/docs/stable/notes/faq.html>, on history across a training loop.
    """
    if not any(one.name.partition(".")[0] == "torch" for one in script.imports):
        return
    made, passes = losses(script), backwards(script)
    wanted = " ".join(
        [call.text for call in passes]
        + [script.calls[number].text for number in made]
        + [v.text for number in made for v in script.calls[number].arguments.values()]
    )
    for keeper, value, place in _kept(script):
        loop = any(
            b.place.scope == place.scope and set(b.place.loops) & set(place.loops) for b in passes
        )
        loop = loop and _trains(script, place)
        lost = bool(value.made_by) and made.issuperset(value.made_by)
        if not loop or not lost or place.runs == "never" or _without_graph(script, place):
            continue
        if keeper in wanted:
            continue
        yield Finding(
            message=f"{keeper} keeps {value.text} of every step with the graph that it was "
            "computed by, where its number would do: memory grows until the loop ends",
            where=value.where,
            evidence={"keeper": keeper, "value": value.text, "line": value.where.line},
            remedy=f"line {value.where.line}: {value.text}.item() in place of {value.text}",
            alternatives=(f"{value.text}.detach(), which does not wait for the GPU",),
        )


def _kept(script: Script) -> Iterator[tuple[str, Value, Place]]:
    """Yield what is added to a sum or a list, with its name."""
    for one in script.additions:
        yield one.target, one.value, one.place
    for call in script.calls:
        given = _appended(call)
        if given is not None:
            yield call.text.removesuffix(".append"), given, call.place


def _appended(call: Call) -> Value | None:
    return call.argument("", 0) if call.text.endswith(".append") else None


def _trains(script: Script, place: Place) -> bool:
    """
    Whether the function around a loop trains, as far as can be told.

    One that takes no optimizer step sums up the pieces of one batch, and ends with it.
    """
    return not place.scope or any(
        call.place.scope == place.scope and _STEP.search(call.text) for call in script.calls
    )


def _without_graph(script: Script, place: Place) -> bool:
    return any(script.calls[number].is_a(*_WITHOUT_GRAPH) for number in place.managers)
