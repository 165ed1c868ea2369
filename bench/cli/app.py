"""The command line: which commands there are. None is imported before it is asked for.

This is the composition root. Nobody imports it but the entry point.
"""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclopts import App, CycloptsError, Group, Parameter

from ...mocks.errors import WarpbenchError
from ...mocks.printable import one_line as shown_line
from .errors import one_line
from .exit_status import DONE, NOT_DONE, meanings
from .help import PlainHelp, two_columns

_STATUS_COLUMN = 6

# The headings of --help, in this order, and before those of the options, whichever module is
# imported first.
MEASURE = Group.create_ordered("Measure", sort_key=1)
REPORT = Group.create_ordered("Report", sort_key=1)
GATE = Group.create_ordered("Gate", sort_key=1)
LAB = Group.create_ordered("The lab", sort_key=1)
_IMPORTED = Group.create_ordered("What is imported", sort_key=1)
_OPTIONS = Group.create_ordered("Options", sort_key=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: what ``--help`` says of it, and where it is.

    Attributes:
        name: How it is called.
        help: What it does, in a line.
        more: What else its own help says.
        examples: Commands that a reader may copy.
        bad_answer: When its exit status is 1, if ever.
        done: When its exit status is 0.
        function: Module below ``commands``, and the function in it; without it, both have the
            command's name.
    """

    name: str
    help: str
    examples: tuple[str, ...]
    more: str = ""
    bad_answer: str | None = None
    done: str = "done"
    function: str = ""

    @property
    def path(self) -> str:
        """Where its function is, to be imported when it is called."""
        return f"{__package__}.commands.{self.function or f'{self.name}:{self.name}'}"


_MEASURE_COMMANDS = (
    Command(
        name="run",
        help="Compare strategies: table, charts, page and run.json.",
        examples=(
            "warpbench run",
            "warpbench run tools --target my_agent:build --strategy gather,threads",
            "warpbench run support.toml --concurrency 1,10,100 --slo p99=2s",
            "warpbench run chat --concurrency auto --budget 5m",
        ),
        bad_answer="a cell or session failed that no scripted fault explains, or no cell meets "
        "--slo",
    ),
    Command(
        name="advise",
        help="Say what to run, what limits it, and what a fix would gain.",
        more="Sweeps the load on the warp clock, then runs the best at twice its load with one "
        "cost after the other taken away.",
        examples=(
            "warpbench advise tools --slo p99=2s",
            "warpbench advise busy-model --strategy gather --loop uvloop",
        ),
        bad_answer="no load meets the objective without failed sessions, or a cell failed below "
        "the limit",
    ),
    Command(
        name="profile",
        help="Show where the CPU time goes: pyinstrument over cells, side by side.",
        more="Each cell runs once in this process. A report in the same folder is regenerated, "
        "with a link.",
        examples=("warpbench profile tools --strategy gather,threads --concurrency 50",),
    ),
    Command(
        name="explore",
        help="Look for an order of events in which the agent goes wrong.",
        more="Runs the same sessions in virtual time under many schedules: latencies drawn anew, "
        "and who goes on first chosen anew. With --out what was found is a page and JSON, too.",
        examples=(
            "warpbench explore chat --target my_agent:build",
            "warpbench explore chat --target my_agent:build --out results",
            "warpbench explore tools --target my_agent:build --strategy gather,threads "
            "--schedules 500",
            "warpbench explore chat --target my_agent:build --sessions 2 --replay 17",
        ),
        bad_answer="something goes wrong in a schedule",
    ),
    Command(
        name="doctor",
        help="Check how well this machine measures.",
        more="Takes about ten seconds.",
        examples=("warpbench doctor",),
        bad_answer="something should be fixed",
    ),
)
_REPORT_COMMANDS = (
    Command(
        name="report",
        help="Regenerate the report from run.json.",
        examples=("warpbench report results", "warpbench report results --out page"),
    ),
    Command(
        name="compare",
        help="Compare runs with the first: ratios with intervals.",
        examples=("warpbench compare results-before results-after --markdown changes.md",),
    ),
    Command(
        name="history",
        help="Keep runs, and show the trend of a metric over runs.",
        examples=(
            "warpbench history runs.sqlite --add results",
            "warpbench history runs.sqlite --metric cpu_s_per_session",
        ),
    ),
    Command(
        name="export",
        help="Export a run for another tool.",
        examples=("warpbench export csv results --out samples.csv",),
    ),
)
_GATE_COMMANDS = (
    Command(
        name="baseline",
        help="Write the gate's baseline file.",
        more="Without SCENARIO, --target, --strategy and --loop: of the cells that "
        "[tool.warpbench] in pyproject.toml names. Otherwise of scenario tools, target agent, "
        "strategy gather and loop asyncio, where they are not given. Without --sessions, --seed "
        "and --tool-workers: as pyproject.toml says, whichever cells they are.",
        examples=(
            "warpbench baseline",
            "warpbench baseline tools --target my_agent:build --concurrency 10 --sessions 20",
        ),
    ),
    Command(
        name="gate",
        help="Compare with the baseline; exit 0 passed, 1 regressed, 2 could not judge.",
        examples=(
            "warpbench gate",
            "warpbench gate --against origin/main --budget 2m",
            "warpbench gate --cell tools/agent/gather/asyncio@10 --junit gate.xml",
            "warpbench gate --slo max=5s",
        ),
        bad_answer="regressed, or a cell misses --slo",
        done="passed",
    ),
)
_LAB_COMMANDS = (
    Command(
        name="list",
        function="listing:listing",
        help="List scenarios, strategies, loops, transports, targets and exports.",
        examples=("warpbench list",),
    ),
    Command(
        name="learn",
        help="Runnable lessons about asyncio.",
        more="Without a name, it lists them. All run in virtual time.",
        examples=(
            "warpbench learn",
            "warpbench learn blocking-call",
            "warpbench learn all",
        ),
        bad_answer="a lesson does not show what it claims",
    ),
    Command(
        name="serve",
        help="Serve the mock model on loopback, until Ctrl-C.",
        examples=("warpbench serve tools --port 8000",),
    ),
    Command(
        name="completion",
        help="Print a shell's completion script, or install it.",
        examples=("warpbench completion bash --install", "warpbench completion zsh"),
    ),
)
SECTIONS: Mapping[Group, tuple[Command, ...]] = MappingProxyType(
    {
        MEASURE: _MEASURE_COMMANDS,
        REPORT: _REPORT_COMMANDS,
        GATE: _GATE_COMMANDS,
        LAB: _LAB_COMMANDS,
    }
)
"""The commands, by where ``--help`` lists them."""

COMMANDS = tuple(command for section in SECTIONS.values() for command in section)
IMPORTS = (
    Command(
        name="trace",
        function="import_trace:trace",
        help="Make a scenario of a trace.",
        more="The trace may be coding-agent sessions, spans of OpenTelemetry, OpenInference or "
        "OpenLLMetry, or requests of Azure, Mooncake or BurstGPT.",
        examples=(
            "warpbench import trace spans.json --out replay.toml",
            "warpbench import trace trace.csv.gz --out fit.toml --fit --sessions 100",
        ),
    ),
)


def build() -> App:
    """Return the command line; built anew for each call, because its console keeps the width."""
    top = App(
        name="warpbench",
        help="A concurrency lab for LLM agents: thousands of sessions against a mocked model, on a "
        "clock that skips waiting but not computing.",
        version=version,
        help_format="plaintext",
        help_formatter=PlainHelp(),
        help_epilogue=_epilogue(
            ("warpbench run", "warpbench run tools --target my_agent:build", "warpbench list"),
            "the answer is bad: a regression, a failure, a missed objective",
        ),
        group_commands=LAB,
        group_parameters=_OPTIONS,
        default_parameter=Parameter(negative_iterable=(), negative_bool=()),
        exit_on_error=False,  # errors come as exceptions: see run()
        print_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",  # a command returns its exit status
    )
    imports = App(
        name="import",
        help="Make a scenario of recorded traffic.",
        group=LAB,
        group_commands=_IMPORTED,
        help_epilogue=_epilogue(IMPORTS[0].examples),
    )
    for section, commands in SECTIONS.items():
        for order, command in enumerate(commands):
            _add(top, command, section, order)
    for order, command in enumerate(IMPORTS):
        _add(imports, command, _IMPORTED, order)
    top.command(imports)
    return top


def _add(app: App, command: Command, section: Group, order: int) -> None:
    app.command(
        command.path,
        name=command.name,
        group=section,
        sort_key=order,
        # Without it --help would have to import the command.
        help="\n\n".join(filter(None, (command.help, command.more))),
        help_epilogue=_epilogue(command.examples, command.bad_answer, command.done),
    )


def _epilogue(examples: tuple[str, ...], bad_answer: str | None = None, done: str = "done") -> str:
    width = shutil.get_terminal_size().columns
    lines = ["Examples:", *(f"  {example}" for example in examples), "", "Exit status:"]
    for status, meaning in meanings(bad_answer, done):
        lines += two_columns(str(status), meaning, width, _STATUS_COLUMN)
    return "\n".join(lines)


def version() -> str:
    """Return what ``--version`` prints."""
    from importlib import metadata  # noqa: PLC0415 - it costs a tenth of the time of --help

    try:
        return f"warpbench {metadata.version('warpbench')}"
    except metadata.PackageNotFoundError:
        return "warpbench, not installed"


def run(arguments: list[str]) -> int:
    """Run one command; say on one line of stderr why, if it cannot be run."""
    try:
        status = build()(arguments)
    except CycloptsError as error:
        return _refused(one_line(error))
    except WarpbenchError as error:
        return _refused(str(error))
    return status if isinstance(status, int) else DONE  # of --help and --version there is none


def _refused(line: str) -> int:
    print(f"warpbench: {shown_line(line)}", file=sys.stderr)  # noqa: T201 - the one line of an error
    return NOT_DONE
