"""The command that starts a service as deployed: split as a shell would, filled in, checked."""

import os
import sys
from pathlib import Path

import pytest
from warpbench.bench.services.command import (
    command_named,
    require_program,
    serve_command,
)
from warpbench.mocks.errors import TargetError

pytestmark = pytest.mark.once

TEXT = "uvicorn my_app:app --port {port} --workers {workers}"


def test_the_places_are_filled_in_and_other_braces_are_text() -> None:
    command = serve_command("""serve 'a b' --bind=127.0.0.1:{port} --log '{"x": {workers}}'""")

    assert command.filled(8123, 4) == [
        *("serve", "a b", "--bind=127.0.0.1:8123", "--log", '{"x": 4}')
    ]
    assert command.takes_workers
    assert not serve_command("serve {port}").takes_workers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uvicorn my_app:app", "expected {port} where the port belongs"),
        ("  ", "expected the command that starts the service"),
        ("serve 'a {port}", "cannot be split into words: No closing quotation"),
    ],
)
def test_what_is_no_such_command_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        serve_command(text)
    assert "\n" not in str(refused.value)


def test_a_target_is_known_by_its_command_and_a_module_called_serve_is_none() -> None:
    command = serve_command(TEXT)

    assert command_named(command.target) == command
    assert command_named("serve:build") is None
    assert command_named("asgi:my_app:app") is None


def test_a_program_is_found_on_the_path_and_beside_the_running_python(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.touch(mode=0o755)
    python = Path(sys.executable).name

    assert require_program(serve_command("own {port}"), {"PATH": str(tmp_path)}) == str(own)
    found = require_program(serve_command(f"{python} {{port}}"), {"PATH": str(tmp_path)})
    assert Path(found).samefile(sys.executable)


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(TargetError, match="there is no program 'no-such-program'"):
        require_program(serve_command("no-such-program {port}"), os.environ)
