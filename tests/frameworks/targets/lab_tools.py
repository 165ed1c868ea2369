"""The lab's tools as plain functions of a user, from which a framework reads names and schemas.

With ``WARPBENCH_MATRIX_RECORD`` set to a path, each call notes there when it ran, and where: what
the lab then says of the run is compared with that. With ``WARPBENCH_MATRIX_THREADS`` set to a
number, each pool of several threads has so many at least: what is faster then waited for a thread.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

RECORD = "WARPBENCH_MATRIX_RECORD"
THREADS = "WARPBENCH_MATRIX_THREADS"
Function = Callable[..., Any]


@dataclass(frozen=True)
class Tools:
    """The three tools of the scenario ``tools``: two that are awaited, and one that blocks."""

    search: Function
    weather: Function
    lookup: Function

    @property
    def all(self) -> list[Function]:
        return [self.search, self.weather, self.lookup]


def async_tools(lab: Any) -> Tools:
    """Return the tools as a user of async code has them: the database's driver blocks."""
    by_name = {tool.name: tool for tool in lab.tools}

    async def search(query: str, ticket: str) -> str:
        """Searches the web.

        Args:
            query: What to search.
            ticket: Belongs to the call.
        """
        with recorded("search", ticket):
            return await by_name["search"].function(query=query, ticket=ticket)

    async def weather(city: str, days: int, ticket: str) -> str:
        """Reports the weather of a city.

        Args:
            city: The city.
            days: How many days.
            ticket: Belongs to the call.
        """
        with recorded("weather", ticket):
            return await by_name["weather"].function(city=city, days=days, ticket=ticket)

    return Tools(search, weather, _lookup(lab))


def sync_tools(lab: Any) -> Tools:
    """Return the tools as plain functions, all of which block."""
    by_name = {tool.name: tool for tool in lab.tools}

    def search(query: str, ticket: str) -> str:
        """Searches the web.

        Args:
            query: What to search.
            ticket: Belongs to the call.
        """
        with recorded("search", ticket):
            return by_name["search"].sync_function(query=query, ticket=ticket)

    def weather(city: str, days: int, ticket: str) -> str:
        """Reports the weather of a city.

        Args:
            city: The city.
            days: How many days.
            ticket: Belongs to the call.
        """
        with recorded("weather", ticket):
            return by_name["weather"].sync_function(city=city, days=days, ticket=ticket)

    return Tools(search, weather, _lookup(lab))


def coroutine_tools(lab: Any) -> Tools:
    """Return the tools for a framework that takes coroutine functions only."""
    tools = async_tools(lab)

    async def lookup(customer: int, ticket: str) -> str:
        """Looks a customer up in the database.

        Args:
            customer: The customer's number.
            ticket: Belongs to the call.
        """
        return await asyncio.to_thread(tools.lookup, customer=customer, ticket=ticket)

    return Tools(tools.search, tools.weather, lookup)


def _lookup(lab: Any) -> Function:
    tool = next(tool for tool in lab.tools if tool.name == "lookup")

    def lookup(customer: int, ticket: str) -> str:
        """Looks a customer up in the database.

        Args:
            customer: The customer's number.
            ticket: Belongs to the call.
        """
        with recorded("lookup", ticket):
            return tool.sync_function(customer=customer, ticket=ticket)

    return lookup


@contextmanager
def recorded(name: str, ticket: str) -> Iterator[None]:
    """Note a call of a tool, if that is asked for."""
    path = os.environ.get(RECORD)
    if path is None:
        yield
        return
    begin_s = time.monotonic()
    try:
        yield
    finally:
        call = {
            "tool": name,
            "ticket": ticket,
            "begin_s": begin_s,
            "end_s": time.monotonic(),
            "on_loop": asyncio._get_running_loop() is not None,
        }
        with open(path, "a") as file:  # noqa: PTH123 - imported by whatever Python there is
            file.write(json.dumps(call) + "\n")


def widen_pools(threads: int) -> None:
    """Let each pool, but for those of one thread, have so many at least, if it needs them."""
    start: Function = ThreadPoolExecutor._adjust_thread_count

    def start_if_needed(pool: Any) -> None:
        # Here, not where pools are made: the event loop has its pool before an agent is imported.
        if pool._max_workers > 1:
            pool._max_workers = max(pool._max_workers, threads)
        start(pool)

    ThreadPoolExecutor._adjust_thread_count = start_if_needed


def both(session: Function | None = None, sync_session: Function | None = None) -> Any:
    """Return an object with the forms of a session that there are."""
    return SimpleNamespace(session=session, sync_session=sync_session)


def declared(function: Function) -> dict[str, Any]:
    """Return what a model is told of a tool, for clients that take it in OpenAI's form."""
    names = {str: "string", int: "integer"}
    properties = {
        name: {"type": names[kind]}
        for name, kind in function.__annotations__.items()
        if name != "return"
    }
    return {
        "type": "function",
        "function": {
            "name": function.__name__,
            "description": (function.__doc__ or "").splitlines()[0],
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
            },
        },
    }


def run_plain(tools: Tools, name: str, arguments: str) -> str:
    """Run a tool in plain code, by what the model asked for."""
    by_name = {function.__name__: function for function in tools.all}
    return str(by_name[name](**json.loads(arguments)))


async def run_async(tools: Tools, name: str, arguments: str) -> str:
    """Run a tool in async code; one that blocks, in a thread."""
    by_name = {function.__name__: function for function in tools.all}
    function, values = by_name[name], json.loads(arguments)
    if asyncio.iscoroutinefunction(function):
        return str(await function(**values))
    return str(await asyncio.to_thread(function, **values))


if THREADS in os.environ:
    widen_pools(int(os.environ[THREADS]))
