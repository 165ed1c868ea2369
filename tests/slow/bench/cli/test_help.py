"""The shells whose completion the fast suite does not ask for."""

import pytest

from ....bench.cli.test_help import assert_commands_are_completed


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_can_complete_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert_commands_are_completed(shell, capsys)
