"""The targets that come with the lab, by name; light, for it is read before anything is run."""

from collections.abc import Mapping
from types import MappingProxyType

BUILT_IN_TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "agent": "warpbench.agent.factory:build",
        "agent-streaming": "warpbench.agent.factory:build_streaming",
        "bare-sdk": "warpbench.bench.targets.bare_sdk:build",
        "deep-research": "warpbench.bench.targets.deep_research:build",
        "guarded-chat": "warpbench.bench.targets.guarded_chat:build",
    }
)
