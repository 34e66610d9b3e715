from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script, Settings
from pipedoctor.facts.script import Class, Function


@check("HYP030", Severity.WARNING, stage=Stage.ARGUMENTS)
def smoothing_left_out_by_own_loss(settings: Settings, script: Script) -> Iterator[Finding]:
    """
    `label_smoothing_factor` is set, and the script's own `compute_loss` does not smooth labels.

    Trainer smooths labels in its own `compute_loss`, by `self.label_smoother`. A method that takes
    its place, and neither calls that one nor uses the smoother, leaves the factor without effect.
    Nothing is said where the method hands its work to a function that could do it.

    Fails:

        settings = {"label_smoothing_factor": 0.1}
        script = '''
        from torch import nn
        from transformers import Trainer

        class Weighted(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
                labels = inputs.pop("labels")
                outputs = model(**inputs)
                loss = nn.functional.cross_entropy(outputs.logits, labels)
                return (loss, outputs) if return_outputs else loss

        Weighted(model, args, train_dataset=data).train()
        '''

    Passes:

        settings = {"label_smoothing_factor": 0.1}
        script = '''
        from transformers import Trainer

        class Logged(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
                return super().compute_loss(model, inputs, return_outputs, **kwargs)

        Logged(model, args, train_dataset=data).train()
        '''

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    factor = settings.label_smoothing_factor
    if not isinstance(factor, (int, float)) or factor <= 0:
        return
    for training in script.trainings:
        makers = script.receivers(training)
        own = _own(script, makers[0]) if len(makers) == 1 else None
        method = script.function(f"{own.name}.compute_loss") if own is not None else None
        if own is None or method is None or not _sure(script, method):
            continue
        yield Finding(
            message=f"label_smoothing_factor is {factor}, and compute_loss of {own.name} (line "
            f"{method.where.line}) takes the place of the one that smooths: the factor has no effect",
            where=settings.where("label_smoothing_factor"),
            evidence={"label_smoothing_factor": factor, "class": own.name},
            remedy=f"nn.functional.cross_entropy(…, label_smoothing={factor}) in {own.name}."
            "compute_loss",
            alternatives=(f"set {settings.entry('label_smoothing_factor', 0.0)}",),
        )
        return


def _own(script: Script, maker: Call) -> Class | None:
    """Return the script's class of a trainer that has `compute_loss` of its own."""
    name = maker.name.removeprefix("__main__.")
    found = [one for one in script.classes if one.name == name and "compute_loss" in one.methods]
    plain = (
        len(found) == 1 and found[0].names[1:] and found[0].names[1].startswith("transformers.")
    )
    return found[0] if plain and found[0].is_a("transformers.Trainer") else None


def _sure(script: Script, method: Function) -> bool:
    """Whether all that a method does is plain: calls of torch, of its arguments, and no smoothing."""
    first, last = (method.where.line or 1) - 1, method.end_line
    text = "\n".join(script.lines[first:last])
    if "smooth" in text or "super" in text or ".compute_loss(" in text:
        return False
    calls = [call for call in script.calls if call.place.scope == method.name]
    computes = False
    for call in calls:
        last_word = call.text.rpartition(".")[2].lower()
        loss = any(name.startswith("torch.nn.") for name in call.names) and "entropy" in last_word
        made = any(
            one.name.startswith("torch.nn.") and "entropy" in one.name.lower()
            for one in script.callees(call)
        )
        computes = computes or loss or made
        if not call.names and call.text.startswith(("self.", "loss_fn", "criterion")) and not made:
            return False
        if call.name.startswith("__main__."):
            return False
    return computes
