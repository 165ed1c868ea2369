"""``warpbench serve``: a server that any client may talk to, until Ctrl-C."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pytest


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "warpbench.bench.cli.main", "serve", "two-sleeps", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    root = process.stdout.readline().split()[-1]
    yield process, root
    process.kill()
    process.communicate()


def test_a_conversation_is_a_session_chosen_by_its_first_message(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, root = served
    messages: list[Any] = [{"role": "user", "content": "hello"}]
    with openai.OpenAI(api_key="none", base_url=f"{root}/v1", max_retries=0) as client:
        completion = client.chat.completions.create(model="m", messages=messages)
        messages += [completion.choices[0].message, {"role": "user", "content": "and now?"}]
        with pytest.raises(openai.BadRequestError, match="1 model calls in the script"):
            client.chat.completions.create(model="m", messages=messages)

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)

    assert completion.choices[0].message.content
    assert "Traceback" not in errors
    assert process.returncode in {0, 130}
