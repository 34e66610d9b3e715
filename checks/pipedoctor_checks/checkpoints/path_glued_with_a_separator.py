import re
from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Call, Script, Value

_GLUED = re.compile(
    r"""(?P<before>[\w.\])]*?(?P<folder>[A-Za-z_]*(?:dir|folder))\b)\s*\+\s*
    (?P<prefix>[rRuUbBfF]?)(?P<quote>['"])(?P<name>checkpoint-[^'"]*)(?P=quote)""",
    re.VERBOSE,
)
_READERS = (".from_pretrained", ".load", ".load_state", ".load_checkpoint")
_WRITERS = ("save", "mkdir", "makedirs", "dump", "copy")
RESUME = "resume_from_checkpoint"


@check("CKP019", Severity.ERROR, stage=Stage.ARGUMENTS)
def path_glued_with_a_separator(script: Script) -> Iterator[Finding]:
    r"""
    The path of a checkpoint is put together by hand, and its separator is missing or misplaced.

    `output_dir + "checkpoint-500"` is `outcheckpoint-500`, a folder beside the one that is meant.
    `os.path.join(output_dir, "/checkpoint-500")` is `/checkpoint-500`: a part that begins with a
    slash throws away what stands before it. Nothing is found there; a name that does not exist is
    then taken for one on the hub. Only paths that a call loads, or resumes from are
    spoken of, only where the parts are literals, and not where the script itself makes that folder.

    Fails:

        script = '''
        from transformers import AutoModelForCausalLM

        output_dir = "out"
        model = AutoModelForCausalLM.from_pretrained(output_dir + "checkpoint-500")
        '''

    Fails:

        script = '''
        import os
        from transformers import AutoModelForCausalLM

        path = os.path.join("out", "/checkpoint-500")
        model = AutoModelForCausalLM.from_pretrained(path)
        '''

    Passes:

        script = '''
        import os
        from transformers import AutoModelForCausalLM

        output_dir = "out/"
        model = AutoModelForCausalLM.from_pretrained(output_dir + "checkpoint-500")
        other = AutoModelForCausalLM.from_pretrained(os.path.join("out", "checkpoint-500"))
        '''

    See also: <https://docs.python.org/3/library/os.path.html#os.path.join>.
    """
    told: set[int | None] = set()
    made = {
        value.get()
        for call in script.calls
        if call.text.rpartition(".")[2].startswith(_WRITERS)
        for value in call.arguments.values()
        if isinstance(value.get(), str)
    }
    for call in script.calls:
        if call.place.runs == "never":
            continue
        for value in _paths(call):
            if value.known and value.get() in made:
                continue
            found = _glued(script, value) or _thrown_away(script, value)
            if found is not None and found[0].line not in told:
                where, message, remedy = found
                told.add(where.line)
                yield Finding(
                    message=message,
                    where=where,
                    evidence={"path": value.text, "used": call.line},
                    remedy=remedy,
                    severity=None if call.place.runs == "always" else Severity.WARNING,
                )


def _paths(call: Call) -> Iterator[Value]:
    """Yield what a call takes for the path of a checkpoint."""
    if call.text.endswith(_READERS) or call.is_a("torch.load"):
        yield from (value for key, value in call.arguments.items() if key == 0)
    for key in (RESUME, "pretrained_model_name_or_path"):
        if key in call.arguments:
            yield call.arguments[key]


def _glued(script: Script, value: Value) -> tuple[Location, str, str] | None:
    """Return what is wrong with a sum of a folder and a name, if the separator is missing."""
    held = value.get()
    for text, where in _written(script, value):
        parts = _GLUED.fullmatch(text.strip())
        if parts is None or not isinstance(held, str):
            continue
        folder = held.removesuffix(parts["name"])
        if folder in {"", held} or folder.endswith(("/", "\\", "-", "_", ".")):
            continue
        name = parts["before"]
        return (
            where,
            f'{name} is "{folder}", so that the path is "{held}": nothing stands between the 2 parts',
            f'os.path.join({name}, "{parts["name"]}")',
        )
    return None


def _written(script: Script, value: Value) -> Iterator[tuple[str, Location]]:
    """Yield the sum itself, and that which a name stands for."""
    yield value.text, value.where
    for one in script.assignments:
        if one.target == value.text:
            yield one.value.text, one.value.where


def _thrown_away(script: Script, value: Value) -> tuple[Location, str, str] | None:
    """Return what is wrong with a join, if a later part begins at the root."""
    made = script.makers(value)
    if len(made) != 1 or not made[0].is_a("os.path.join") or made[0].open:
        return None
    join = made[0]
    parts = [join.arguments[at] for at in range(len(join.arguments)) if at in join.arguments]
    for at, part in enumerate(parts[1:], 1):
        held = part.get()
        # A literal in the call itself: a name may hold a whole path on purpose.
        if part.kind != "constant" or not isinstance(held, str) or not held.startswith("/"):
            continue
        lost, rest = ", ".join(one.text for one in parts[:at]), held.lstrip("/")
        if not rest.startswith("checkpoint"):
            continue
        return (
            join.where,
            f'os.path.join gives "{held}": what begins with a slash throws away {lost}',
            f'os.path.join({lost}, "{rest}")',
        )
    return None
