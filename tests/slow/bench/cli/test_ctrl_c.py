"""Ctrl-C ends a run as SIGTERM does, of which the fast suite has the twin."""

import signal
from pathlib import Path

from ....bench.cli.test_cli import a_signal_keeps_what_is_finished


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    a_signal_keeps_what_is_finished(signal.SIGINT, 130, tmp_path)
