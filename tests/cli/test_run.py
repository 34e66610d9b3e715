"""`pipedoctor run`: preflight, then go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from capture.pipelines import SCRIPT, TRAINS, script

pytest.importorskip("transformers")

COLD = (sys.executable, "-m", "pipedoctor")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, warm: list[str]) -> Run:
    """Run a script with this text; words before `--` are ours."""

    def start(
        text: str, *words: str, begin: Sequence[str] = warm
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "train.py").write_text(text)
        return subprocess.run(
            [*begin, "run", "train.py", *words],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    return start


@pytest.mark.parametrize("words", [(), ("--record",)])
def test_a_ready_pipeline_trains_on(run: Run, words: tuple[str, ...]) -> None:
    done = run(TRAINS, *words, begin=COLD)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "trained")
    assert "Ready to train" in done.stderr


def test_one_that_is_not_ready_does_not_train(run: Run, tmp_path: Path) -> None:
    text = script("try:\n    build().train()\nfinally:\n    open('saved', 'w')\nprint('on')")
    done = run(text, "--", "--num_labels", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "LAB001" in done.stderr
    assert not (tmp_path / "saved").exists()


def test_unless_it_is_forced(run: Run) -> None:
    text = TRAINS.replace("max_steps=6", "max_steps=6, warmup_steps=100")
    assert run(text).returncode == 1
    done = run(text, "--force")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "trained")
    assert "HYP003" in done.stderr


def test_a_recorded_training_stops_before_an_update_that_would_spoil_it(
    run: Run, tmp_path: Path
) -> None:
    body = """
class Spoil(TrainerCallback):
    def on_step_begin(self, args, state, control, model=None, **known):
        if state.global_step == 3:
            model.classifier.weight.register_hook(lambda gradient: gradient / 0)

t = build()
t.args.output_dir = "out"
t.add_callback(Spoil())
t.train()
print("trained")
"""
    text = "from transformers import TrainerCallback\n" + script(body)
    done = run(text, "--record")
    assert (done.returncode, "trained" in done.stdout) == (1, False)
    assert "pipedoctor: step 4: the loss is finite, but gradients are not" in done.stderr
    assert "Traceback" not in done.stderr
    kept = tmp_path / "out" / "pipedoctor-capsule-step-4"
    assert sorted(path.name for path in kept.iterdir()) == ["capsule.json", "tensors.safetensors"]


LOSSES = "t = build()\nt.train()\nprint([e['loss'] for e in t.state.log_history if 'loss' in e])"


def test_the_training_is_the_same_as_without(run: Run, tmp_path: Path) -> None:
    text = script(LOSSES).replace(
        "def build", "import transformers\ntransformers.set_seed(3)\n\ndef build"
    )
    ours = run(text, begin=COLD)
    plain = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ours.stdout.splitlines()[-1] == plain.stdout.splitlines()[-1]
    assert len(json.loads(plain.stdout.splitlines()[-1].replace("'", '"'))) == 3


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('no data')", 1, "no data"),
        ("{}['lr']", 1, "KeyError: 'lr'"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
        ("pass", 0, "no training was seen"),
    ],
)
def test_a_script_ends_as_under_python(run: Run, body: str, status: int, told: str) -> None:
    done = run(script(body))
    assert done.returncode == status
    assert told in done.stderr
    assert "pipedoctor/cli" not in done.stderr


def test_the_report_can_go_to_a_file(run: Run, tmp_path: Path) -> None:
    body = "import os\nos.chdir('/')\nbuild().train()"
    done = run(script(body), "--output-format", "json", "-o", "report.json")
    assert done.returncode == 0
    assert json.loads((tmp_path / "report.json").read_text())["ready"] is True


def test_it_takes_scripts_only(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    words = [sys.executable, "-m", "pipedoctor", "run", "config.json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "run takes a training script" in done.stderr


def test_a_signal_reaches_the_training(tmp_path: Path) -> None:
    body = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
    slow = SCRIPT.format(body=body + "t = build()\nt.args.max_steps = 10**7\nt.train()")
    (tmp_path / "train.py").write_text(slow)
    words = [sys.executable, "-m", "pipedoctor", "run", "train.py"]
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "'loss'" in line:
                break
        process.send_signal(signal.SIGTERM)
        for _ in range(600):
            if process.poll() is not None:
                break
            process.stdout.readline()
            time.sleep(0.01)  # it ends between two steps
        assert process.wait(timeout=30) == 9
