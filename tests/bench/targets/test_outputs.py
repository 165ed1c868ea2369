"""Sessions that yield what their user sees: which they are, and what their answer is."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest
from warpbench.bench.targets.loading import Lab, opened_target
from warpbench.bench.targets.outputs import (
    answering,
    answering_async,
    is_async,
    yields,
    yields_async,
)
from warpbench.mocks.errors import TargetError


async def texts_async(task: str) -> AsyncIterator[str]:
    for text in ("", "Hello, ", task):
        yield text


def texts(task: str) -> Iterator[str]:
    yield from ("", "Hello, ", task)


async def coroutine(task: str) -> str:
    return task


def plain(task: str) -> str:
    return task


class Called:
    """An object whose call is a session."""

    async def __call__(self, task: str) -> AsyncIterator[str]:
        yield task


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (texts_async, (True, True, False)),
        (partial(texts_async), (True, True, False)),
        (Called(), (True, True, False)),
        (texts, (False, False, True)),
        (partial(texts), (False, False, True)),
        (coroutine, (True, False, False)),
        (plain, (False, False, False)),
    ],
)
def test_the_forms_are_told_apart(session: object, expected: tuple[bool, bool, bool]) -> None:
    assert (is_async(session), yields_async(session), yields(session)) == expected


def test_the_answer_is_all_that_is_yielded_and_empty_text_is_no_output() -> None:
    seen: list[str] = []

    assert asyncio.run(collected(answering_async(texts_async, seen.append))) == "Hello, you"
    assert answering(texts, seen.append)("you") == "Hello, you"

    assert seen == ["you", "you"]


async def collected(session: Any) -> str:
    answer: str = await session("you")
    return answer


def test_the_first_output_is_told_before_the_next_is_asked_for() -> None:
    seen: list[str] = []

    def session(task: str) -> Iterator[str]:
        yield task
        seen.append("asked for the next")
        yield "more"

    answering(session, seen.append)("you")

    assert seen == ["you", "asked for the next"]


def test_one_that_yields_nothing_has_an_empty_answer_and_no_first_output() -> None:
    seen: list[str] = []
    assert answering(lambda _: "plain", seen.append)("you") == "plain"
    assert answering(nothing, seen.append)("you") == ""
    assert seen == []


def nothing(_task: str) -> Iterator[str]:
    yield from ()


@pytest.mark.parametrize("output", [b"bytes", 7, None])
def test_what_is_no_text_is_refused_and_the_generator_is_closed(output: Any) -> None:
    closed = []

    def session(_task: str) -> Iterator[Any]:
        try:
            yield output
        finally:
            closed.append(output)

    with pytest.raises(TypeError, match="expected str"):
        answering(session)("you")
    assert closed == [output]


@pytest.mark.parametrize(
    ("named", "has_async"), [(lambda: texts_async, True), (texts_async, True), (texts, False)]
)
def test_a_factory_may_return_one_and_a_test_may_name_it(named: Any, has_async: bool) -> None:
    lab = Lab(offered=(), tool_workers=1)
    with opened_target(named, lab, asyncio.run) as target:
        assert (target.session is not None) is has_async
        assert (target.sync_session is not None) is not has_async


def test_one_in_the_place_of_the_other_form_is_refused() -> None:
    class Sessions:
        session = staticmethod(texts)

    with (
        pytest.raises(TargetError, match="expected an async def session"),
        opened_target(Sessions, Lab(offered=(), tool_workers=1), asyncio.run),
    ):
        pass
