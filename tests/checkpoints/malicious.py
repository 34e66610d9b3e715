"""
Files that would run something when they are loaded, each by a trick of its own.

What they would run makes an empty folder, at a place that the caller names, and nothing else.
Nobody loads them: they are there to be read.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from checkpoints.archives import Entry, tarred, zipped
from checkpoints.opcodes import (
    MARK,
    POP,
    REDUCE,
    STOP,
    call,
    glob,
    plain,
    proto,
    short,
    stack_global,
    text,
    whole,
)

Builder = Callable[[str], bytes]
FILES: dict[str, Builder] = {}
"""File name -> what makes its bytes; the argument is the folder that loading it would make."""

BENIGN = whole(plain({"step": 1, "loss": 0.5}))
_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
_LEGACY = _MAGIC + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)


def _file(name: str) -> Callable[[Builder], Builder]:
    def add(builder: Builder) -> Builder:
        assert name not in FILES
        FILES[name] = builder
        return builder

    return add


def _each(builders: dict[str, Builder]) -> None:
    for name, builder in builders.items():
        _file(name)(builder)


def mkdir(folder: str) -> bytes:
    """A call that makes the folder."""
    return call("os", "mkdir", folder)


def evil(folder: str) -> bytes:
    """A pickle that makes the folder."""
    return whole(mkdir(folder))


def _named(module: str, name: str) -> Builder:
    """A pickle that imports something that can run programs, and goes no further."""
    return lambda _: whole(glob(module, name))


def _called(module: str, name: str) -> Builder:
    return lambda folder: whole(call(module, name, folder))


# How the global is named, and how it is called.
_each(
    {
        "reduce_p2.pkl": evil,
        "reduce_p0.pkl": lambda f: b"cos\nmkdir\n(V" + f.encode() + b"\ntR.",
        "reduce_p1.pkl": lambda f: b"cos\nmkdir\n(" + text(f) + b"tR.",
        "stack_global_p4.pkl": lambda f: whole(
            stack_global(short("os"), short("mkdir")) + plain((f,)) + REDUCE, 4
        ),
        "stack_global_long_names.pkl": lambda f: whole(
            stack_global(
                b"\x8d" + struct.pack("<Q", 2) + b"os", b"\x8d" + struct.pack("<Q", 5) + b"mkdir"
            )
            + plain((f,))
            + REDUCE,
            4,
        ),
        "stack_global_escaped_names.pkl": lambda f: whole(
            stack_global(b"S'\\x6f\\x73'\n", b"V\\u006dkdir\n") + plain((f,)) + REDUCE, 4
        ),
        "stack_global_old_strings.pkl": lambda f: whole(
            stack_global(b"U\x02os", b"T\x05\0\0\0mkdir") + plain((f,)) + REDUCE, 4
        ),
        "stack_global_dup.pkl": lambda _: whole(
            short("timeit") + b"2\x93" + plain(("pass",)) + REDUCE, 4
        ),
        "stack_global_computed.pkl": lambda f: whole(
            stack_global(call("_codecs", "encode", "os", "ascii"), short("mkdir"))
            + plain((f,))
            + REDUCE,
            4,
        ),
        "stack_global_of_a_long_string.pkl": lambda f: whole(
            stack_global(text("o" * 100_000), short("mkdir")) + plain((f,)) + REDUCE, 4
        ),
        "memo_confusion.pkl": lambda f: whole(
            # The first names in the memo are harmless; they are overwritten before they are used.
            short("collections")
            + b"q\x00"
            + POP
            + short("OrderedDict")
            + b"q\x01"
            + POP
            + short("os")
            + b"p0\n"
            + POP
            + short("mkdir")
            + b"r\x01\0\0\0"
            + POP
            + stack_global(b"h\x00", b"j\x01\0\0\0")
            + plain((f,))
            + REDUCE,
            4,
        ),
        "memoize_counts.pkl": lambda f: whole(
            short("os")
            + b"\x94"
            + short("mkdir")
            + b"\x94\x93"
            + b"h\x00h\x01\x93"
            + plain((f,))
            + REDUCE,
            4,
        ),
        "inst.pkl": lambda f: MARK + text(f) + b"ios\nmkdir\n.",
        "obj.pkl": lambda f: proto() + MARK + glob("os", "mkdir") + text(f) + b"o.",
        "newobj.pkl": lambda _: whole(glob("subprocess", "Popen") + plain((["true"],)) + b"\x81"),
        "newobj_ex.pkl": lambda _: whole(
            glob("subprocess", "Popen") + plain((["true"],)) + b"}\x92", 4
        ),
        "python2_names.pkl": lambda _: whole(call("__builtin__", "eval", "1+1")),
        "python2_commands.pkl": lambda _: whole(call("commands", "getoutput", "true")),
        "dotted_name.pkl": lambda _: whole(
            stack_global(short("collections"), short("OrderedDict.__init__.__globals__")), 4
        ),
        "dotted_numpy.pkl": lambda _: whole(
            stack_global(short("numpy"), short("f2py.os.mkdir")), 4
        ),
        "dotted_torch.pkl": lambda _: whole(
            stack_global(short("torch"), short("serialization.os.system")), 4
        ),
        "dotted_allowed.pkl": lambda _: whole(
            stack_global(short("torch.nn"), short("parameter.Parameter.__init__")), 4
        ),
        "extension_1.pkl": lambda f: whole(b"\x82\x07" + plain((f,)) + REDUCE),
        "extension_2.pkl": lambda f: whole(b"\x83\x07\x01" + plain((f,)) + REDUCE),
        "extension_4.pkl": lambda f: whole(b"\x84\x07\x01\0\0" + plain((f,)) + REDUCE),
        "carriage_return.pkl": lambda f: b"cos\r\nmkdir\n" + plain((f,)) + b"R.",
    }
)

# What is named and called.
_each(
    {
        "importlib.pkl": _called("importlib", "import_module"),
        "pkgutil.pkl": _called("pkgutil", "resolve_name"),
        "attrgetter.pkl": _called("operator", "attrgetter"),
        "methodcaller.pkl": _called("operator", "methodcaller"),
        "partial.pkl": lambda f: whole(
            glob("functools", "partial") + glob("os", "mkdir") + text(f) + b"\x86" + REDUCE
        ),
        "nested_loads.pkl": lambda f: whole(call("pickle", "loads", evil(f)), 4),
        "nested_torch_load.pkl": lambda f: whole(
            call("torch.storage", "_load_from_bytes", evil(f))
        ),
        "timeit.pkl": _called("timeit", "timeit"),
        "interpreter.pkl": _named("code", "InteractiveInterpreter"),
        "cprofile.pkl": _called("cProfile", "run"),
        "collect_env.pkl": _called("torch.utils.collect_env", "run"),
        "runstring.pkl": _called("numpy.testing._private.utils", "runstring"),
        "pandas_eval.pkl": _called("pandas.core.computation.eval", "eval"),
        "torch_jit_script.pkl": _named("torch.jit", "_script"),
        "torch_load.pkl": _named("torch.serialization", "load"),
        "torch_hub.pkl": _called("torch.hub", "load"),
        "subinterpreters.pkl": _called("_xxsubinterpreters", "create"),
        "runpy.pkl": _called("runpy", "run_path"),
        "ctypes.pkl": _called("ctypes", "CDLL"),
        "webbrowser.pkl": _named("webbrowser", "open"),
        "getattr.pkl": _called("builtins", "getattr"),
        "eval.pkl": _called("builtins", "eval"),
        "map.pkl": _named("builtins", "map"),
        "dill.pkl": _named("dill._dill", "_create_function"),
        "cloudpickle.pkl": _named("cloudpickle.cloudpickle", "_make_function"),
        "pip.pkl": _called("pip._internal.cli.main", "main"),
        "unheard_of.pkl": _called("weights", "rebuild"),
        "lookalike.pkl": _called("torch._utils", "_rebuild_tensor_v4"),
        "lookalike_unicode.pkl": _called("torch._util\u017f", "_rebuild_tensor_v2"),
        "control_characters.pkl": _called("o\x1b[31ms", "mkdir\r"),
    }
)

# Where the call hides.
_each(
    {
        "popped.pkl": lambda f: whole(mkdir(f) + POP + plain({})),
        "popped_mark.pkl": lambda f: whole(MARK + mkdir(f) + b"1" + plain({})),
        "popped_by_mark.pkl": lambda f: whole(MARK + mkdir(f) + POP + POP + plain({})),
        "in_memo_only.pkl": lambda f: whole(mkdir(f) + b"q\x05" + POP + plain({})),
        "left_on_stack.pkl": lambda f: whole(mkdir(f) + plain({})),
        "under_a_mark.pkl": lambda f: whole(mkdir(f) + MARK + plain({})),
        "as_key.pkl": lambda f: whole(b"}" + mkdir(f) + b"Ns"),
        "in_state.pkl": lambda f: whole(
            glob("collections", "OrderedDict") + b")R" + b"}" + text("a") + mkdir(f) + b"sb"
        ),
        "in_persistent_id.pkl": lambda f: whole(mkdir(f) + b"\x85Q"),
        "in_hooks.pkl": lambda f: whole(
            glob("torch._utils", "_rebuild_parameter") + MARK + b"N\x89" + mkdir(f) + b"tR"
        ),
        "given_to_rebuild.pkl": lambda f: whole(
            glob("torch._tensor", "_rebuild_from_type_v2")
            + MARK
            + glob("os", "mkdir")
            + glob("torch", "Tensor")
            + plain((f,))
            + b"NtR"
        ),
        "default_factory.pkl": lambda _: whole(
            glob("collections", "defaultdict") + glob("os", "getcwd") + b"\x85R"
        ),
        "second_pickle.pkl": lambda f: BENIGN + evil(f),
        "third_pickle_p0.pkl": lambda f: BENIGN + b"N." + FILES["reduce_p0.pkl"](f),
        "broken_after.pkl": lambda f: proto() + mkdir(f) + b"\xff\xff",
        "cut_after.pkl": lambda f: proto() + mkdir(f),
        "protocol_99.pkl": lambda f: b"\x80\x63" + mkdir(f) + STOP,
        "frame_beyond_end.pkl": lambda f: (
            proto(4) + b"\x95" + struct.pack("<Q", 2**40) + mkdir(f) + STOP
        ),
        "frame_of_nothing.pkl": lambda f: proto(4) + b"\x95" + b"\0" * 8 + mkdir(f) + STOP,
        "as_text.txt": evil,
        "no_suffix": evil,
        "as.safetensors": evil,
    }
)

# What no pickler writes.
_each(
    {
        "persistent_text.pkl": lambda f: b"P" + f.encode() + b"\n.",
        "persistent_object.pkl": lambda f: whole(plain(["file", f]) + b"Q"),
        "setstate_of_class.pkl": lambda f: whole(
            # The class gets a __setstate__, which the next BUILD calls.
            glob("collections", "OrderedDict")
            + b"N}"
            + text("__setstate__")
            + glob("os", "mkdir")
            + b"s\x86b)R"
            + text(f)
            + b"b"
        ),
        "state_of_class_allowed.pkl": lambda _: whole(
            glob("torch", "Tensor")
            + b"N}"
            + text("__setstate__")
            + glob("torch._utils", "_rebuild_parameter")
            + b"s\x86b"
        ),
        "call_of_computed.pkl": lambda _: whole(
            call("torch", "device", "cpu") + glob("torch", "Size") + b"\x85R"
        ),
        "call_of_arguments.pkl": lambda f: whole(
            # Its own code would read the file that it is given.
            call("accelerate.utils.dataclasses", "DeepSpeedPlugin", f)
        ),
        "reconstructor_of_arguments.pkl": lambda f: whole(
            glob("copyreg", "_reconstructor")
            + glob("builtins", "object")
            + glob("accelerate.utils.dataclasses", "DeepSpeedPlugin")
            + text(f)
            + b"\x87R"
        ),
        "call_of_a_string.pkl": lambda _: whole(text("os.mkdir") + plain(("x",)) + REDUCE),
        "item_of_class.pkl": lambda _: whole(glob("torch", "Tensor") + text("a") + b"Ns"),
        "appended_to_class.pkl": lambda _: whole(glob("torch", "Tensor") + b"Na"),
        "out_of_band.pkl": lambda _: whole(b"\x97)R", 5),
    }
)


def torch_zip(pickled: bytes, *more: Entry, root: str = "archive") -> tuple[Entry, ...]:
    """The members that torch.save writes."""
    return (
        Entry(f"{root}/data.pkl", pickled),
        Entry(f"{root}/byteorder", b"little"),
        Entry(f"{root}/version", b"3\n"),
        *more,
    )


def _zip(change: Callable[[Entry], Entry]) -> Builder:
    """An archive whose data.pkl makes the folder, after a change."""

    def build(folder: str) -> bytes:
        first, *rest = torch_zip(evil(folder))
        return zipped(change(first), *rest)

    return build


def _npy(pickled: bytes, descr: str = "'|O'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickled


@_file("two_ends.bin")
def _two_ends(folder: str) -> bytes:
    """Whoever looks for the first end of the archive finds another directory."""
    bad = zipped(*torch_zip(evil(folder)))
    return zipped(*torch_zip(BENIGN), comment=bad)


@_file("two_ends_bad_first.bin")
def _two_ends_bad_first(folder: str) -> bytes:
    """The other way round."""
    return zipped(*torch_zip(evil(folder)), comment=zipped(*torch_zip(BENIGN)))


@_file("hidden_member.bin")
def _hidden_member(folder: str) -> bytes:
    """A member that the directory doesn't list, for whoever reads from the front."""
    hidden = Entry("archive/data.pkl", evil(folder), listed=False)
    return zipped(hidden, *torch_zip(BENIGN))


_each(
    {
        "torch.bin": _zip(lambda e: e),
        "torch_renamed.dat": _zip(lambda e: e),
        "torch_bad_checksum.bin": _zip(lambda e: replace(e, checksum=1)),
        "torch_flag_encrypted.bin": _zip(lambda e: replace(e, flags=1)),
        "torch_flag_patched.bin": _zip(lambda e: replace(e, flags=0x20)),
        "torch_flag_strong.bin": _zip(lambda e: replace(e, flags=0x40)),
        "torch_flag_only_local.bin": _zip(lambda e: replace(e, local_flags=1)),
        "torch_local_name.bin": _zip(lambda e: replace(e, local_name="archive/read.txt")),
        "torch_central_name.bin": _zip(
            lambda e: replace(e, name="archive/data/0", local_name="archive/data.pkl")
        ),
        "torch_upper_case.bin": _zip(lambda e: replace(e, name="archive/DATA.PKL")),
        "torch_deflated.bin": _zip(lambda e: replace(e, method=8)),
        "torch_null_in_name.bin": _zip(lambda e: replace(e, name="archive/data.pkl\0.txt")),
        "torch_leaving_name.bin": _zip(lambda e: replace(e, name="../archive/data.pkl")),
        "torch_larger_than_it_is.bin": _zip(lambda e: replace(e, size=2**31)),
        "torch_unknown_method.bin": _zip(lambda e: replace(e, method=93)),
        "torch_bzip2.bin": _zip(lambda e: replace(e, method=12, data=bz2.compress(e.data))),
        "torch_no_header.bin": _zip(lambda e: replace(e, headed=False)),
        "torch_prefixed.bin": lambda f: zipped(*torch_zip(evil(f)), prefix=b"#!/bin/sh\n"),
        "torch_trailing.bin": lambda f: zipped(*torch_zip(evil(f)), suffix=b"\0" * 100),
        "torch_commented.bin": lambda f: zipped(*torch_zip(evil(f)), comment=b"weights"),
        "torch_wrong_suffix.zip": lambda f: zipped(Entry("weights.txt", evil(f))),
        "torch_other_root.bin": lambda f: zipped(
            *torch_zip(BENIGN), *torch_zip(evil(f), root="other")
        ),
        "torch_more_pickles.bin": lambda f: zipped(
            *torch_zip(BENIGN, Entry("archive/extra/args.pickle", evil(f)))
        ),
        "torch_twice_bad_first.bin": lambda f: zipped(*torch_zip(evil(f)), *torch_zip(BENIGN)),
        "torch_twice_bad_last.bin": lambda f: zipped(*torch_zip(BENIGN), *torch_zip(evil(f))),
        "torch_twice_by_case.bin": lambda f: zipped(
            *torch_zip(BENIGN), Entry("archive/Data.pkl", evil(f))
        ),
        "torch_after_a_pickle.bin": lambda f: zipped(*torch_zip(BENIGN), prefix=evil(f)),
        "torch_before_a_pickle.pkl": lambda f: BENIGN + zipped(*torch_zip(evil(f))),
        "nested.zip": lambda f: zipped(Entry("inner.bin", zipped(*torch_zip(evil(f))))),
        "nested_deflated.zip": lambda f: zipped(
            Entry("inner.bin", zipped(*torch_zip(evil(f))), method=8)
        ),
        "nested_npz.zip": lambda f: zipped(
            Entry("a.npz", zipped(Entry("a.npy", _npy(evil(f)), method=8)), method=8)
        ),
        "export_sample_inputs.pt2": lambda f: zipped(
            Entry("m/archive_format", b"pt2"),
            Entry("m/data/sample_inputs/model.pt", zipped(*torch_zip(evil(f)))),
        ),
        "export_library.pt2": lambda _: zipped(
            Entry("m/archive_format", b"pt2"),
            Entry("m/data/aotinductor/model/a.wrapper.so", b"\x7fELF\x02\x01\x01" + b"\0" * 64),
        ),
        "script_constants.pt": lambda f: zipped(
            *torch_zip(whole(glob("__torch__", "Net") + b")\x81")),
            Entry("archive/constants.pkl", evil(f)),
            Entry("archive/code/__torch__.py", b"class Net(Module):\n  pass\n"),
        ),
        "script_plain.pt": lambda _: zipped(
            *torch_zip(whole(glob("__torch__", "Net") + b")\x81")),
            Entry("archive/constants.pkl", whole(b")")),
            Entry("archive/code/__torch__.py", b"class Net(Module):\n  pass\n"),
        ),
        "script_names_without_code.bin": lambda _: zipped(
            *torch_zip(whole(glob("__torch__", "Net") + b")\x81"))
        ),
        "legacy.bin": lambda f: _LEGACY + evil(f) + pickle.dumps([], 2),
        "legacy_keys.bin": lambda f: _LEGACY + BENIGN + evil(f),
        "legacy_machine.bin": lambda f: _MAGIC + pickle.dumps(1001, 2) + evil(f) + BENIGN,
        "legacy_bad_magic.pt": lambda f: pickle.dumps(7, 2) + BENIGN + evil(f),
        "legacy_after_keys.bin": lambda f: _LEGACY + BENIGN + pickle.dumps([], 2) + evil(f),
        "array.npy": lambda f: _npy(evil(f)),
        "array_in_a_field.npy": lambda f: _npy(evil(f), "[('a', '<f4'), ('b', '|O')]"),
        "array_stored.npz": lambda f: zipped(Entry("a.npy", _npy(evil(f)))),
        "array_deflated.npz": lambda f: zipped(Entry("a.npy", _npy(evil(f)), method=8)),
        "zlib.joblib": lambda f: zlib.compress(evil(f)),
        "gzip.pkl.gz": lambda f: gzip.compress(evil(f)),
        "gzip_second_member.pkl.gz": lambda f: gzip.compress(BENIGN) + gzip.compress(evil(f)),
        "bzip2.pkl.bz2": lambda f: bz2.compress(evil(f)),
        "xz.pkl.xz": lambda f: lzma.compress(evil(f)),
        "seven.7z": lambda f: b"7z\xbc\xaf\x27\x1c\0\x04" + evil(f),
        "seven_renamed.bin": lambda f: b"7z\xbc\xaf\x27\x1c\0\x04" + evil(f),
        "legacy.tar": lambda f: tarred(
            (b"storages", pickle.dumps(0, 2) + pickle.dumps([], 2)),
            (b"tensors", pickle.dumps(0, 2)),
            (b"pickle", evil(f)),
        ),
        "legacy_storages.tar": lambda f: tarred(
            (b"storages", pickle.dumps(1, 2) + evil(f)),
            (b"tensors", pickle.dumps(0, 2)),
            (b"pickle", BENIGN),
        ),
        "legacy_between_numbers.tar": lambda f: tarred(
            (b"storages", pickle.dumps(0, 2) + pickle.dumps([], 2)),
            (b"tensors", pickle.dumps(1, 2) + BENIGN + b"\x80\x02\0\0\0" + evil(f)),
            (b"pickle", BENIGN),
        ),
        "member.tar": lambda f: tarred((b"model.bin", zipped(*torch_zip(evil(f))))),
        "name_is_a_pickle.tar": lambda f: tarred(
            (b"cos\nmkdir\n(V" + f[-40:].encode() + b"\ntR.", b"text")
        ),
        "distributed.metadata": lambda f: whole(
            glob("torch.distributed.checkpoint.metadata", "Metadata")
            + b")\x81}"
            + text("planner_data")
            + mkdir(f)
            + b"sb",
            4,
        ),
    }
)


def _wrapper(dtype: str, shape: tuple[int, ...]) -> bytes:
    """joblib's mark that the bytes of an array follow."""
    return (
        glob("joblib.numpy_pickle", "NumpyArrayWrapper")
        + b")\x81}"
        + text("shape")
        + plain(shape)
        + b"s"
        + text("dtype")
        + call("numpy", "dtype", dtype)
        + b"sb"
    )


_each(
    {
        "array_of_objects.joblib": lambda f: proto() + _wrapper("O8", (1,)) + evil(f) + STOP,
        # joblib passes over what Python's own unpickler would run.
        "array_is_a_pickle.joblib": lambda f: (
            proto() + _wrapper("u1", (len(mkdir(f)) + 1,)) + mkdir(f) + STOP + STOP
        ),
        "after_an_array.joblib": lambda f: (
            proto() + _wrapper("f8", (1,)) + b"\0" * 8 + mkdir(f) + STOP
        ),
    }
)
