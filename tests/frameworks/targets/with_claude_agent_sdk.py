"""claude-agent-sdk, which drives a program of its own in a child process."""

from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, query

# Ten by itself, with growing delays: where nobody answers, that is more than the minute of a trial.
ONE_ATTEMPT = {"CLAUDE_CODE_MAX_RETRIES": "0"}


def build() -> Any:
    options = ClaudeAgentOptions(max_turns=3, env=ONE_ATTEMPT)

    async def session(task: str) -> str:
        last: object = None
        async for message in query(prompt=task, options=options):
            last = message
        return str(last)

    return session


build_stream = build
