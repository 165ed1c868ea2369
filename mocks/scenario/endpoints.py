"""The endpoints beside a model's answers: what there is, and how long each takes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from .distributions import Constant, Distribution
from .faults import FaultSpec


class EndpointKind(StrEnum):
    """A kind of endpoint: its name in a scenario, and the seconds that it takes by default.

    The defaults are assumptions of the order that hosted services show. What is measured belongs
    into the scenario.

    Attributes:
        latency_s: Seconds of an answer, unless the scenario says otherwise.
    """

    latency_s: float

    def __new__(cls, name: str, latency_s: float) -> Self:
        """Make a kind."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.latency_s = latency_s
        return kind

    EMBEDDINGS = "embeddings", 0.1
    """Vectors of texts."""

    MODERATIONS = "moderations", 0.2
    """Whether texts and images are harmful."""

    RERANK = "rerank", 0.2
    """Documents in the order of their relevance to a query."""

    MODELS = "models", 0.1
    """The models that there are, and one of them."""

    TOKEN_COUNTS = "token_counts", 0.05
    """How many tokens a request to the model has."""


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """An endpoint beside the model's answers, as a scenario declares it.

    Attributes:
        latency: Seconds of an answer.
        faults: Faults between the endpoint and its client.
    """

    latency: Distribution
    faults: tuple[FaultSpec, ...] = ()


USUAL_ENDPOINTS = {kind: EndpointSpec(Constant(kind.latency_s)) for kind in EndpointKind}
"""Each endpoint as it is where the scenario does not declare it."""
