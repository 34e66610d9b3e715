from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Distribution, Script

MAIN = re.compile(
    r"""\s*(?:el)?if\s+(?P<no>not\s+)?(?:
      [\w.]*\bis_(?:world_process_zero|local_process_zero|main_process|local_main_process)(?:\(\))?
    | (?:[\w.]*\b(?:rank|local_rank|global_rank|process_index)
        |[\w.]*\bget_rank\(\)
        |int\(os\.(?:environ\[["'](?:LOCAL_)?RANK["']\]
            |(?:environ\.get|getenv)\(["'](?:LOCAL_)?RANK["'][^)]*\))\))
      \s*(?P<sign>==\s*0|!=\s*0|in\s*[(\[]\s*-1\s*,\s*0\s*[)\]]|<=\s*0|<\s*1)
    )\s*:""",
    re.VERBOSE,
)
"""The condition by which scripts choose one process, and nothing besides it."""

TRAINER = re.compile(r"(?:transformers|trl)\..*Trainer\.(?:train|evaluate|predict)")
OTHERS = re.compile(
    r"accelerate\..*Accelerator\.(?:gather|gather_for_metrics|reduce)"
    r"|torch\.distributed\..*(?:all_reduce|all_gather|all_gather_object|all_gather_into_tensor)"
)
"""
What gathers from all processes. Barriers and broadcasts are left out: the two arms of one `if`
may each have theirs.
"""


@check(
    "ENV005",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"Watchdog caught collective operation timeout": (
            "call what all processes must do together outside of `if is_main_process`; where one "
            "process only works longer than the others wait, raise ddp_timeout (seconds)"
        ),
    },
)
def collective_call_on_one_process(
    script: Script, distribution: Distribution | None
) -> Iterator[Finding]:
    """
    One process alone calls what all of them must call together, and waits for the others in vain.

    `Trainer.evaluate()` gathers the predictions of all processes. Under `if
    trainer.is_world_process_zero():` only one comes to it; the others go on to the next thing that
    they must do together, or end. Both sides wait until the time of `ddp_timeout` is over, half an
    hour by default: "Watchdog caught collective operation timeout". To let one process print or
    save the result is right. Of how many processes there are tells the launcher: with a single one
    nothing happens.

    Fails:

        environment = {"transformers": "5.23.0", "processes": 4}
        script = '''
        from transformers import Trainer

        trainer = Trainer(model, eval_dataset=rows)
        trainer.train()
        if trainer.is_world_process_zero():
            print(trainer.evaluate())
        '''

    Passes:

        environment = {"transformers": "5.23.0", "processes": 4}
        script = '''
        from transformers import Trainer

        trainer = Trainer(model, eval_dataset=rows)
        trainer.train()
        metrics = trainer.evaluate()
        if trainer.is_world_process_zero():
            print(metrics)
        '''

    See also: <https://github.com/huggingface/transformers/issues/26724>.
    """
    processes = 0 if distribution is None else distribution.processes
    if processes == 1:
        return
    for call in script.calls:
        guard = _guard(script, call)
        if guard is None or call.place.runs == "never" or not _waits(script, call, guard):
            continue
        count = f"of {processes} processes" if processes else "of several processes"
        yield Finding(
            message=f"{call.text}() is called by one {count} only (line {guard}), and waits for "
            "what the others have to send",
            where=call.where,
            evidence={
                "call": call.text,
                "line": call.line,
                "guard": guard,
                "processes": processes,
            },
            remedy=f"call {call.text}() in all processes, above line {guard}, and use its result "
            "there",
            severity=_severity(processes, sure=len(call.place.branches) == 1),
        )


def _severity(processes: int, *, sure: bool) -> Severity | None:
    if not processes:
        return Severity.NOTE  # it may be a run of one process, which waits for nobody
    return None if sure else Severity.WARNING


def _guard(script: Script, call: Call) -> int | None:
    """Return the line of the `if` that leaves one process, where the call stands within one."""
    for line, arm in call.place.branches:
        found = MAIN.match(script.lines[line - 1]) if line <= len(script.lines) else None
        if found is not None:
            others = (found["sign"] or "").startswith("!") != bool(found["no"])
            if arm == ("else" if others else "then"):
                return line
    return None


def _waits(script: Script, call: Call, guard: int) -> bool:
    name = next((n for n in call.names if TRAINER.fullmatch(n) or OTHERS.fullmatch(n)), None)
    if name is None:
        return False
    # A trainer that this process alone has made is no one else's.
    if any(_guard(script, maker) == guard for maker in script.receivers(call)):
        return False
    # The others may call the same in the other arm, or further on.
    return not any(
        other is not call and name in other.names and _guard(script, other) is None
        for other in script.calls
        if other.place.excludes(call.place) or not TRAINER.fullmatch(name)
    )
