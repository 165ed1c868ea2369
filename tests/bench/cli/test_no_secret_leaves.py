"""Sixty secrets in eight places, none found in any file or line that a command writes."""

import gzip
import itertools
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from warpbench.bench.results.trial_file import TRIALS
from warpbench.reports.exports import EXPORTS

from ...conftest import TIMEOUT_S, Finished, run_warpbench_here
from ...mocks.traces.test_readers import otlp, span
from ...secret_corpus import ADDRESS_PASSWORD, BY_SIGHT, ENVIRONMENT, HARMLESS, SECRETS

pytestmark = pytest.mark.once

FORBIDDEN = (*SECRETS, ADDRESS_PASSWORD)
TEXTS = (*(text for _, text in BY_SIGHT), *ENVIRONMENT.values())
"""What stands in each place."""

TARGET = """
    import itertools, json, pathlib

    def tool(text):
        raise RuntimeError("the tool says " + text)

    def places(text):
        prompt = [{"role": "user", "content": "first line\\n" + text}]
        yield ValueError("the target says " + text)
        yield ConnectionError("no answer from https://models.example.com/v1?x=" + text)
        yield RuntimeError("refused: " + json.dumps({"messages": prompt}))
        yield RuntimeError("refused: " + repr(prompt))
        yield ValueError("word " * 94 + text)

    def build():
        texts = json.loads(pathlib.Path("texts.json").read_text())
        if isinstance(texts, str):
            raise BaseException("cannot go on with " + texts)
        errors = itertools.count()

        async def session(task):
            number = next(errors)
            text = texts[number // 6 % len(texts)] if texts else ""
            if not texts:
                return "nothing to say"
            if number % 6 < 5:
                raise list(places(text))[number % 6]
            try:
                tool(text)
            except RuntimeError as cause:
                raise LookupError("no answer") from cause

        return session
"""
SCENARIO = """
    name = {name}
    description = {description}
    sessions = 1
    concurrency = [1]
    [model]
    latency_s = 1.0
    prompt_tokens = 20
    completion_tokens = 10
    [tools.look]
    kind = "async"
    description = "Looks."
    latency_s = 0.1
    [[rounds]]
    tools = [{{ tool = "look" }}]
    [[rounds]]
"""


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file below a folder, but for pictures."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix != ".png":
            content = file.read_bytes()
            if file.suffix == ".gz":
                content = gzip.decompress(content)
            yield str(file.relative_to(folder)), content.decode(errors="replace")


def leaks(folder: Path, *finished: Finished) -> list[str]:
    """Return where a secret stands, in the name of a file, in it, or in what was printed."""
    texts = [*written(folder), *(("printed", each.out + each.err) for each in finished)]
    return [
        f"{secret} in {name}"
        for name, text in texts
        for secret in FORBIDDEN
        for place in (name, text, text.replace("\\", ""))
        if secret in place or json.dumps(secret)[1:-1] in place
    ]


def here(folder: Path, *arguments: str) -> Finished:
    return run_warpbench_here(folder, *arguments, **ENVIRONMENT)


def target_that_says(folder: Path, texts: Sequence[str] | str) -> None:
    """Put a target into a folder whose sessions fail with texts, each in six places.

    With one text alone its trial fails.
    """
    (folder / "saying.py").write_text(textwrap.dedent(TARGET))
    (folder / "texts.json").write_text(json.dumps(texts))


def test_errors_of_a_target_a_tool_and_a_model_show_none(tmp_path: Path) -> None:
    target_that_says(tmp_path, TEXTS)
    run = (
        *("run", "two-sleeps", "--target", "saying:build", "--strategy", "gather"),
        *("--concurrency", "10", "--sessions", str(6 * len(TEXTS)), "--clock", "virtual"),
    )
    out = tmp_path / "artefacts"

    finished = [
        here(tmp_path, *run, "--out", "artefacts", "--verbose"),
        here(tmp_path, *run, "--out", "artefacts/again", "--json"),
        here(tmp_path, "report", "artefacts"),
        here(tmp_path, "compare", *["artefacts"] * 2, "--markdown", "artefacts/changes.md"),
        here(tmp_path, "history", "artefacts/runs.sqlite", "--add", "artefacts"),
        here(tmp_path, "history", "artefacts/runs", "--add", "artefacts"),
        *(
            here(tmp_path, "export", name, "artefacts", "--out", f"artefacts/{name}.txt")
            for name in EXPORTS
        ),
        here(tmp_path, "export", next(iter(EXPORTS)), "artefacts"),
    ]

    assert [each.status for each in finished] == [1, 1, *[0] * (len(finished) - 2)]
    assert leaks(out, *finished) == []
    for trial in (out / TRIALS).glob("two-sleeps*.json"):
        errors = json.loads(trial.read_text())["errors"]
        assert len(errors) == 6 * len(TEXTS)
        # A name of the environment is not known where a long text is cut.
        unlike = [text for text in errors.values() if "[redacted]" not in text]
        assert all("word word" in text for text in unlike)


SHORT = [text for text in HARMLESS if len(text) < 400]


def test_harmless_texts_in_errors_are_kept_as_they_are(tmp_path: Path) -> None:
    """Some of them: `tests/slow` says them all."""
    harmless_texts_are_kept(tmp_path, SHORT[::5])


def harmless_texts_are_kept(tmp_path: Path, short: Sequence[str]) -> None:
    target_that_says(tmp_path, short)

    here(
        tmp_path,
        *("run", "two-sleeps", "--target", "saying:build", "--strategy", "gather"),
        *("--concurrency", "10", "--sessions", str(6 * len(short)), "--clock", "virtual"),
    )

    texts = [text for name, text in written(tmp_path / "results") if TRIALS in name]
    assert "[redacted]" not in "".join(texts)
    assert all(json.dumps(text)[1:-1] in "".join(texts) for text in short)


def test_argv_shows_none(tmp_path: Path) -> None:
    """Each command twice: `tests/slow` gives them more texts."""
    argv_shows_none(tmp_path, TEXTS[::5], targets=1)


def argv_shows_none(tmp_path: Path, texts: Sequence[str], targets: int) -> None:
    """Hold what commands say of texts in their lines to no secret.

    Args:
        tmp_path: Where they run.
        texts: The texts.
        targets: So many of them are names of targets, too: a process loads each.
    """
    commands = [
        words
        for number, text in enumerate(texts)
        for words in (
            ("run", text),
            # Each of the others for some: all are shown by the same code.
            (
                ("run", "two-sleeps", f"--strategy={text}"),
                (f"--{text}",),
                ("run", f"--no-such={text}"),
                ("export", "csv", text),
                ("report", f"artefacts/{text}"),
                ("history", f"{text}.sqlite", "--metric", text),
            )[number % 6],
        )
    ]
    named = [("run", "two-sleeps", "--target", f"nowhere:{text}") for text in texts[:targets]]
    (tmp_path / "artefacts").mkdir()

    finished = [here(tmp_path, *words) for words in (*commands, *named)]

    assert {each.status for each in finished} == {2}
    assert leaks(tmp_path / "artefacts", *finished) == []
    assert sum("[redacted]" in each.err for each in finished) > len(finished) // 2


def test_the_name_the_description_and_the_file_of_a_scenario_show_none(tmp_path: Path) -> None:
    named = [text for text in TEXTS if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text)]
    names = named[::9]  # each is a run, and all go through the same code
    for name, description in itertools.zip_longest(names, TEXTS[: len(names)]):
        text = SCENARIO.format(name=json.dumps(name), description=json.dumps(description))
        (tmp_path / f"{name}.toml").write_text(textwrap.dedent(text))
    files = [f"./{name}.toml" for name in names]
    what = ("--target", "agent", "--strategy", "sync", "--clock", "virtual")
    out = ("--out", "artefacts")

    finished = [
        here(tmp_path, "run", *files, *what, *out),
        here(tmp_path, "run", *files, *what, "--resume", "artefacts"),
        # A target whose sessions are run alone, too, which is kept.
        here(
            tmp_path, "run", *files[:2], "--target", "bare-sdk", *what[2:], "--out", "artefacts/2"
        ),
        here(tmp_path, "profile", files[0], *what[:-2], "--clock", "warp", *out),
        here(tmp_path, "baseline", *files[:2], *what[:-2], "--out", "artefacts/baseline.json"),
        *(here(tmp_path, "export", name, "artefacts") for name in EXPORTS),
    ]

    assert [each.err + each.out for each in finished if each.status] == []
    assert len(named) > 20
    assert leaks(tmp_path / "artefacts", *finished) == []


def test_the_gates_reports_show_none(tmp_path: Path) -> None:
    target_that_says(tmp_path, ())
    baseline = ("baseline", "two-sleeps", "--target", "saying:build", "--strategy", "gather")
    assert here(tmp_path, *baseline, "--concurrency", "1").status == 0
    (tmp_path / "artefacts").mkdir()
    gate = ("gate", "--summary", "artefacts/gate.md", "--junit", "artefacts/gate.xml")
    finished = []
    for text, more in zip(TEXTS[::18], itertools.cycle([(), ("--json",)]), strict=False):
        target_that_says(tmp_path, text)
        finished.append(here(tmp_path, *gate, *more))

    assert {each.status for each in finished} == {2}
    assert leaks(tmp_path / "artefacts", *finished) == []
    assert "redacted" in (tmp_path / "artefacts" / "gate.md").read_text()


def test_a_recorded_trace_shows_none(tmp_path: Path) -> None:
    calls = [
        span("a", 0, 1000, operation__name="invoke_agent"),
        *(
            each
            for number, text in enumerate(TEXTS)
            for each in (
                span(f"c{number}", 10 * number, 10 * number + 2, "a", operation__name="chat"),
                span(
                    f"t{number}",
                    *(10 * number + 2, 10 * number + 4, "a"),
                    operation__name="execute_tool",
                    tool__name=text,
                ),
            )
        ),
        span("last", 900, 901, "a", operation__name="chat"),
    ]
    (tmp_path / "spans.json").write_text(otlp(*calls))
    run = ("run", "artefacts/replay.toml", "--strategy", "gather", "--clock", "virtual")

    finished = [
        here(tmp_path, "import", "trace", "spans.json", "--out", "artefacts/replay.toml"),
        here(tmp_path, "import", "trace", "spans.json", "--out", "artefacts/fit.toml", "--fit"),
        here(tmp_path, *run, "--target", "agent", "--out", "artefacts"),
    ]

    assert [each.status for each in finished] == [0, 0, 0]
    assert leaks(tmp_path / "artefacts", *finished) == []


def test_a_traceback_shows_none(tmp_path: Path) -> None:
    script = """
        import sys
        from warpbench.bench.cli import app
        from warpbench.bench.cli.main import main

        def breaks(arguments):
            raise ZeroDivisionError(f"in {arguments}")

        app.run = breaks
        main(sys.argv[1:])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *TEXTS],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **ENVIRONMENT},
    )

    assert "ZeroDivisionError: in ['[redacted]', " in done.stderr
    assert leaks(tmp_path, Finished(done.returncode, done.stdout, done.stderr, tmp_path)) == []
