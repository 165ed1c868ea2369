"""claude-agent-sdk, which drives a program of its own in a child process."""

from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, query


def build() -> Any:
    async def session(task: str) -> str:
        last: object = None
        async for message in query(prompt=task, options=ClaudeAgentOptions(max_turns=3)):
            last = message
        return str(last)

    return session


build_stream = build
