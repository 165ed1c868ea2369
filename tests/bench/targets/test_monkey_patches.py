"""A library that replaces threads and sockets is named, and none is there by default."""

import sys
from types import SimpleNamespace

import pytest
from warpbench.bench.targets.monkey_patches import monkey_patched_by


def test_nobody_patches_by_default() -> None:
    assert monkey_patched_by() is None


@pytest.mark.parametrize(
    ("module", "asks", "package"),
    [
        ("gevent.monkey", "is_module_patched", "gevent"),
        ("eventlet.patcher", "is_monkey_patched", "eventlet"),
    ],
)
@pytest.mark.parametrize("part", ["socket", "time", "subprocess"])
def test_who_patches_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, asks: str, package: str, part: str
) -> None:
    patched = SimpleNamespace(**{asks: lambda name: name == part})
    monkeypatch.setitem(sys.modules, module, patched)
    assert monkey_patched_by() == (None if part == "subprocess" else package)
