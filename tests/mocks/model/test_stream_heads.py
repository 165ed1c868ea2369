"""The head of a stream: it comes at once, and the client's timeout counts from it."""

from typing import Any

import openai
import pytest
from warpbench.mocks.scenario.faults import Fault, FaultKind

from ...http_libraries import IS_WRAPPED_IN_STREAM, sdk_http
from ..mocked import MS, PROMPT, Mocked, call

USER: list[Any] = [{"role": "user", "content": PROMPT}]
STREAMED: dict[str, Any] = {"ttft_ns": 200 * MS, "pieces": 5}


def test_a_stream_is_there_before_its_first_token() -> None:
    mocked = Mocked(call(1000, **STREAMED))

    def stream() -> tuple[float, float]:
        client = openai.OpenAI(api_key="none")
        chunks = client.chat.completions.create(model="m", messages=USER, stream=True)
        opened_s = mocked.now_s
        next(iter(chunks))
        return opened_s, mocked.now_s

    assert mocked.run(stream) == (0, 0.2)


def test_a_first_token_after_the_read_timeout_ends_the_stream_and_is_not_tried_again() -> None:
    mocked = Mocked(call(1000, **STREAMED))

    def stream() -> None:
        client = openai.OpenAI(api_key="none", timeout=0.15)
        list(client.chat.completions.create(model="m", messages=USER, stream=True))

    late = openai.APITimeoutError if IS_WRAPPED_IN_STREAM else sdk_http.ReadTimeout
    with pytest.raises(late):
        mocked.run(stream)
    assert mocked.now_s == 0.15
    assert mocked.traffic.llm_calls == 1


@pytest.mark.parametrize(
    ("kind", "waited_s"), [(FaultKind.READ_TIMEOUT, 0.15), (FaultKind.CONNECT_ERROR, 0)]
)
def test_a_reply_of_which_nothing_comes_has_no_head(kind: FaultKind, waited_s: float) -> None:
    mocked = Mocked(call(1000, **STREAMED, faults=(Fault(kind),)))

    def create() -> Any:
        client = openai.OpenAI(api_key="none", timeout=0.15, max_retries=0)
        return client.chat.completions.create(model="m", messages=USER, stream=True)

    with pytest.raises(openai.APIConnectionError):
        mocked.run(create)
    assert mocked.now_s == waited_s
