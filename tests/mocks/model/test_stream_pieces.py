"""Which parts of a streamed answer carry tokens: those of its text, and of its tools' arguments."""

import json

import pytest
from warpbench.mocks.model import ScriptedModel
from warpbench.mocks.scenario.distributions import Uniform
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.wire.reply import Reply
from warpbench.mocks.workload.script import (
    Gaps,
    ModelCallScript,
    SessionScript,
    piece_times_ns,
)

from ..mocked import LOOK_UP, MS, PROMPT, SCHEMA

pytestmark = pytest.mark.once

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
EVERY_API = pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
GAPS = Gaps(Uniform(0.01, 0.05), "pieces")
TTFT_NS = 300 * MS
PIECES = 12
LATENCY_NS = TTFT_NS + sum(GAPS.draw_ns(PIECES - 1))


def call(**more: object) -> ModelCallScript:
    drawn = {"ttft_ns": TTFT_NS, "pieces": PIECES, "gaps": GAPS, "tool_calls": ()} | more
    return ModelCallScript(LATENCY_NS, 11, PIECES, **drawn)  # type: ignore[arg-type]


def reply(path: str, script: ModelCallScript, *, stream: bool = True) -> Reply:
    message = {"role": "user", "content": PROMPT}
    function = {"name": "look_up", "parameters": SCHEMA}
    body = {
        CHAT: {"messages": [message], "tools": [{"type": "function", "function": function}]},
        RESPONSES: {"input": [message], "tools": [{"type": "function", **function}]},
        MESSAGES: {
            "messages": [message],
            "max_tokens": 99,
            "tools": [{"name": "look_up", "input_schema": SCHEMA}],
        },
    }[path]
    text = json.dumps({"model": "m", "stream": stream, **body}).encode()
    return ScriptedModel({0: SessionScript(0, (script,))}).reply(path, text, 0).reply


@EVERY_API
def test_each_piece_of_text_is_due_when_it_was_drawn_to_be(path: str) -> None:
    found = reply(path, call())

    assert [part.at_ns for part in found.parts if part.pieces] == piece_times_ns(call())
    assert {part.pieces for part in found.parts} == {1}
    assert (found.pieces, found.prompt_tokens, found.completion_tokens) == (PIECES, 11, PIECES)


@EVERY_API
def test_what_opens_and_ends_a_stream_carries_no_tokens(path: str) -> None:
    """At other times than the pieces they would be parts of their own."""
    found = reply(path, call(pieces=1, gaps=None, ttft_ns=None))

    # One time, and in it the opening, one piece, and the end.
    (part,) = found.parts
    assert part.pieces == found.pieces == 1
    assert part.data.count(b"\n\n") > 2


@EVERY_API
def test_the_arguments_of_a_tool_are_tokens_too(path: str) -> None:
    found = reply(path, call(tool_calls=(LOOK_UP,)))

    assert found.pieces == sum(part.pieces for part in found.parts) > 1
    assert found.parts[0].at_ns == TTFT_NS


@EVERY_API
def test_pieces_of_one_time_are_one_part_with_their_number(path: str) -> None:
    found = reply(path, call(gaps=None, ttft_ns=LATENCY_NS))

    (part,) = found.parts
    assert (part.at_ns, part.pieces) == (LATENCY_NS, PIECES)


@EVERY_API
def test_an_answer_without_text_has_no_pieces(path: str) -> None:
    found = reply(path, call(faults=(Fault(FaultKind.EMPTY_ANSWER),)))
    assert (found.pieces, found.completion_tokens) == (0, 0)


@EVERY_API
def test_a_whole_answer_has_tokens_and_no_pieces(path: str) -> None:
    found = reply(path, call(), stream=False)
    assert (found.pieces, found.prompt_tokens, found.completion_tokens) == (0, 11, PIECES)


@pytest.mark.parametrize(
    ("kind", "taken", "prompt_tokens"),
    [
        (FaultKind.STATUS, 0, 0),
        (FaultKind.CONNECT_ERROR, 0, 0),
        (FaultKind.READ_TIMEOUT, 0, 0),
        (FaultKind.RESET, PIECES // 2, 11),
        (FaultKind.STALLED, PIECES // 2, 11),
        (FaultKind.TRUNCATED, PIECES // 2, 11),
        (FaultKind.MALFORMED_JSON, PIECES - 1, 11),
        (FaultKind.SLOW_DRIP, PIECES, 11),
    ],
)
def test_a_broken_stream_has_the_pieces_that_are_sent(
    kind: FaultKind, taken: int, prompt_tokens: int
) -> None:
    found = reply(CHAT, call(faults=(Fault(kind),)))
    assert sum(part.pieces for part in found.parts) == taken
    assert found.prompt_tokens == prompt_tokens


@pytest.mark.parametrize(
    ("kind", "least", "most"), [(FaultKind.RESET, 1, 11), (FaultKind.SLOW_DRIP, 12, 12)]
)
def test_a_stream_that_comes_at_one_time_is_cut_with_its_share_of_pieces(
    kind: FaultKind, least: int, most: int
) -> None:
    found = reply(CHAT, call(gaps=None, ttft_ns=LATENCY_NS, faults=(Fault(kind),)))
    assert least <= sum(part.pieces for part in found.parts) <= most
