"""A WSGI application is called as PEP 3333 has it, and a session is what one user asks."""

import sys
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest
from warpbench.bench.services.wsgi import WsgiService
from warpbench.mocks.errors import ServiceError
from warpbench.mocks.scenario.request import BodyKind, RequestSpec

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
TEXT = [("Content-Type", "text/plain; charset=utf-8")]


def asked(app: Any, **declared: Any) -> list[str]:
    return list(WsgiService(app, RequestSpec(**declared)).sync_session("the task"))


def test_the_environment_is_that_of_the_specification() -> None:
    seen: list[Environ] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.append({**environ, "body": environ["wsgi.input"].read()})
        start_response("200 OK", TEXT)
        return [b"ok"]

    assert asked(app, path="/é/{task}?q=1".replace("é", "%C3%A9"), headers={"X-User": "u"}) == [
        "ok"
    ]
    (environ,) = seen
    assert environ["PATH_INFO"] == "/Ã©/the task"  # UTF-8, as text of Latin-1
    assert environ["body"] == b'{"message":"the task"}'
    assert {name: environ[name] for name in ("REQUEST_METHOD", "QUERY_STRING", "SCRIPT_NAME")} == {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": "q=1",
        "SCRIPT_NAME": "",
    }
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("application/json", "22")
    assert (environ["HTTP_X_USER"], environ["HTTP_HOST"]) == ("u", "127.0.0.1:8000")
    assert environ["wsgi.errors"] is sys.stderr
    assert environ["wsgi.multithread"] is True


def test_both_sides_keep_to_the_specification() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        environ["wsgi.input"].read(22)
        start_response("200 OK", TEXT)
        return iter([b"a", b"b"])

    assert asked(validator(app), path="/chat?a=b") == ["a", "b"]


class Parts:
    """An iterable that notes how far it was read, and that it was closed."""

    def __init__(self, *parts: bytes, then: Exception | None = None) -> None:
        self.parts = parts
        self.then = then
        self.read = 0
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            self.read += 1
            yield part
        if self.then is not None:
            raise self.then

    def close(self) -> None:
        self.closed += 1


def of(parts: Parts, status: str = "200 OK") -> Any:
    def app(_environ: Environ, start_response: StartResponse) -> Parts:
        start_response(status, TEXT)
        return parts

    return app


def test_a_streamed_answer_is_yielded_as_it_comes_and_closed() -> None:
    parts = Parts(b"a", b"", b"b")
    session = WsgiService(of(parts), RequestSpec()).sync_session("t")

    assert [(text, parts.read) for text in session] == [("a", 1), ("b", 3)]
    assert parts.closed == 1


def test_it_is_closed_too_when_the_client_goes_or_the_application_raises() -> None:
    left, broken = Parts(b"a", b"b"), Parts(b"a", then=ValueError("no such model"))

    session = WsgiService(of(left), RequestSpec()).sync_session("t")
    assert next(session) == "a"
    session.close()
    with pytest.raises(ServiceError, match="before the end of its response") as caught:
        asked(of(broken))

    assert (left.closed, broken.closed) == (1, 1)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_generator_may_start_its_response_late() -> None:
    def app(_environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        yield b"data: a\n\n"
        yield b"data: b\n\n"

    assert asked(app) == ["a", "b"]


def test_what_is_written_comes_before_what_is_returned() -> None:
    def app(_environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", TEXT)
        write(b"a")
        write(b"b")
        return [b"c"]

    assert asked(app) == ["a", "b", "c"]


def test_an_error_before_the_response_is_the_cause_of_a_failed_session() -> None:
    def app(_environ: Environ, _start_response: StartResponse) -> list[bytes]:
        raise ValueError("no such model")

    with pytest.raises(ServiceError, match="before its response") as caught:
        asked(app)

    assert isinstance(caught.value.__cause__, ValueError)


def test_a_status_that_refuses_fails_the_session() -> None:
    with pytest.raises(ServiceError, match="status 503: try later"):
        asked(of(Parts(b"try ", b"later"), "503 Service Unavailable"))


def test_an_error_page_may_take_the_place_of_a_response_that_has_not_begun() -> None:
    def app(_environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", TEXT)
        try:
            raise ValueError("no such model")  # noqa: TRY301
        except ValueError:
            start_response("500 Oops", TEXT, sys.exc_info())
        return [b"sorry"]

    with pytest.raises(ServiceError, match="status 500: sorry"):
        asked(app)


@pytest.mark.parametrize(
    ("starts", "said"), [(0, "did not call start_response"), (2, "before its response")]
)
def test_a_response_is_started_once(starts: int, said: str) -> None:
    def app(_environ: Environ, start_response: StartResponse) -> list[bytes]:
        for _ in range(starts):
            start_response("200 OK", TEXT)
        return [b"x"]

    with pytest.raises(ServiceError, match=said):
        asked(app)


def test_each_turn_is_a_request() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", TEXT)
        return [environ["wsgi.input"].read()]

    assert asked(app, body_kind=BodyKind.TEXT, body="{turn} ", turns=2) == ["1 ", "2 "]
