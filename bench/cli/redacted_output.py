"""Standard output and standard error of a command, with no secret in what is printed there."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from types import TracebackType
from typing import TextIO, cast

from ...mocks.redaction import RedactedStream, redact
from ...mocks.sandbox import secrets_of


@contextmanager
def redacted_output() -> Iterator[None]:
    """Let nothing that is printed in this scope show a secret, nor the traceback that ends it."""
    secrets = secrets_of(os.environ)
    out, errors = RedactedStream(sys.stdout, secrets), RedactedStream(sys.stderr, secrets)
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
