"""All texts of the corpus, where the fast suite takes some: they go through the same code."""

from pathlib import Path

from ....bench.cli.test_no_secret_leaves import (
    SHORT,
    TEXTS,
    argv_shows_none,
    harmless_texts_are_kept,
)


def test_argv_shows_none(tmp_path: Path) -> None:
    argv_shows_none(tmp_path, TEXTS, targets=8)


def test_harmless_texts_in_errors_are_kept_as_they_are(tmp_path: Path) -> None:
    harmless_texts_are_kept(tmp_path, SHORT)
