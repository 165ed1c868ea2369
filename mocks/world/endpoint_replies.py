"""The endpoints beside the model's answers, in one trial: what each replies, and when."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.json import encode as to_json

from ..model.answer import UnusableRequestError
from ..model.endpoints import Asked, Endpoint, Found
from ..scenario.endpoints import USUAL_ENDPOINTS, EndpointKind, EndpointSpec
from ..wire.reply import Reply, whole_reply
from .request_draws import RequestDraws

_OK = 200
_BAD_REQUEST = 400
_JSON = MappingProxyType({"content-type": "application/json"})


class EndpointReplies:
    """The endpoints of one trial; safe for threads.

    Args:
        declared: How those are that the scenario declares; the others are as usual.
        stream: Seeds the draws.
        kept: As for ``RequestDraws``.
    """

    def __init__(
        self,
        declared: Mapping[EndpointKind, EndpointSpec],
        stream: str,
        kept: int | None = None,
    ) -> None:
        self._specs = {**USUAL_ENDPOINTS, **declared}
        self._draws = RequestDraws(f"{stream}/endpoints", kept)

    def forget(self) -> None:
        """Forget every request so far."""
        self._draws.forget()

    def reply(self, found: Found, path: str, body: bytes) -> Reply:
        """Return the reply to a request.

        Args:
            found: The endpoint that is asked.
            path: Path of the request's address.
            body: Body of the request.
        """
        endpoint = found.endpoint
        try:
            answer = to_json(endpoint.answers(Asked(found.named, body)))
        except UnusableRequestError as error:
            return _refusal(endpoint, str(error))
        except (ValueError, RecursionError) as error:
            return _refusal(endpoint, f"not a request to …/{endpoint.name}: {error}")
        spec = self._specs[endpoint.kind]
        return self._draws.reply(
            f"{path} {body!r}",
            spec.latency,
            spec.faults,
            lambda at_ns: whole_reply(_OK, _JSON, answer, at_ns),
            (_JSON, lambda status, message: to_json(endpoint.error(status, message))),
        )


def _refusal(endpoint: Endpoint, problem: str) -> Reply:
    error = endpoint.error(_BAD_REQUEST, f"warpbench: {problem}")
    return whole_reply(_BAD_REQUEST, _JSON, to_json(error), 0)
