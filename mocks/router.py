"""The HTTP edge: respx routers that take chat completions to the scripted model.

respx patches the transport below any client, so real SDK clients run unchanged: openai 3.x
through httpx2 (``httpcore2``, whose mocker pytest-httpx2 registers), others through httpx.

The model's one route is decided before respx's own matching, which resolves patterns,
inspects the side effect and records each call for ever (about 8 KB a call with a 2 KB
prompt). Everything else is refused: a request that isn't mocked never leaves the machine.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest_httpx2  # noqa: F401 - registers the mocker "httpcore2"
import respx

from .clock import Clock
from .errors import UnmockedRequestError
from .model import ModelAnswer, ScriptedModel
from .traffic import Traffic

_MODEL_PATH = "/chat/completions"
_HEADERS = {"content-type": "application/json"}
_MOCKERS = ("httpcore2", "httpcore")


class ModelRouter(respx.MockRouter):
    """A respx router with one compiled route: the model's."""

    def __init__(self, model: ScriptedModel, clock: Clock, traffic: Traffic, *, using: str) -> None:
        super().__init__(using=using, assert_all_called=False)
        self._model = model
        self._clock = clock
        self._traffic = traffic

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an async client, after the drawn latency."""
        answer = self._answer(request)
        with self._traffic.model_call(answer.session, answer.step):
            await self._clock.sleep_until_ns(self._clock.now_ns() + answer.latency_ns)
        return _response(answer)

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a sync client, after the drawn latency."""
        answer = self._answer(request)
        with self._traffic.model_call(answer.session, answer.step):
            self._clock.wait_until_ns(self._clock.now_ns() + answer.latency_ns)
        return _response(answer)

    def _answer(self, request: httpx.Request) -> ModelAnswer:
        self._traffic.http_request()
        if request.method != "POST" or not request.url.path.endswith(_MODEL_PATH):
            address = f"{request.method} {request.url.copy_with(query=None)}"
            raise UnmockedRequestError(
                f"{address} is not mocked, so it was not sent: "
                f"the lab answers POST …{_MODEL_PATH} only"
            )
        return self._model.answer(request.content)


@contextmanager
def mocked_http(model: ScriptedModel, clock: Clock, traffic: Traffic) -> Iterator[None]:
    """Answer every HTTP request of httpx and httpx2 clients from ``model`` in this scope."""
    with ExitStack() as routers:
        for mocker in _MOCKERS:
            routers.enter_context(ModelRouter(model, clock, traffic, using=mocker))
        yield


def _response(answer: ModelAnswer) -> httpx.Response:
    return httpx.Response(answer.status, headers=_HEADERS, content=answer.body)
