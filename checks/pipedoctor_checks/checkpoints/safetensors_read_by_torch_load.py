from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Call, Environment, Script, Value

_READS, _REFUSES = (2, 13), (2, 11)
"""From which release of torch on `load` reads the format (seen in its source), and until when it
does not; it came into the sources between, in May 2026."""


@check(
    "CKP030",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"unsupported pickle protocol": (
            "the file is no pickle: one that ends in .safetensors is read by "
            "safetensors.torch.load_file"
        ),
        r"Loading safetensors file with (dict|callable) map_location": (
            'name one device: map_location="cpu"'
        ),
    },
)
def safetensors_read_by_torch_load(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    `torch.load` is to read a safetensors file, which this version of torch can't.

    Up to torch 2.11 `load` takes any file for a pickle, and stops at the first bytes of another
    format with an error that speaks of a pickle protocol. From 2.13 on it knows the format by the
    suffix `.safetensors`, and refuses only a `map_location` that is a dict or a function.

    Fails:

        environment = {"torch": "2.9.1"}
        script = '''
        import torch

        model.load_state_dict(torch.load("out/checkpoint-500/model.safetensors"))
        '''

    Passes:

        environment = {"torch": "2.13.0"}
        script = '''
        import torch

        model.load_state_dict(torch.load("out/checkpoint-500/model.safetensors"))
        '''

    See also: <https://github.com/pytorch/pytorch/pull/170592>.
    """
    calls = [(call, path) for call, path in _loads(script) if call.place.runs != "never"]
    if not calls:
        return
    version = environment.versions.get("torch")
    if version is None:
        raise Unavailable("torch is not installed")
    major, minor = (int(part) for part in version.split(".")[:2])
    for call, path in calls:
        device = call.argument("map_location", 1)
        mapped = device is not None and device.kind in {"dict", "lambda"}
        if (major, minor) >= _READS:
            if mapped and device is not None:
                yield Finding(
                    message=f"torch {version} reads {path.text} to one device only, and "
                    f"map_location is {device.text}",
                    where=call.where,
                    evidence={"torch": version, "map_location": device.text},
                    remedy='map_location="cpu"',
                )
        elif (major, minor) > _REFUSES:
            raise Unavailable(f"whether torch {version} reads safetensors files is not known")
        else:
            yield Finding(
                message=f"torch {version} takes {path.text} for a pickle, and it is a safetensors "
                "file: 2.13 is the first release known to read it",
                where=call.where,
                evidence={"torch": version, "file": path.text},
                remedy=f"safetensors.torch.load_file({path.text})",
                severity=None if call.place.runs == "always" else Severity.WARNING,
            )


def _loads(script: Script) -> Iterator[tuple[Call, Value]]:
    """Yield the calls that read a file of this format, and what names the file."""
    for call in script.called("torch.load"):
        path = call.argument("f", 0)
        if path is None:
            continue
        held, made = path.get(), script.makers(path)
        if len(made) == 1 and made[0].is_a("os.path.join") and not made[0].open:
            held = made[0].arguments[len(made[0].arguments) - 1].get()
        if isinstance(held, str) and held.endswith(".safetensors"):
            yield call, path
