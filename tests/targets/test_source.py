"""What is no readable text is told in one sentence, with the place and the cure."""

import os
import socket
import stat
from pathlib import Path

import pytest

from pipedoctor.targets import TargetError
from pipedoctor.targets.source import MOST_BYTES, Source, read_source, shown


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fault(name):
    with pytest.raises(TargetError) as caught:
        read_source(name)
    text = str(caught.value)
    assert text.isprintable(), "a message stays on its line"
    return text


def written(name, data):
    Path(name).write_bytes(data)
    return name


def test_missing_file():
    assert fault("nothing.json") == "nothing.json does not exist; check the path"


def test_missing_file_with_one_of_nearly_its_name():
    written("train_config.json", b"{}")
    assert (
        fault("train_cofig.json")
        == "train_cofig.json does not exist; did you mean train_config.json?"
    )


def test_alike_suffixes_make_no_likeness():
    written("abc.json", b"{}")
    assert fault("xyz.json") == "xyz.json does not exist; check the path"


def test_missing_folder():
    assert fault("runs/qnli.json") == (
        "runs/qnli.json does not exist, nor does its folder runs; check the path"
    )


def test_file_in_the_place_of_a_folder():
    written("a.json", b"{}")
    assert fault("a.json/b") == "a.json/b can't be read: not a directory; check the path"


def test_folder_with_configs_in_it():
    Path("runs").mkdir()
    for name in ("b.yaml", "a.json", "model.bin"):
        written(f"runs/{name}", b"x")
    assert fault("runs") == (
        "runs is a folder; name the config file or the script in it, such as runs/a.json, runs/b.yaml"
    )


def test_folder_without_configs():
    Path("empty").mkdir()
    assert fault("empty") == "empty is a folder; name the config file or the script in it"


def test_dangling_and_circular_links():
    Path("link.json").symlink_to("gone.json")
    Path("loop.json").symlink_to("loop.json")
    assert fault("link.json") == "link.json is a link to gone.json, which does not exist"
    assert (
        fault("loop.json")
        == "loop.json can't be read: too many levels of symbolic links; check the path"
    )


def test_pipe_socket_and_device_are_not_opened():
    os.mkfifo("fifo.json")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.json")
        cure = "save the config to a file and name that"
        assert fault("fifo.json") == f"fifo.json is a pipe; {cure}"
        assert fault("socket.json") == f"socket.json is a socket; {cure}"
        assert fault("/dev/zero") == f"/dev/zero is a device; {cure}"


def test_file_that_turns_into_a_pipe_between_two_looks(monkeypatch):
    os.mkfifo("fifo.json")
    regular = os.stat(written("a.json", b"{}"))
    monkeypatch.setattr(os, "stat", lambda _path: regular)
    assert stat.S_ISREG(os.stat("fifo.json").st_mode)
    assert fault("fifo.json") == "fifo.json is a pipe; save the config to a file and name that"


def test_unreadable_file(monkeypatch):
    written("secret.json", b"{}")

    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert fault("secret.json") == (
        "secret.json may not be read by this user; give the right with: chmod u+r secret.json"
    )


def test_names_that_no_file_can_have():
    cure = "is no name that a file can have; check the path"
    assert fault("a\0b") == rf"a\x00b {cure}"
    assert fault("\ud800") == rf"\ud800 {cure}"
    assert fault("a" * 300) == f"{'a' * 300} can't be read: file name too long; check the path"


def test_control_characters_in_a_name_are_escaped():
    assert fault("a\x1b[31m\nb.json") == r"a\x1b[31m\nb.json does not exist; check the path"
    assert shown("naïve 配置.json") == "naïve 配置.json"


@pytest.mark.parametrize("data", [b"", b" \n\t\r\n", b"\xef\xbb\xbf"])
def test_empty_file(data):
    assert fault(written("a.json", data)) == (
        "a.json is empty; name a config of training arguments or a training script"
    )


def test_binary_file():
    assert fault(written("model.json", b"PK\x03\x04\x00\x00rest of it")) == (
        "model.json is a binary file (a zero byte at offset 4); "
        "name the JSON, YAML or TOML file that holds the arguments"
    )
    assert "binary file" in fault(written("zeros.json", b"\0" * 1000))


def test_file_that_is_too_large():
    with open("big.json", "wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert fault("big.json") == (
        "big.json has 16.8 MB, too much for a config; "
        "name the JSON, YAML or TOML file that holds the arguments"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(encoding):
    assert fault(written("a.json", '{"a": 1}'.encode(encoding))) == (
        "a.json is encoded as UTF-16; save it as UTF-8"
    )


def test_utf_32():
    assert fault(written("a.json", '{"a": 1}'.encode("utf-32"))) == (
        "a.json is encoded as UTF-32; save it as UTF-8"
    )


@pytest.mark.parametrize(("mark", "offset"), [(b"", 14), (b"\xef\xbb\xbf", 17)])
def test_latin_1_is_named_by_byte_and_line(mark, offset):
    assert fault(written("a.json", mark + b'{"a": 1,\n"b": \xe9}')) == (
        f"a.json:2: byte 0xe9 at offset {offset} is not UTF-8; save the file as UTF-8"
    )


def test_mark_of_utf_8_is_taken_off_and_remembered():
    source = read_source(written("a.json", b'\xef\xbb\xbf{"a": 1}'))
    assert source.text == '{"a": 1}'
    assert source.had_mark


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_an_editor(end):
    # U+2028 and a form feed end a line for str.splitlines, but not for an editor.
    source = read_source(written("a", f"one{end}two\u2028\f{end}{end}four".encode()))
    assert [source.line(source.text.index(word)) for word in ("one", "two", "four")] == [1, 2, 4]
    assert source.line(len(source.text)) == 4


def test_line_of_a_place_is_shown_without_its_indentation():
    where = Source("a.json", '{\n   "a": 1,\n}').location("a", 5)
    assert (where.file, where.line, where.key, where.source) == ("a.json", 2, "a", '"a": 1,')


def test_of_a_minified_line_only_the_part_from_the_key_is_shown():
    text = '{"x": "' + "x" * 1000 + '", "a": 1, "y": "' + "y" * 1000 + '"}'
    where = Source("a.json", text).location("a", text.index('"a"'))
    assert where.source.startswith('"a": 1, "y": "yyy')
    assert len(where.source) == 200
