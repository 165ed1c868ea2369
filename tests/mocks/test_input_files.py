"""What every reader of the user's files has in common: bounds, and a reason of one line."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from warpbench.mocks.input_files import (
    DEEPEST,
    UnreadableError,
    bounded_lines,
    file_name,
    parse_json,
    parse_toml,
    read_content,
)
from warpbench.mocks.printable import LONGEST_LINE, clipped, one_line, printable

Reader = Callable[[str | bytes], object]


class TestContent:
    def test_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"abc")
        assert read_content(tmp_path / "file", 3) == b"abc"

    def test_a_larger_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"abc")
        with pytest.raises(UnreadableError, match="expected at most 2 bytes, found more"):
            read_content(tmp_path / "file", 2)

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
    def test_a_device(self, device: str) -> None:
        with pytest.raises(UnreadableError, match="found a device"):
            read_content(device, 10)

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableError, match="found a directory"):
            read_content(tmp_path, 10)

    @pytest.mark.parametrize("name", ["none", "file/none"])
    def test_a_missing_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(UnreadableError) as caught:
            read_content(tmp_path / name, 10)
        assert caught.value.is_missing

    @pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
    def test_a_name_that_no_file_has(self, name: str) -> None:
        with pytest.raises(UnreadableError, match="cannot be read"):
            read_content(name, 10)


def test_lines_are_read_up_to_a_size_of_all() -> None:
    file = io.BytesIO(b"ab\ncdef\n" + b"x" * 100)
    lines = bounded_lines(file.readline, 4, 10)

    assert [next(lines) for _ in range(3)] == [b"ab\n", b"cdef", b"\n"]
    with pytest.raises(UnreadableError, match="expected at most 10 bytes, found more"):
        next(lines)


@pytest.mark.parametrize(
    ("read", "deep"),
    [
        (parse_json, lambda levels: "[" * levels + "]" * levels),
        (parse_toml, lambda levels: "x = " + "[" * (levels - 1) + "]" * (levels - 1)),
    ],
)
class TestDepth:
    def test_as_deep_as_it_may_be(self, read: Reader, deep: Callable[[int], str]) -> None:
        assert read(deep(DEEPEST))

    @pytest.mark.parametrize("levels", [DEEPEST + 1, 400, 100_000])
    def test_deeper(self, read: Reader, deep: Callable[[int], str], levels: int) -> None:
        with pytest.raises(UnreadableError, match="nested too deeply"):
            read(deep(levels))


@pytest.mark.parametrize("read", [parse_json, parse_toml])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n", r"holds a merge conflict \(line 1\)"),
        (b"\xff", r"expected UTF-8, found byte 0xff in line 1"),
        (b"\n\xe9", r"expected UTF-8, found byte 0xe9 in line 2"),
        (b"\x1b[31m", "not (JSON|TOML)"),
    ],
)
def test_what_is_not_of_the_form(read: Reader, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason) as caught:
        read(content)
    assert str(caught.value).isprintable()


class TestPrintable:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("plain, größer 日本", "plain, größer 日本"),
            ("\x1b[31mred", "\\x1b[31mred"),
            ("a\nb\tc", "a b c"),
            ("\0 \u202e \udcff", "\\x00 \\u202e \\udcff"),
        ],
    )
    def test_no_control_character_is_left(self, text: str, shown: str) -> None:
        assert printable(text) == shown

    def test_a_long_text_is_cut(self) -> None:
        assert clipped("x" * 5000, 60) == "x" * 59 + "…"
        assert clipped("x" * 60, 60) == "x" * 60
        assert len(file_name("x" * 5000)) == 300

    def test_a_long_message_keeps_what_to_do(self) -> None:
        line = one_line("file: " + "x" * 5000 + "; make it again")
        assert len(line) <= LONGEST_LINE + 3
        assert line.startswith("file: ")
        assert line.endswith("; make it again")
