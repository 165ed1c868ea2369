"""The frameworks of the matrix: what is installed, and the reviewed reasons for what does not work.

A reason says why a cell cannot work, or what of the lab it waits for. It stands in the table only
while the cell fails; `make matrix` names a reason whose cell works.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .columns import Column

NO_SYNC_FORM = "the framework has no sync form"
NO_ASYNC_FORM = "the framework has no async form"
OWN_PROGRAM = (
    "it starts a program of its own, which asks the API by itself: "
    "only `--transport loopback` answers it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A framework, and how its agent is run.

    Attributes:
        name: What it is called here; ``targets/with_NAME.py`` is its agent, with underscores.
        distributions: What `pip install` is given, that whose version is shown first.
        strategy: What drives its sessions where one strategy stands for all.
        lacks: Why a form of session does not exist, by its column.
        reasons: Reviewed reasons why a cell fails, by its column.
        scatters: Why its runs scatter, told where `warp` stays open.
    """

    name: str
    distributions: tuple[str, ...]
    strategy: str = "gather"
    lacks: Mapping[Column, str] = field(default_factory=dict, hash=False)
    reasons: Mapping[Column, str] = field(default_factory=dict, hash=False)
    scatters: str = "the machine was busy"

    @property
    def module(self) -> str:
        """The module with its agent, in ``targets/``."""
        return f"with_{self.name.replace('-', '_')}"


def _each(reason: str, *columns: Column) -> Mapping[Column, str]:
    """Return one reason for several columns; for all but the installation, if none is named."""
    rest = [column for column in Column if column is not Column.INSTALL]
    return dict.fromkeys(columns or rest, reason)


_ASYNC_ONLY = MappingProxyType({Column.SYNC: NO_SYNC_FORM, Column.THREADS: NO_SYNC_FORM})

FRAMEWORKS = (
    Framework(name="openai", distributions=("openai",)),
    Framework(name="anthropic", distributions=("anthropic",)),
    Framework(name="litellm", distributions=("litellm",)),
    Framework(name="openai-agents", distributions=("openai-agents",)),
    Framework(name="pydantic-ai", distributions=("pydantic-ai",)),
    Framework(name="langgraph", distributions=("langchain", "langchain-openai", "langgraph")),
    Framework(name="llama-index", distributions=("llama-index",), lacks=_ASYNC_ONLY),
    Framework(name="crewai", distributions=("crewai",)),
    Framework(
        name="autogen",
        distributions=("autogen-agentchat", "autogen-ext[openai]"),
        lacks=_ASYNC_ONLY,
    ),
    Framework(name="ag2", distributions=("ag2[openai]",), lacks=_ASYNC_ONLY),
    Framework(name="semantic-kernel", distributions=("semantic-kernel",), lacks=_ASYNC_ONLY),
    Framework(name="agent-framework", distributions=("agent-framework-openai",), lacks=_ASYNC_ONLY),
    Framework(name="haystack", distributions=("haystack-ai",)),
    Framework(
        name="dspy",
        distributions=("dspy",),
        reasons=_each(
            "it sends by sockets of its own (a client that it brings), which are refused"
        ),
    ),
    Framework(
        name="smolagents",
        distributions=("smolagents[openai]",),
        strategy="threads",
        lacks={Column.ASYNC: NO_ASYNC_FORM},
    ),
    Framework(name="instructor", distributions=("instructor",)),
    Framework(name="mirascope", distributions=("mirascope[openai]",)),
    Framework(
        name="strands",
        distributions=("strands-agents[openai]",),
        scatters="its 20 sessions compute 0.6 s on the event loop, and how long tools wait for a "
        "thread meanwhile is chance, the more so on a busy machine",
    ),
    Framework(name="agno", distributions=("agno", "openai")),
    Framework(name="google-adk", distributions=("google-adk", "litellm")),
    Framework(name="mistralai", distributions=("mistralai",)),
    Framework(name="google-genai", distributions=("google-genai",)),
    Framework(
        name="claude-agent-sdk",
        distributions=("claude-agent-sdk",),
        lacks=_ASYNC_ONLY,
        reasons=_each(OWN_PROGRAM),
    ),
)
