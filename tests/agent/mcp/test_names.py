import re
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from warpbench.agent import Agent, Tool
from warpbench.agent.mcp import without_clashes
from warpbench.agent.mcp.names import safe_names


def test_names_that_the_api_takes_stay_as_they_are() -> None:
    assert safe_names(["add", "get-it", "a_1"]) == ["add", "get-it", "a_1"]


def test_others_are_made_safe_and_never_alike() -> None:
    assert safe_names(["a.b", "a/b", "a_b", "a_b_2", ""]) == [
        "a_b",
        "a_b_2",
        "a_b_3",
        "a_b_2_2",
        "_",
    ]
    assert safe_names(["add", "sub"], "calc") == ["calc_add", "calc_sub"]


@given(st.lists(st.text(max_size=80) | st.sampled_from(["a", "a_2", "a.", "b" * 64, "b" * 70])))
def test_whatever_servers_call_their_tools(names: list[str]) -> None:
    safe = safe_names(names)
    assert len(set(safe)) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in safe)


@dataclass
class Server:
    name: str
    tools: list[Tool]


def server(name: str, *names: str) -> Server:
    return Server(
        name,
        [
            Tool(name=n, description=name, parameters={}, function=lambda: name, max_parallel=1)
            for n in names
        ],
    )


def test_tools_of_the_same_name_get_their_servers_before_it() -> None:
    tools = without_clashes([server("a b", "add", "sub"), server("c", "add"), server("c", "add")])
    assert [(tool.name, tool.description) for tool in tools] == [
        ("a_b_add", "a b"),
        ("sub", "a b"),
        ("c_add", "c"),
        ("c_add_2", "c"),
    ]
    with Agent(tools) as agent:
        agent.unregister("sub")
