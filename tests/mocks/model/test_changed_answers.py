"""Answers changed on purpose: other words, numbers and tools, and the rest as it was."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.model.answer import Answer, ToolUse
from warpbench.mocks.model.answer_options import AnswerOptions, Format
from warpbench.mocks.model.changed_answers import (
    changed,
    changed_text,
    changed_value,
    fitted_otherwise,
)
from warpbench.mocks.model.fitting import fitted
from warpbench.mocks.model.schemas import Instances, lorem
from warpbench.mocks.workload.marks import Mark, filler, marks_in

pytestmark = pytest.mark.once

MARK = Mark(0, 0).text
BODY = b'{"messages": [{"role": "user", "content": "Say SAFE or UNSAFE."}]}'
DRAWS = (1, 2, 3)


def answer(*uses: ToolUse) -> Answer:
    text = "" if uses else MARK + filler(40)
    return Answer(0, 0, "any", text, uses, 10, 20, 0 if uses else len(MARK))


def test_no_draw_changes_nothing() -> None:
    assert changed(answer(), 0, BODY) is not None
    assert changed(answer(), 0, BODY) == answer()


@pytest.mark.parametrize("draw", DRAWS)
def test_a_text_keeps_its_mark_and_its_tokens(draw: int) -> None:
    found = changed(answer(), draw, BODY)

    assert list(marks_in(found.text.encode())) == [Mark(0, 0)]
    assert found.text[: len(MARK)] == MARK
    assert found.text != answer().text
    assert found.completion_tokens == answer().completion_tokens


def test_texts_differ_in_their_first_letter_and_their_length() -> None:
    texts = [filler(40), *(changed_text(draw, BODY) for draw in DRAWS)]

    assert len({text[0].lower() for text in texts}) == len(texts)
    assert len(set(map(len, texts))) == len(texts)


@pytest.mark.parametrize("draw", [1, 2])
def test_a_text_has_the_words_that_its_prompt_names(draw: int) -> None:
    assert {"SAFE", "UNSAFE"} <= set(changed_text(draw, BODY).split())


def test_an_answer_that_asks_for_tools_asks_for_none_or_with_other_arguments() -> None:
    asking = answer(ToolUse("search", '{"query":"trains","ticket":"0.0.0"}'))
    first, second, third = (changed(asking, draw, BODY) for draw in DRAWS)

    assert (first.tool_uses, bool(first.text)) == ((), True)
    for other in (second, third):
        (use,) = other.tool_uses
        assert json.loads(use.arguments)["query"] != "trains"
        assert json.loads(use.arguments)["ticket"] == "0.0.0"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(JSON, st.sampled_from(DRAWS))
def test_a_value_keeps_its_shape(value: object, draw: int) -> None:
    found = changed_value(value, draw)

    assert type(found) is type(value)
    if isinstance(value, list | dict):
        assert len(found) == len(value)


SCHEMA = {
    "type": "object",
    "properties": {
        "route": {"type": "string", "enum": ["billing", "delivery"]},
        "is_urgent": {"type": "boolean"},
        "count": {"type": "integer", "minimum": 0, "maximum": 3},
        "why": {"type": "string"},
    },
    "required": ["route", "is_urgent", "count", "why"],
}


@pytest.mark.parametrize("draw", DRAWS)
def test_an_instance_of_a_schema_has_other_values_and_is_one(draw: int) -> None:
    options = AnswerOptions(format=Format(json.dumps(SCHEMA).encode(), "response_format"))
    instances = Instances()
    usual = json.loads(fitted(answer(), options, instances, answer().tag, lorem).text)
    found = json.loads(fitted_otherwise(answer(), options, instances, draw, lorem).text)

    jsonschema.validate(found, SCHEMA)
    assert [found[name] != usual[name] for name in SCHEMA["required"]] == [True] * 4
