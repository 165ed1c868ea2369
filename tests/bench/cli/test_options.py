"""Options: read the same in every command, offered only where they count, one line if not."""

from pathlib import Path
from typing import Any

import pytest
from cyclopts import CycloptsError
from warpbench.bench.cli.app import build
from warpbench.bench.cli.errors import one_line
from warpbench.bench.cli.main import main
from warpbench.bench.gate.measuring import Measured

from ..gate.structure.test_compare import EXAMPLE as STRUCTURE
from ..gate.work.test_compare import BEFORE as WORK

pytestmark = pytest.mark.once

TRACE = ("import", "trace", "spans.json", "--out", "replay.toml")


def parsed(*words: str) -> dict[str, Any]:
    """Return what the options of a command are read as, by name."""
    _, bound, _ = build().parse_args(words)
    options = bound.arguments.get("options", bound.arguments)
    return options if isinstance(options, dict) else vars(options)


def refusal(*words: str) -> str:
    """Return the line that says why a command line is refused."""
    with pytest.raises(CycloptsError) as error:
        build().parse_args(words)
    return one_line(error.value)


def test_a_list_may_be_separated_by_commas_or_repeated() -> None:
    read = parsed("run", "--strategy", "sync, gather,sync", "--strategy", "workers")

    assert read["strategy"] == ("sync", "gather", "workers")
    assert parsed("run", "--concurrency", "1,10")["concurrency"] == (1, 10)
    assert parsed("run", "--concurrency", "auto")["concurrency"] == ("auto",)


DURATIONS = [
    ("run", "--time-limit"),
    ("run", "--budget"),
    ("advise", "--time-limit"),
    ("gate", "--budget"),
    (*TRACE, "--overhead"),
]


@pytest.mark.parametrize("words", DURATIONS, ids=" ".join)
def test_a_length_of_time_is_read_the_same_everywhere(words: tuple[str, ...]) -> None:
    option = words[-1].removeprefix("--").replace("-", "_")

    assert parsed(*words, "90s")[option] == 90
    assert parsed(*words, "5m")[option] == 300
    assert "'90' has no unit: write 90s or 90m" in refusal(*words, "90")


def test_so_is_that_of_an_objective() -> None:
    for command in ("run", "advise", "gate"):
        assert parsed(command, "--slo", "p99=2s")["slo"] == "p99=2s"
        assert "--slo '2' has no unit: write 2s or 2m" in refusal(command, "--slo", "p99=2")


@pytest.mark.parametrize(("text", "rate"), [("20", 20), ("20/s", 20), ("1200/m", 20)])
def test_a_rate_is_read_the_same_everywhere(text: str, rate: float) -> None:
    from warpbench.mocks.workload.arrivals import parse_arrivals  # noqa: PLC0415

    assert parsed(*TRACE, "--prompt-rate", text)["prompt_rate"] == rate
    assert parsed("run", "--arrivals", f"poisson:{text}")["arrivals"] == (f"poisson:{text}",)
    assert parse_arrivals(f"poisson:{text}").first == rate


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("advise",),
        ("profile",),
        ("report", "results"),
        ("compare", "a", "b"),
        ("baseline",),
        ("export", "csv", "results"),
        ("learn", "blocking-call"),
        ("import", "trace", "spans.json"),
    ],
    ids=" ".join,
)
def test_out_is_spelled_the_same_everywhere(words: tuple[str, ...]) -> None:
    for spelling in ("--out", "-o"):
        assert parsed(*words, spelling, "there")["out"] == Path("there")


def test_a_share_of_failures_is_read_as_one() -> None:
    assert parsed("run", "--max-failed", "5%")["max_failed"] == 0.05
    assert "such as 5%" in refusal("run", "--max-failed", "0.05")


def test_no_command_offers_an_option_that_it_refuses() -> None:
    assert refusal("advise", "--concurrency", "5") == "advise: no such option --concurrency"
    assert refusal("advise", "chat", "tools") == "advise: unexpected argument 'tools'"
    assert refusal("profile", "--transport", "loopback").endswith("no such option --transport")


REFUSED = [
    (("rnu",), "no such command 'rnu': did you mean 'run'?"),
    (("import", "trce"), "import: no such command 'trce': did you mean 'trace'?"),
    (("--versoin",), "no such option --versoin: did you mean --version?"),
    (("run", "--stratgy", "sync"), "run: no such option --stratgy: did you mean --strategy?"),
    (("run", "--stratgy=sync"), "run: no such option --stratgy: did you mean --strategy?"),
    (("run", "--foo"), "run: no such option --foo"),
    (("run", "--strategy", "gathr"), "run: --strategy 'gathr': did you mean 'gather'?"),
    (("run", "--strategy", "sync,nothing"), "run: --strategy 'nothing': expected one of sync,"),
    (("run", "--loop", "uv-loop"), "run: --loop 'uv-loop': did you mean 'uvloop'?"),
    (("run", "--clock", "wrap"), "run: --clock 'wrap': did you mean 'warp'?"),
    (("run", "--transport", "lopback"), "run: --transport 'lopback': did you mean 'loopback'?"),
    (("run", "--arrivals", "poison:3"), "run: --arrivals 'poison:3': expected one of closed,"),
    (("run", "--concurrency", "0"), "run: --concurrency '0': expected a whole number from 1"),
    (("run", "--concurrency", "1,x"), "run: --concurrency 'x'"),
    (("run", "--concurrency", "-3"), "run: --concurrency '-3'"),
    (("run", "--sessions", "1.5"), "run: --sessions '1.5': expected a whole number"),
    (("run", "--sessions", "99999999999"), "run: --sessions '99999999999'"),
    (("run", "--trials", "none"), "run: --trials 'none'"),
    (("run", "--seed", "-1"), "run: --seed '-1': expected a whole number from 0"),
    (("run", "--seed", "1", "--seed", "2"), "run: --seed was given twice"),
    (("run", "--tool-workers", "many"), "run: --tool-workers 'many'"),
    (("run", "--slo", "p98=1s"), "run: --slo 'p98=1s': expected FIGURE=TIME"),
    (("run", "--strategy"), "run: --strategy expects a value"),
    (("run", "--strategy", ""), "run: --strategy expected at least one value"),
    (("gate", "baseline.json"), "gate: unexpected argument 'baseline.json'"),
    (("gate", "--tier", "tme"), "gate: --tier 'tme': did you mean 'time'?"),
    (("history", "x.sqlite", "--metric", "makespan"), "did you mean 'makespan_s'?"),
    (("export", "cvs", "results"), "export: FORMAT 'cvs': did you mean 'csv'?"),
    (("learn", "blocking"), "learn: LESSON 'blocking': did you mean 'blocking-call'?"),
    (("completion", "bsh"), "completion: SHELL 'bsh': did you mean 'bash'?"),
    (("report",), "report: missing RUN"),
    (("import", "trace", "spans.json"), "import trace: missing --out"),
    (("serve", "--port", "70000"), "serve: --port '70000': expected a whole number from 0 to"),
]


@pytest.mark.parametrize(("words", "expected"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_parsed_is_one_line_and_status_2(
    words: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2

    out, errors = capsys.readouterr()
    assert out == ""
    assert errors.count("\n") == 1
    assert errors.startswith("warpbench: ")
    assert expected in errors


class TestBaseline:
    """Where pyproject.toml names the cells, an option is obeyed or refused, never ignored."""

    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        # Which cells are asked for, and not what they look like.
        monkeypatch.setattr(
            "warpbench.bench.cli.baseline.measure",
            lambda specs, *_, **__: [Measured(STRUCTURE, WORK, frozenset())] * len(specs),
        )
        monkeypatch.setattr("warpbench.bench.cli.baseline.packages_of", lambda _modules: {})
        (tmp_path / "pyproject.toml").write_text(
            '[tool.warpbench]\nsessions = 4\ncells = ["chat/agent/gather/asyncio@2"]\n'
        )

    def cell(self, *words: str) -> Any:
        from warpbench.bench.gate.baseline import read_baseline  # noqa: PLC0415

        assert main(["baseline", *words, "--quiet"]) == 0
        (only,) = read_baseline("warpbench-baseline.json").cells.values()
        return only.cell

    def test_sessions_seed_and_tool_workers_are_obeyed(self) -> None:
        cell = self.cell("--sessions", "3", "--seed", "7", "--tool-workers", "5")

        assert (cell.session_count, cell.seed, cell.tool_workers) == (3, 7, 5)
        assert cell.name == "chat/agent/gather/asyncio@2"

    def test_without_them_the_project_decides(self) -> None:
        assert self.cell().session_count == 4

    @pytest.mark.parametrize(
        "named",
        [("two-sleeps",), ("--target", "agent"), ("--strategy", "gather"), ("--loop", "asyncio")],
        ids=" ".join,
    )
    def test_so_it_does_of_cells_that_it_does_not_name(self, named: tuple[str, ...]) -> None:
        """It says with how many sessions and with which seed, whichever cells are asked for."""
        with Path("pyproject.toml").open("a") as file:
            file.write("seed = 7\ntool-workers = 5\n")

        cell = self.cell(*named, "--concurrency", "1")

        assert (cell.session_count, cell.seed, cell.tool_workers) == (4, 7, 5)
        assert cell.scenario == ("two-sleeps" if named == ("two-sleeps",) else "tools")

    def test_an_option_stands_in_for_what_the_project_says(self) -> None:
        cell = self.cell("two-sleeps", "--concurrency", "1", "--sessions", "2", "--seed", "0")

        assert (cell.session_count, cell.seed) == (2, 0)

    def test_a_load_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["baseline", "--concurrency", "9"]) == 2
        assert "leave it out, or name a SCENARIO" in capsys.readouterr().err
        assert not Path("warpbench-baseline.json").exists()
