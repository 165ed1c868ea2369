"""How a trial's requests were booked, and how those to the model relate, as a value. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequests:
    """The requests to the model by what said whose they are, and by how they relate to others.

    Attributes:
        by_context: Booked by the context of the code that asked.
        by_header: Booked by a header.
        by_marks: Booked by a mark in the request.
        shared: Booked to nobody: work that sessions share.
        retries: Sent again after an attempt that failed or was given up.
        repeats: Equal to one that had its answer.
        samples: Equal to one that was under way.
        hedges: Given up once an equal one had its answer.
        inputs_by_marks: Inputs of requests for embeddings, moderations and other endpoints that
            were booked one by one, by a mark in them.
        inputs_shared: Such inputs that were booked to nobody.
        limited: Refused by a rate limit of the model, whether they were sent again or not.
    """

    by_context: int = 0
    by_header: int = 0
    by_marks: int = 0
    shared: int = 0
    retries: int = 0
    repeats: int = 0
    samples: int = 0
    hedges: int = 0
    inputs_by_marks: int = 0
    inputs_shared: int = 0
    limited: int = 0

    def equal(self) -> dict[str, int]:
        """Return how many are equal to another, by how they relate to it."""
        return {
            "retries": self.retries,
            "repeats": self.repeats,
            "hedges": self.hedges,
            "samples": self.samples,
        }


def summed(all_of_them: Iterable[ModelRequests]) -> ModelRequests:
    """Add up the requests of several trials."""
    found = [asdict(each) for each in all_of_them]
    return ModelRequests(
        **{each.name: sum(counts[each.name] for counts in found) for each in fields(ModelRequests)}
    )
