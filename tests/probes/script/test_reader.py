"""The index of a script: names resolved as Python would, and nothing claimed where it is not sure."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Call, Script
from pipedoctor.probes.script.reader import LARGEST, read


def script(text: str) -> Script:
    return read(textwrap.dedent(text), "train.py")


def the_call(text: str, written: str) -> Call:
    (call,) = [call for call in script(text).calls if call.text == written]
    return call


def argument(text: str, name: str = "x") -> object:
    """Return the value that `f(x=...)` gets, or "unknown"."""
    return the_call(text, "f").arguments[name].get("unknown")


# ------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("from transformers import Trainer\nTrainer()", "Trainer"),
        ("from transformers import Trainer as T\nT()", "T"),
        ("import transformers\ntransformers.Trainer()", "transformers.Trainer"),
        ("import transformers as tf\ntf.Trainer()", "tf.Trainer"),
        ("import transformers.trainer\ntransformers.trainer.Trainer()", "transformers.trainer.Trainer"),
        ("from transformers.trainer import Trainer\nTrainer()", "Trainer"),
        ("from transformers import *\nTrainer()", "Trainer"),
        ("import transformers\nT = transformers.Trainer\nT()", "T"),
        ("def main():\n    from transformers import Trainer\n    Trainer()\nmain()", "Trainer"),
        ("try:\n    from transformers import Trainer\nexcept ImportError:\n    Trainer = None\nTrainer()", "Trainer"),
        ("from transformers import Trainer\nclass Mine(Trainer):\n    pass\nMine()", "Mine"),
        ("from transformers import Trainer\nclass A(Trainer): pass\nclass B(A): pass\nB()", "B"),
        ("from trl import SFTTrainer\nSFTTrainer()", "SFTTrainer"),
        ("from transformers import Seq2SeqTrainer\nSeq2SeqTrainer()", "Seq2SeqTrainer"),
    ],
)  # fmt: skip
def test_a_trainer_by_whatever_name(text: str, written: str) -> None:
    assert the_call(text, written).is_a("transformers.Trainer")


@pytest.mark.parametrize(
    "text",
    [
        "from mine import Trainer\nTrainer()",
        "Trainer()",
        "from transformers import Trainer\nif a:\n    from mine import Trainer\nTrainer()",
        "from transformers import *\nfrom mine import *\nTrainer()",
        "from transformers import Trainer\ndef Trainer(): pass\nTrainer()",
    ],
)
def test_what_is_or_may_be_another_trainer(text: str) -> None:
    assert not the_call(text, "Trainer").is_a("transformers.Trainer")


@pytest.mark.parametrize(
    "text",
    [
        "t = Trainer()\nt.train()",
        "t = u = Trainer()\nt.train()",
        "t = None\nt = Trainer()\nt.train()",
        "def build():\n    return Trainer()\nt = build()\nt.train()",
        "def build():\n    t = Trainer()\n    return t\nt = build()\nt.train()",
        "def build():\n    return Trainer(), 1\nt, n = build()\nt.train()",
        "t, m = Trainer(), 1\nt.train()",
        "def go(t):\n    t.train()\ngo(Trainer())",
        "def go(a, *, t):\n    t.train()\ngo(1, t=Trainer())",
        "class R:\n    def __init__(self):\n        self.t = Trainer()\n    def go(self):\n        self.t.train()",
        "class R:\n    def __init__(self):\n        self.t = Trainer()\nr = R()\nr.t.train()",
        "if a:\n    t = Trainer(x=1)\nelse:\n    t = Trainer(x=2)\nt.train()",
        "t = SFTTrainer() if a else Trainer()\nt.train()",
        "class Mine(Trainer): pass\nt = Mine()\nt.train()",
        "class Mine(Trainer):\n    def go(self):\n        self.train()",
        "class Mine(Trainer):\n    def train(self):\n        return super().train()",
        "with open(p) as f:\n    t = Trainer()\nt.train()",
        "if (t := Trainer()):\n    t.train()",
    ],
)
def test_a_method_of_what_was_made(text: str) -> None:
    imports = "from transformers import Trainer\nfrom trl import SFTTrainer\n"
    (call,) = [c for c in script(imports + text).calls if c.text.endswith(".train")]
    assert call.is_a("transformers.Trainer.train")


@pytest.mark.parametrize(
    "text",
    [
        "t = Trainer()\nt = other()\nt.train()",
        "t = Trainer()\nif a:\n    t = other()\nt.train()",
        "t = Trainer()\nfor i in x:\n    t.train()\n    t = other()",
        "def go(t):\n    t.train()\ngo(Trainer())\nrun(go)",
        "@wrapped\ndef build():\n    return Trainer()\nt = build()\nt.train()",
        "def go(t):\n    t.train()\ngo(Trainer())\ngo(other())",
        "for t in trainers:\n    t.train()",
    ],
)
def test_where_several_things_are_possible_nothing_is_claimed(text: str) -> None:
    found = script("from transformers import Trainer\n" + text)
    (call,) = [call for call in found.calls if call.text == "t.train"]
    assert not call.is_a("transformers.Trainer.train")


def test_the_calls_that_made_a_thing_are_known() -> None:
    found = script("""
        from transformers import Trainer, TrainingArguments
        args = TrainingArguments("out")
        trainer = Trainer(args=args)
        trainer.train()
        args.fp16 = True
    """)
    (training,) = found.trainings
    (trainer,) = found.receivers(training)
    (made,) = found.makers(trainer.argument("args", 1))
    assert (trainer.line, made.line) == (4, 3)
    (later,) = found.assigned(made)
    assert (later.target, later.value.value) == ("args.fp16", True)


# ----------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f(x=1)", 1),
        ("f(x=-2e-5)", -2e-5),
        ("f(x=8 * 1024)", 8192),
        ("f(x=1 / 4)", 0.25),
        ("f(x=[1, 'a', None])", [1, "a", None]),
        ("f(x={'a': (1, 2)})", {"a": (1, 2)}),
        ("f(x=dict(a=1))", {"a": 1}),
        ("A = 3\nf(x=A)", 3),
        ("A = 1\nA = 2\nf(x=A)", 2),
        ("A = 3\ndef g():\n    f(x=A)\ng()", 3),
        ("A, B = 1, 2\nf(x=B)", 2),
        ("C = {'lr': 1e-4}\nf(x=C['lr'])", 1e-4),
        ("NAME = 'a'\nf(x=f'{NAME}-{3}')", "a-3"),
        ("def g(lr):\n    f(x=lr)\ng(1e-4)", 1e-4),
        ("def g(lr=1e-3):\n    f(x=lr)\ng()", 1e-3),
        ("def g():\n    return 4\nf(x=g())", 4),
        ("class C:\n    rate = 3\n    def go(self):\n        f(x=self.rate)", 3),
        ("if a:\n    n = 1\nelse:\n    n = 1\nf(x=n)", 1),
        ("common = dict(x=5)\nf(**common)", 5),
        ("common = {'x': 5}\nf(**common, y=1)", 5),
    ],
)
def test_literals_and_what_can_only_be_one(text: str, value: object) -> None:
    assert argument(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "f(x=args.lr)",
        "A = 1\nif b:\n    A = 2\nf(x=A)",
        "A = 1\ndef g():\n    f(x=A)\ng()\nA = 2",
        "A = 1\nfor i in r:\n    f(x=A)\n    A = 2",
        "A = 1\nfor A in r:\n    pass\nf(x=A)",
        "A = 1\nA += 1\nf(x=A)",
        "def g():\n    global A\n    A = 2\nA = 1\ng()\nf(x=A)",
        "C = [1]\nC.append(2)\nf(x=C)",
        "C = {'a': 1}\nC['a'] = 2\nf(x=C)",
        "C = {'a': 1}\nC['a'] = 2\nf(x=C['a'])",
        "def g(lr):\n    f(x=lr)\ng(1)\ng(2)",
        "def g(lr):\n    f(x=lr)\ng(**k)",
        "try:\n    A = int(s)\nexcept ValueError:\n    A = 1\nf(x=A)",
        "x = f(x=x)",
        "f(x=10 ** 10 ** 10)",
        "f(x=[i for i in r])",
    ],
)
def test_what_only_a_run_can_tell(text: str) -> None:
    assert argument(text) == "unknown"


def test_reading_an_unknown_value_says_what_is_written() -> None:
    with pytest.raises(Unavailable, match=r"args\.lr is known only when the script runs"):
        _ = the_call("f(x=args.lr)", "f").arguments["x"].value


@pytest.mark.parametrize("text", ["f(*a)", "f(**k)", "C = {'a': 1}\nC.update(z)\nf(**C)"])
def test_a_call_may_be_open(text: str) -> None:
    assert the_call(text, "f").open


# ----------------------------------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("f()", "always"),
        ("if __name__ == '__main__':\n    f()", "always"),
        ("def main():\n    f()\nif __name__ == '__main__':\n    main()", "always"),
        ("if a:\n    f()", "maybe"),
        ("a and f()", "maybe"),
        ("def main():\n    if a:\n        return\n    f()\nmain()", "maybe"),
        ("def main():\n    f()\nif a:\n    main()", "maybe"),
        ("def main():\n    f()\nlaunch(main)", "maybe"),
        ("class C:\n    def go(self):\n        f()", "maybe"),
        ("class C:\n    def __init__(self):\n        f()\nC()", "always"),
        ("def unused():\n    f()", "never"),
        ("def a():\n    f()\ndef b():\n    a()", "never"),
        ("try:\n    f()\nfinally:\n    pass", "always"),
        ("try:\n    pass\nexcept E:\n    f()", "maybe"),
    ],
)
def test_whether_a_call_runs(text: str, runs: str) -> None:
    assert the_call(text, "f").place.runs == runs


def test_where_a_call_stands() -> None:
    call = the_call(
        """
        class Mine:
            def go(self):
                for i in r:
                    try:
                        f(
                            1
                        )
                    except (ImportError, errors.Other):
                        pass
        """,
        "f",
    )
    assert (call.line, call.end_line, call.where.source) == (6, 8, "f(")
    assert (call.place.scope, call.place.owner, call.place.loops) == ("Mine.go", "Mine", (4,))
    assert call.place.caught == ("ImportError", "Other")


def test_definitions_and_imports() -> None:
    found = script("""
        import torch
        from transformers import Trainer
        class Mine(Trainer):
            rate: float = 1e-4
            name: str
            def compute_loss(self, model, inputs, **kwargs):
                return model(**inputs)
    """)
    (mine,), (method,) = found.classes, found.functions
    assert mine.is_a("transformers.Trainer")
    assert mine.fields["rate"].value == 1e-4
    assert mine.fields["name"] is None
    assert mine.methods == ("compute_loss",)
    assert (method.name, method.parameters, method.open) == (
        "Mine.compute_loss", ("self", "model", "inputs"), True,
    )  # fmt: skip
    assert [(one.name, one.bound) for one in found.imports] == [
        ("torch", "torch"), ("transformers.Trainer", "Trainer"),
    ]  # fmt: skip


def test_a_secret_is_not_shown() -> None:
    found = script('login(token="hf_secret")\nKEY_TOKEN = "hf_other"\nf(KEY_TOKEN, "hf_other")')
    assert "hf_secret" not in repr([call.where for call in found.calls])
    assert "hf_other" not in repr([call.where for call in found.calls])
    assert "hf_secret" not in found.calls[0].arguments["token"].text


# ------------------------------------------------------------------------------------- robustness


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        compile(text, "x", "exec")
    except (SyntaxError, ValueError):
        return
    read(text)


NAMES = st.sampled_from(["a", "b", "self", "Trainer", "f", "g"])
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["1", "'x'", "None", "[]", "{}"]),
    lambda inner: st.one_of(
        st.builds("{}({})".format, NAMES, inner),
        st.builds("({}).train({}, k={})".format, inner, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("[{} for a in {}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(a := {})".format, inner),
        st.builds("(lambda b: {})".format, inner),
        st.builds("({}, *{})".format, inner, inner),
    ),
    max_leaves=6,
)
SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("a, b = {}".format, EXPRESSIONS),
    st.builds("self.{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{}[0] = {}".format, NAMES, EXPRESSIONS),
    st.builds("from transformers import {} as {}".format, NAMES, NAMES),
    EXPRESSIONS,
)
BLOCKS = st.recursive(
    st.lists(SIMPLE, min_size=1, max_size=3).map("\n".join),
    lambda inner: st.builds(
        lambda head, body: head + "\n" + textwrap.indent(body, "    "),
        st.sampled_from([
            "def f(a, b=1):", "def g(self):", "class Trainer(f):", "if a:", "for a in b:",
            "with a as b:", "while b:",
        ]),
        inner,
    )
    | st.lists(inner, min_size=1, max_size=3).map("\n".join),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@given(BLOCKS)
def test_any_program_is_read(text: str) -> None:
    try:
        compile(text, "x", "exec")
    except SyntaxError:  # such as an assignment expression where none may stand
        return
    found = read(text)
    assert all(call.line <= call.end_line for call in found.calls)
    assert set(found.followed) <= {call.number for call in found.trainings}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1 +" + " 1 +" * 100_000 + " 1", "nested too deeply"),
        ("print 'x'", "line 1"),
        ("x = 1\n" * LARGEST, "too many"),
        ("x = '\0'", "can't be read|line"),
    ],
)
def test_what_cannot_be_read_is_told(subject, text: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        subject(script=text).fact(Script)


def test_a_name_bound_again_and_again_takes_no_time_to_speak_of() -> None:
    found = read("x = 0\n" + "x = f(x)\n" * 20_000)  # quadratic, it would take two minutes
    assert not found.calls[-1].arguments[0].known


def test_calls_that_call_each_other_in_a_circle() -> None:
    found = script("def f():\n    return g()\ndef g():\n    return f()\nf().train()")
    assert found.trainings == ()


def test_the_text_knows_its_file(subject) -> None:
    from pipedoctor.targets.script import ScriptText

    found = subject(script=ScriptText.of("f()", "train.py")).fact(Script)
    assert str(found.calls[0].where) == "train.py:1"
    assert subject(script="f()").fact(Script).calls[0].where.file is None


def test_what_a_called_object_was_made_by():
    found = read("from torch import nn\nloss = nn.CrossEntropyLoss()\nvalue = loss(x, y)\n")
    (call,) = [one for one in found.calls if one.text == "loss"]
    assert [one.name for one in found.callees(call)] == ["torch.nn.CrossEntropyLoss"]


def test_the_elements_of_a_list_here_and_by_its_name():
    found = read("parts = [A(), 2]\nf([A(), 2])\ng(parts)\nh(other)\n")
    shown = {
        c.text: [e.text for e in c.argument("x", 0).elements] for c in found.calls if c.arguments
    }
    assert shown == {"f": ["A()", "2"], "g": ["A()", "2"], "h": []}


def test_a_list_that_is_changed_has_no_known_elements():
    found = read("parts = [A()]\nparts.append(B())\ng(parts)\n")
    (call,) = [one for one in found.calls if one.text == "g"]
    assert call.argument("x", 0).elements == ()


def test_lists_that_hold_each_other_are_no_trap():
    found = read("for i in x:\n    a = [b, F()]\n    b = [a, F()]\ng(a)\n")
    assert [one.text for one in found.calls if one.text == "g"] == ["g"]


def test_what_is_added_to_a_name():
    found = read("total += one()\ntotal = total + two()\nx -= 1\ny = z + 1\n")
    assert [(one.target, one.value.text) for one in found.additions] == [
        ("total", "one()"),
        ("total", "two()"),
    ]


def test_the_managers_of_a_block():
    found = read("with torch.no_grad(), open(p) as f, lock:\n    g()\nh()\n")
    places = {c.text: [found.calls[n].text for n in c.place.managers] for c in found.calls}
    assert places["g"] == ["torch.no_grad", "open"]
    assert places["h"] == []
