"""Standard output and standard error of a command, with no secret in what is printed there."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from types import TracebackType
from typing import Any, TextIO, cast

from ...mocks.redaction import redact
from ...mocks.sandbox import secrets_of


class _RedactedStream:
    """A text stream that redacts each text that is written to it, and is the other else.

    What is written in one piece is searched in one piece: ``print``, and rich, write a line or more
    at a time.
    """

    def __init__(self, stream: TextIO, secrets: tuple[str, ...]) -> None:
        self._stream = stream
        self._secrets = secrets

    def write(self, text: str) -> int:
        self._stream.write(redact(text, self._secrets))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def redacted_output() -> Iterator[None]:
    """Let nothing that is printed in this scope show a secret, nor the traceback that ends it."""
    secrets = secrets_of(os.environ)
    out, errors = _RedactedStream(sys.stdout, secrets), _RedactedStream(sys.stderr, secrets)
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(cast("TextIO", out)))
        stack.enter_context(redirect_stderr(cast("TextIO", errors)))
        try:
            yield
        except Exception:
            # The interpreter prints it when everything is as before again.
            sys.excepthook = _print_redacted
            raise


def _print_redacted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    import traceback  # noqa: PLC0415 - for what should never happen

    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))
