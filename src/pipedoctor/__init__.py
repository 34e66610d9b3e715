"""
A debugger for training pipelines.

Importing this package imports no framework: torch and TensorFlow are touched only when the
pipeline under examination uses them. Each name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipedoctor.declare import Check, check
    from pipedoctor.fact import Cost, Eval, Fact, Split, Train, Unavailable
    from pipedoctor.finding import Confidence, Finding, Location, Severity, Stage
    from pipedoctor.frameworks.preflight import Preflight
    from pipedoctor.frameworks.readiness import NotReady
    from pipedoctor.live import examine
    from pipedoctor.pipeline import Pipeline
    from pipedoctor.recorder.flight import FlightRecorder
    from pipedoctor.recorder.keras.flight import FitRecorder
    from pipedoctor.recorder.loop import recording
    from pipedoctor.recorder.recorder import Poisoned
    from pipedoctor.report import Outcome, Report, Status

_MODULES = {
    "Check": "declare",
    "Confidence": "finding",
    "Cost": "fact",
    "Eval": "fact",
    "Fact": "fact",
    "Finding": "finding",
    "FitRecorder": "recorder.keras.flight",
    "FlightRecorder": "recorder.flight",
    "Location": "finding",
    "NotReady": "frameworks.readiness",
    "Outcome": "report",
    "Pipeline": "pipeline",
    "Poisoned": "recorder.recorder",
    "Preflight": "frameworks.preflight",
    "Report": "report",
    "Severity": "finding",
    "Split": "fact",
    "Stage": "finding",
    "Status": "report",
    "Train": "fact",
    "Unavailable": "fact",
    "check": "declare",
    "examine": "live",
    "recording": "recorder.loop",
}

__version__ = "0.1.0"

__all__ = [
    "Check",
    "Confidence",
    "Cost",
    "Eval",
    "Fact",
    "Finding",
    "FitRecorder",
    "FlightRecorder",
    "Location",
    "NotReady",
    "Outcome",
    "Pipeline",
    "Poisoned",
    "Preflight",
    "Report",
    "Severity",
    "Split",
    "Stage",
    "Status",
    "Train",
    "Unavailable",
    "check",
    "examine",
    "recording",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
