"""The tests here start a cluster of Ray on this machine, and skip where it is not installed."""

import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("ray") is None:
        missing = pytest.mark.skip(reason="Ray is not installed: pip install 'warpbench[ray]'")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(missing)
