"""The kind of a conversation: which of a scenario's ``[[conversations]]`` it is. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..scenario import ConversationSpec


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of conversations of a scenario, in their order.

    Attributes:
        specs: As the scenario declares them.
    """

    specs: tuple[ConversationSpec, ...] = ()

    def of(self, model: str, opening: Sequence[tuple[str, str]], tools: Iterable[str]) -> int:
        """Return the place of the first kind that matches, from 1; 0 if none does.

        Args:
            model: Name of the model.
            opening: Role and text of the messages before the model's first answer.
            tools: Names of the tools that the request declares.
        """
        if not self.specs:
            return 0
        system = "\n".join(text for role, text in opening if role in _SYSTEM_ROLES)
        prompt = next((text for role, text in opening if role == "user"), "")
        declared = frozenset(tools)
        for place, spec in enumerate(self.specs, start=1):
            if (
                _matches(spec.model, model)
                and _matches(spec.system, system)
                and _matches(spec.prompt, prompt)
                and declared.issuperset(spec.tools)
            ):
                return place
        return 0


NO_KINDS = Kinds()

_SYSTEM_ROLES = ("system", "developer")


def _matches(pattern: str | None, text: str) -> bool:
    if pattern is None:
        return True
    spelled = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(spelled, text, re.DOTALL | re.IGNORECASE) is not None
