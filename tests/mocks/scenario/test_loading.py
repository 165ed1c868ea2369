"""Where scenarios come from: any file, and the built-in ones."""

import os
from pathlib import Path

import pytest
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.scenario import ToolKind, builtin_scenarios, load_scenario, parse_scenario

from .test_reading import GOOD

pytestmark = pytest.mark.once


class TestFiles:
    def test_a_path_is_loaded(self, tmp_path: Path) -> None:
        path = tmp_path / "good.toml"
        path.write_text(GOOD, encoding="utf-8")
        assert load_scenario(str(path)) == parse_scenario(GOOD)

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_a_file_from_another_editor_is_loaded(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / "good.toml"
        path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", ending).encode())
        assert load_scenario(str(path)) == parse_scenario(GOOD)

    def test_errors_name_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.toml"
        path.write_text(GOOD.replace("sessions = 10", "sessions = -1"), encoding="utf-8")
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(path))
        assert str(caught.value) == f"{path}: sessions: expected at least 1, found -1"

    def test_a_missing_one_is_answered_with_the_built_in_names(self) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario("reserch")
        assert str(caught.value) == (
            "reserch: expected a file or a built-in scenario, found neither"
            " (did you mean 'research'?); built in are blocking-blunder, busy-model, chat,"
            " coding-agent, cpu-tool, deep-research, flaky-model, guarded-chat, research, tools and"
            " two-sleeps"
        )

    def test_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(tmp_path))
        assert str(caught.value) == f"{tmp_path}: expected a file, found a directory"

    def test_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.toml"
        path.write_bytes('name = "x"\ndescription = "Café"\n'.encode("latin-1"))
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(path))
        assert str(caught.value) == f"{path}: not TOML (expected UTF-8, found byte 0xe9 in line 2)"

    def test_an_unreadable_file(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.toml"
        path.write_text(GOOD, encoding="utf-8")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
        with pytest.raises(ScenarioError) as caught:
            load_scenario(str(path))
        assert str(caught.value) == f"{path}: cannot be read: Permission denied"

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
    def test_a_file_without_end(self) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario("/dev/zero")
        assert str(caught.value) == "/dev/zero: expected a file, found a device"

    @pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "x" * 5000, "chat/x", "../nowhere"])
    def test_odd_names_get_one_line(self, name: str) -> None:
        with pytest.raises(ScenarioError) as caught:
            load_scenario(name)
        assert len(str(caught.value).splitlines()) == 1


class TestBuiltIn:
    def test_their_names(self) -> None:
        assert builtin_scenarios() == (
            "blocking-blunder",
            "busy-model",
            "chat",
            "coding-agent",
            "cpu-tool",
            "deep-research",
            "flaky-model",
            "guarded-chat",
            "research",
            "tools",
            "two-sleeps",
        )

    @pytest.mark.parametrize("name", builtin_scenarios())
    def test_each_is_named_like_its_file_and_states_its_claim(self, name: str) -> None:
        scenario = load_scenario(name)
        assert scenario.name == name
        assert scenario.description.endswith(".")
        assert scenario.concurrency

    @pytest.mark.parametrize("name", builtin_scenarios())
    def test_each_is_small_enough_to_be_tried_at_once(self, name: str) -> None:
        """At about a millisecond of CPU a model call, a cell stays under a second."""
        scenario = load_scenario(name)
        rounds = sum(part.repeat.mean for part in scenario.rounds)
        assert scenario.sessions * rounds <= 500

    def test_research_has_async_tools_only(self) -> None:
        kinds = {tool.kind for tool in load_scenario("research").tools.values()}
        assert kinds == {ToolKind.ASYNC}
