"""
The verbs of the command line: one module each, which is imported when its verb is asked for.

A module of a verb is named after it, with _ for -. It has `DESCRIPTION`, the function `declare`,
which adds the arguments of the verb to a parser, and `run`, which runs it; where argparse's own
line of usage says too much, `USAGE`.
"""

from __future__ import annotations

VERBS = {
    "check": "examine a training config or script",
    "run": "run a training script if its pipeline is ready",
    "batch": "show what really enters the model",
    "memory": "tell what a training takes in memory, and what fits",
    "plan": "show when everything of a run will happen",
    "checkpoint": "show what a checkpoint holds, and what is wrong with it",
    "overfit": "find out whether the pipeline can learn one batch, and why not",
    "lr": "find out which learning rates work, and whether yours does",
    "nan-trace": "find out where NaN comes from: operation, line, layer, row",
    "replay": "run the step again that a flight recorder stopped at",
    "env": "tell what is wrong with the machine and the installed packages",
    "rules": "list the checks",
    "rule": "print the page of a check",
    "new": "write the skeleton of a check",
}
"""What each does, in the order in which they are listed."""
