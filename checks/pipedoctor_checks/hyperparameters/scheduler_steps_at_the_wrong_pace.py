import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Loop, Pace, Script, Value
from pipedoctor_checks.gradients._loops import optimizers

_IN_STEPS = ("get_linear_schedule_with_warmup", "get_cosine_schedule_with_warmup", "get_scheduler")
"""Functions of transformers whose schedule ends after `num_training_steps` calls of `step`."""
_POSITIONS = {"get_scheduler": 3}
_OVER_BATCHES = re.compile(r"len\(\w*(?:loader|batches|dl)\w*\)")
_EPOCHS = re.compile(
    r"\s*for\s+\w+\s+in\s+(?:tqdm\(|trange\()?range\((?:0,\s*|1,\s*)?(.+?)\)+\s*:.*"
)

GONE = 1e-3
"""What is left of a rate with which next to nothing is trained."""

SPENT, SHARE = 20, 0.25
"""
So many steps with next to no rate, and this share of those watched, are no end of a schedule: one
that is as long as its loop ends with it, and the last steps of a cosine are few.
"""


@check("HYP011", Severity.WARNING, stage=Stage.UPDATE)
def scheduler_steps_at_the_wrong_pace(
    script: Script, loop: Loop | None = None
) -> Iterator[Finding]:
    """
    A schedule that counts batches is stepped once an epoch, or one that counts epochs each batch.

    A schedule that is made for `len(loader) * epochs` steps and stepped after each epoch has
    hardly begun when the training ends: with a warm-up, the learning rate stays close to 0. One
    with `T_max=epochs` that is stepped after each batch has run through after that many batches,
    and then rises and falls again. Both are told only by what the script says for certain: the
    length of the loader, or the same name in `T_max` and in the `range` of the epochs. Where the
    loop was run, its rates are known: one that has fallen below a thousandth, and with which the
    loop goes on and on, has come to its end too early. So has one that was stepped for each batch of
    a `DataLoader`, and is over before half of them are taken.

    Fails:

        script = '''
        import torch
        from transformers import get_linear_schedule_with_warmup

        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
        schedule = get_linear_schedule_with_warmup(optimizer, 100, len(train_loader) * epochs)
        for epoch in range(epochs):
            for batch in train_loader:
                model(**batch).loss.backward()
                optimizer.step()
                optimizer.zero_grad()
            schedule.step()
        '''

    Fails:

        script = '''
        import torch

        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
        for epoch in range(epochs):
            for batch in train_loader:
                optimizer.zero_grad()
                model(**batch).loss.backward()
                optimizer.step()
                schedule.step()
        '''

    Passes:

        script = '''
        import torch

        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
        for epoch in range(epochs):
            for batch in train_loader:
                optimizer.zero_grad()
                model(**batch).loss.backward()
                optimizer.step()
            schedule.step()
        '''

    See also: <https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate>.
    """
    read = list(_read(script))
    yield from read
    if loop is not None and not read:
        yield from _seen(loop)


def _seen(loop: Loop) -> Iterator[Finding]:
    """Find the schedules that had run out long before the loop was left."""
    for pace in loop.paces:
        each_step = pace.calls >= pace.steps - 1
        if each_step and (told := _short_of_an_epoch(pace)):
            yield Finding(
                message=f"{pace.name} was stepped {pace.calls:,} times in {pace.steps:,} steps, and an "
                f"epoch has {pace.epoch:,}: {told}",
                where=loop.step,
                evidence={
                    "schedule": pace.name,
                    "calls": pace.calls,
                    "steps": pace.steps,
                    "epoch": pace.epoch,
                    "ends": pace.ends,
                    "halfway": pace.halfway,
                },
                remedy="step it once an epoch, behind the loop over the batches",
            )
            continue
        if pace.spent < SPENT or pace.spent < SHARE * pace.steps or not each_step:
            continue
        yield Finding(
            message=f"{pace.name} was stepped {pace.calls:,} times in {pace.steps:,} steps, and "
            f"the rate fell from {pace.first_rate:.3g} to {pace.last_rate:.3g}: the last "
            f"{pace.spent:,} steps were made with less than a thousandth of it, and trained next "
            "to nothing",
            where=loop.step,
            evidence={
                "schedule": pace.name,
                "calls": pace.calls,
                "steps": pace.steps,
                "spent": pace.spent,
                "first_rate": pace.first_rate,
                "last_rate": pace.last_rate,
            },
            remedy="if it counts epochs, step it once an epoch, behind the loop over the batches; "
            "if it counts batches, make it as long as the training has batches",
        )


def _short_of_an_epoch(pace: Pace) -> str | None:
    """Return what becomes of a schedule that is over before an epoch is; None if it is not."""
    if pace.epoch is None:
        return None
    if pace.ends is not None and pace.calls > 2 * pace.ends and 2 * pace.ends < pace.epoch:
        return (
            f"after T_max={pace.ends} steps the rate is at its lowest, from where it rises and falls "
            "again and again"
        )
    if pace.halfway is not None and pace.halfway < GONE and pace.epoch >= 2 * SPENT:
        return f"in the middle of the first one, {pace.halfway:.1g} of the rate is left"
    return None


def _read(script: Script) -> Iterator[Finding]:
    """Find in the text a schedule that is stepped at another pace than it was made for."""
    steps = [call for call in script.calls if call.text.endswith(".step")]
    trained = {one.number for one in optimizers(script)}
    updates = [call for call in steps if len(call.receivers) == 1 and call.receivers[0] in trained]
    for schedule in script.calls:
        mine = [call for call in steps if call.receivers == (schedule.number,)]
        if len(mine) != 1 or len(updates) != 1 or schedule.place.runs == "never":
            continue
        step, update = mine[0], updates[0]
        if step.place.scope != update.place.scope or step.arguments or step.place.branches:
            continue
        outer, inner = step.place.loops, update.place.loops
        total = _in_batches(script, schedule)
        if total is not None and len(outer) == 1 and len(inner) == 2 and outer == inner[:1]:
            yield _finding(
                step,
                f"the schedule of line {schedule.line} ends after {total} steps, and line "
                f"{step.line} takes 1 an epoch: it hardly begins",
                f"move {step.text}() into the loop of line {inner[1]}, behind {update.text}()",
            )
        end = _in_epochs(schedule)
        if (
            end is not None
            and len(inner) == 2
            and outer == inner
            and _counts(script, inner[0], end)
        ):
            yield _finding(
                step,
                f"the schedule of line {schedule.line} ends after {end} steps, which is the number "
                f"of epochs, and line {step.line} takes 1 a batch",
                f"move {step.text}() behind the loop of line {inner[1]}, into that of line {inner[0]}",
            )


def _finding(step: Call, message: str, remedy: str) -> Finding:
    return Finding(
        message=message[0].upper() + message[1:],
        where=step.where,
        evidence={"step": step.line, "loops": list(step.place.loops)},
        remedy=remedy,
    )


def _in_batches(script: Script, schedule: Call) -> str | None:
    """Return the length of a schedule that is certainly counted in batches, as it is written."""
    if schedule.open:
        return None
    if schedule.is_a("torch.optim.lr_scheduler.OneCycleLR"):
        each = schedule.argument("steps_per_epoch")
        return f"epochs * {each.text}" if each is not None and _over(script, each) else None
    for name in _IN_STEPS:
        if schedule.is_a(f"transformers.{name}"):
            total = schedule.argument("num_training_steps", _POSITIONS.get(name, 2))
            return total.text if total is not None and _over(script, total) else None
    return None


def _over(script: Script, value: Value) -> bool:
    """Whether it is worked out from the length of a loader, here or where its name is given it."""
    texts = [one.value.text for one in script.assignments if one.target == value.text]
    found = texts or [value.text]
    return len(found) == 1 and _OVER_BATCHES.search(found[0]) is not None


def _in_epochs(schedule: Call) -> str | None:
    """Return the name of the number of steps after which a cosine schedule ends."""
    if schedule.open or not schedule.is_a("torch.optim.lr_scheduler.CosineAnnealingLR"):
        return None
    end = schedule.argument("T_max", 1)
    return end.text if end is not None and end.kind in {"name", "attribute"} else None


def _counts(script: Script, line: int, end: str) -> bool:
    """Whether a loop goes through so many epochs: the same name, and one that says so."""
    found = _EPOCHS.fullmatch(script.lines[line - 1])
    return found is not None and found[1].strip() == end and "epoch" in end.lower()
