"""The cores are kept awake as long as a server runs, where that may be asked for."""

import struct
from pathlib import Path

import pytest
from warpbench.mocks.transports.loopback import cpu_wakeup, kept_awake


@pytest.fixture
def latency_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "cpu_dma_latency"
    monkeypatch.setattr(cpu_wakeup, "_LATENCY_FILE", str(path))
    return path


def open_files() -> set[str]:
    return {str(entry.resolve()) for entry in Path("/proc/self/fd").iterdir()}


def test_a_latency_of_zero_is_asked_for_until_the_end(latency_file: Path) -> None:
    latency_file.touch()
    with kept_awake() as is_awake:
        assert is_awake
        assert latency_file.read_bytes() == struct.pack("i", 0)
        assert str(latency_file) in open_files()

    assert str(latency_file) not in open_files()


def test_where_there_is_no_such_file_none_is_made(latency_file: Path) -> None:
    with kept_awake() as is_awake:
        assert not is_awake

    assert not latency_file.exists()


def test_where_nothing_may_be_asked_the_file_is_left_alone(latency_file: Path) -> None:
    latency_file.mkdir()
    with kept_awake() as is_awake:
        assert not is_awake


def test_a_request_that_is_refused_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_wakeup, "_LATENCY_FILE", "/dev/full")
    with kept_awake() as is_awake:
        assert not is_awake

    assert "/dev/full" not in open_files()
