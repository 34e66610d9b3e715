"""A model that was pickled whole needs trust; what hides in the shape of one is unsafe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from checkpoints.opcodes import call, glob, plain, text, whole

from pipedoctor.checkpoints import formats
from pipedoctor.checkpoints.contents import Contents, Verdict
from pipedoctor.checkpoints.pickles import pickle_file

NET = ("nets.small", "Net")
STATE = {"training": True, "_parameters": {}, "_buffers": {}, "_modules": {}}


def bare(module: str, name: str, arguments: bytes = b")") -> bytes:
    return glob(module, name) + arguments + b"\x81"


def state(**more: bytes) -> bytes:
    """What a module of PyTorch is given, and more."""
    pairs = {**{name: plain(value) for name, value in STATE.items()}, **more}
    return b"}(" + b"".join(text(name) + value for name, value in pairs.items()) + b"u"


def net(**more: bytes) -> bytes:
    return bare(*NET) + state(**more) + b"b"


def judged(data: bytes, folder: Path) -> Contents:
    path = folder / "model.pkl"
    path.write_bytes(data)
    return pickle_file.read(str(path))


HARMLESS: dict[str, bytes] = {
    "one": net(),
    "of PyTorch": bare("torch.nn.modules.linear", "Linear") + state() + b"b",
    "of TorchVision": bare("torchvision.models.resnet", "ResNet") + state() + b"b",
    "with a function of PyTorch": net(act=glob("torch.nn.functional", "relu")),
    "with a config of one's own": net(cfg=bare("nets.config", "Config") + b"}b"),
    "of the script": bare("__main__", "Net") + state() + b"b",
    "beside plain values": b"}" + text("model") + net() + b"s" + text("epoch") + plain(3) + b"s",
}


@pytest.mark.parametrize("what", HARMLESS)
def test_the_classes_of_a_model_need_trust(what: str, tmp_path: Path) -> None:
    found = judged(whole(HARMLESS[what]), tmp_path)
    assert found.verdict is Verdict.NEEDS_TRUST, found
    assert found.whole_model


MKDIR = call("os", "mkdir", "made")
HOSTILE: dict[str, bytes] = {
    "a call in its state": net(x=MKDIR),
    "a call before it": MKDIR + b"0" + net(),
    "a function that is named": net(act=glob("os", "mkdir")),
    "a function of its own that is named": net(act=glob("nets.small", "run")),
    "a class of Python": bare("subprocess", "Popen") + state() + b"b",
    "a class of NumPy": bare("numpy", "vectorize") + state() + b"b",
    "a class of PyTorch that is no module": bare("torch.jit", "X") + state() + b"b",
    "a class of Transformers that is no model": bare("transformers.pipelines", "X")
    + state()
    + b"b",
    "a data set of TorchVision": bare("torchvision.datasets.x", "X") + state() + b"b",
    "a tool of PyTorch's beside a net": net(x=bare("torch.utils.x", "Y") + b"}b"),
    "arguments": bare(*NET, plain(("x",))) + state() + b"b",
    "a call of the class": call(*NET, "x"),
    "a call of the class after one": net() + b"0" + call(*NET, "x"),
    "a second state": net() + plain("made") + b"b",
    "a state that says what a second one does": net(__setstate__=glob("torch._C._nn", "gelu")),
    "items that an object takes": net(append=glob(*NET)) + text("x") + b"a",
    "entries that an object takes": net() + text("x") + text("y") + b"s",
    "a class handed to what calls it": net()
    + b"0"
    + glob("torch._tensor", "_rebuild_from_type_v2")
    + b"("
    + glob(*NET)
    + glob("torch", "Tensor")
    + plain(("x",))
    + plain(None)
    + b"tR",
    "a class handed over in a list": net()
    + b"0"
    + glob("collections", "deque")
    + b"(]"
    + glob(*NET)
    + b"atR",
    "a dotted name": bare("nets.small", "Net.forward") + state() + b"b",
    "a module of no name": bare("nets/small", "Net") + state() + b"b",
    "no state of a module": bare(*NET) + b"}b",
    "a state that is a text": net(cfg=bare("nets.config", "Config") + text("x") + b"b"),
    "a part of no package with a model": net(cfg=bare("other.config", "Config") + b"}b"),
    "the extension registry": net(x=b"\x82\x01"),
    "an old way to make an object": net(
        x=glob("copyreg", "_reconstructor")
        + b"("
        + glob(*NET)
        + glob("builtins", "object")
        + b"NtR"
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_hides_in_the_shape_of_a_model(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = judged(whole(HOSTILE[what], 4), tmp_path)
    assert found.verdict is Verdict.UNSAFE, found
    assert not (tmp_path / "made").exists()


def package(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("raise SystemExit('it was imported')")


@pytest.mark.parametrize("place", ["site-packages", "dist-packages", "sources"])
def test_a_class_of_an_installed_package_is_none_of_the_user(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"nets_in_{place.replace('-', '_')}"
    package(tmp_path / place, name)
    monkeypatch.syspath_prepend(str(tmp_path / place))
    found = judged(whole(bare(f"{name}.small", "Net") + state() + b"b"), tmp_path)
    own = place == "sources"
    assert found.verdict is (Verdict.NEEDS_TRUST if own else Verdict.UNSAFE), found
    assert name not in sys.modules


@pytest.mark.parametrize(
    "pair",
    [
        ("git.cmd", "Git"),
        ("tqdm.std", "tqdm"),
        ("fsspec.implementations.local", "LocalFileOpener"),
        ("test.support", "X"),
        ("idlelib.run", "X"),
        ("lib2to3.refactor", "X"),
        ("_testcapi", "X"),
        ("rich.console", "Console"),  # in no list here, and installed with this very project
    ],
)
def test_a_class_of_what_is_known_or_installed_is_unsafe(
    pair: tuple[str, str], tmp_path: Path
) -> None:
    found = judged(whole(bare(*pair) + state() + b"b"), tmp_path)
    assert found.verdict is Verdict.UNSAFE, found
    found = judged(whole(net(x=bare(*pair) + b"}b")), tmp_path)
    assert found.verdict is Verdict.UNSAFE, found


@pytest.fixture
def own() -> Iterator[ModuleType]:
    """A module of the user's, with a net of three kinds of layers."""
    torch = pytest.importorskip("torch")
    module: Any = ModuleType("nets_of_a_test")
    source = """
class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)
        self.activation = torch.nn.functional.relu
        self.settings = Settings()

class Settings:
    def __init__(self):
        self.width = 4

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.ModuleList([Block()])
        self.encoder = torch.nn.TransformerEncoderLayer(8, 2, 16)
"""
    vars(module)["torch"] = torch
    sys.modules[module.__name__] = module
    exec(source, vars(module))
    yield module
    del sys.modules[module.__name__]


def models(own: Any) -> dict[str, Callable[[], Any]]:
    import torch
    import transformers

    small = {"vocab_size": 20, "num_attention_heads": 2, "intermediate_size": 8}
    bert = transformers.BertConfig(**small, hidden_size=8, num_hidden_layers=1)
    gpt2 = transformers.GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2, n_positions=8)
    llama = transformers.LlamaConfig(**small, hidden_size=8, num_hidden_layers=1)
    return {
        "layers": lambda: torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()),
        "recurrent": lambda: torch.nn.LSTM(3, 4),
        "own": own.Net,
        "checkpoint": lambda: {"model": own.Net(), "epoch": 3, "optimizer": {"state": {}}},
        "bert": lambda: transformers.BertForSequenceClassification(bert),
        "gpt2": lambda: transformers.GPT2LMHeadModel(gpt2),
        "llama": lambda: transformers.LlamaForCausalLM(llama),
    }


def test_models_that_torch_saves_whole(own: ModuleType, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    for name, make in models(own).items():
        for suffix, options in (("pt", {}), ("bin", {"_use_new_zipfile_serialization": False})):
            path = tmp_path / f"{name}.{suffix}"
            model = make()
            torch.save(model, path, **options)
            found = formats.read(str(path))
            assert found.verdict is Verdict.NEEDS_TRUST, (name, found.reason)
            assert found.whole_model
            if isinstance(model, torch.nn.Module):
                stored = {n for n, _ in model.named_parameters()}
                assert stored <= set(found.tensors), name


def test_an_object_of_another_class_is_no_model(own: Any, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "settings.pt"
    torch.save({"settings": own.Settings()}, path)
    assert formats.read(str(path)).verdict is Verdict.UNSAFE
