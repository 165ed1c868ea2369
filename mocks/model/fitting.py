"""Gives an answer the form that its request asks for: JSON, a length, texts to stop at, several.

How long an answer takes is the scenario's, whatever its form.
"""

from msgspec.structs import replace

from .answer import Answer, Ending, ToolUse, UnusableRequestError
from .answer_options import AnswerOptions
from .schemas import FreeText, Instances, NoInstanceError, lorem

CHARACTERS_PER_TOKEN = 4
"""How many characters of an answer are a token."""


def fitted(
    answer: Answer,
    options: AnswerOptions,
    instances: Instances,
    seed: str,
    text: FreeText = lorem,
) -> Answer:
    """Return the answer in the form that its request asks for.

    Args:
        answer: The answer of the script.
        options: What the request asks for.
        instances: Makes instances of schemas.
        seed: Decides what is drawn.
        text: Makes the texts of an instance that may be any.

    Raises:
        UnusableRequestError: The schema has no instance; the message says where in the request.
    """
    if options.choices == 1:
        return _fitted(answer, options, instances, seed, text)
    first, *others = (
        _fitted(answer, options, instances, f"{seed}.{index}", text)
        for index in range(options.choices)
    )
    return replace(first, others=tuple(others))


def _fitted(
    answer: Answer, options: AnswerOptions, instances: Instances, seed: str, text: FreeText
) -> Answer:
    if not answer.tool_uses:
        if options.format is not None:
            answer = replace(answer, text=_instance(options, instances, seed, text))
        if options.stop:
            answer = _stopped(answer, options.stop)
    return answer if options.max_tokens is None else _cut(answer, options.max_tokens)


def _instance(options: AnswerOptions, instances: Instances, seed: str, text: FreeText) -> str:
    assert options.format is not None
    try:
        return instances.instance(options.format.schema, seed, text)
    except NoInstanceError as error:
        place = f"{options.format.place}{error.path}"
        raise UnusableRequestError(
            f"no answer can be made that fits the schema: {place}: {error.reason}"
        ) from error


def _stopped(answer: Answer, stop: tuple[str, ...]) -> Answer:
    """End an answer before the first of some texts."""
    found = [(answer.text.find(each), each) for each in stop if each in answer.text]
    if not found:
        return answer
    at, each = min(found)
    return replace(
        answer,
        text=answer.text[:at],
        completion_tokens=min(answer.completion_tokens, -(-at // CHARACTERS_PER_TOKEN)),
        ending=Ending.STOP,
        stopped_by=each,
    )


def _cut(answer: Answer, max_tokens: int) -> Answer:
    """Cut an answer after so many tokens: of its text, or of the arguments of its tool calls."""
    left = max_tokens * CHARACTERS_PER_TOKEN
    written = len(answer.text) + sum([len(use.arguments) for use in answer.tool_uses])
    if written <= left:
        if answer.completion_tokens <= max_tokens:
            return answer
        return replace(answer, completion_tokens=max_tokens)
    uses: list[ToolUse] = []
    for use in answer.tool_uses:
        if left > 0:
            uses.append(ToolUse(use.name, use.arguments[:left]))
        left -= len(use.arguments)
    return replace(
        answer,
        text=answer.text[: max_tokens * CHARACTERS_PER_TOKEN],
        tool_uses=tuple(uses),
        completion_tokens=max_tokens,
        ending=Ending.LENGTH,
        stopped_by="",
    )
