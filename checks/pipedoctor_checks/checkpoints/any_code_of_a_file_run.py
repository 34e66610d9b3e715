import os
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script

_WEIGHTS = frozenset({"pytorch_model.bin", "adapter_model.bin", "optimizer.pt", "scheduler.pt"})
"""Files of Trainer that hold tensors and plain values, and need no other class to be read."""


@check("CKP040", Severity.NOTE, stage=Stage.CHECKPOINT)
def any_code_of_a_file_run(script: Script) -> Iterator[Finding]:
    """
    A file of weights is read by `torch.load(…, weights_only=False)`, which runs code it may hold.

    Such a file is a pickle: reading it calls whatever functions it names, which is how a model
    from elsewhere can run commands on this machine. With `weights_only=True`, the default since
    torch 2.6, only tensors and plain values are read. Said only of files that Trainer writes, for
    which that is enough; what a script saved itself may need its own classes.

    Fails:

        script = '''
        import torch

        state = torch.load("out/checkpoint-500/pytorch_model.bin", weights_only=False)
        '''

    Passes:

        script = '''
        import torch

        state = torch.load("out/checkpoint-500/pytorch_model.bin", weights_only=True)
        '''

    See also: <https://pytorch.org/docs/stable/generated/torch.load.html>.
    """
    for call in script.called("torch.load"):
        only = call.argument("weights_only")
        name = _file(script, call)
        if only is None or only.get(default=True) is not False or call.place.runs == "never":
            continue
        if name in _WEIGHTS:
            yield Finding(
                message=f"{name} is read with weights_only=False: functions that the file names are "
                "called, and a file of weights needs none",
                where=only.where,
                evidence={"file": name, "weights_only": False},
                remedy="weights_only=True",
            )


def _file(script: Script, call: Call) -> str | None:
    """Return the last part of the path that is read."""
    path = call.argument("f", 0)
    held, made = (None, ()) if path is None else (path.get(), script.makers(path))
    if len(made) == 1 and made[0].is_a("os.path.join") and not made[0].open:
        held = made[0].arguments[len(made[0].arguments) - 1].get()
    return os.path.basename(held) if isinstance(held, str) else None
