"""The layout is the architecture: imports run one way, by module, and the agent stands alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "bench", "mocks", "reports")

# From the ground up. A module may import those of its own line and of the lines above it.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("mocks.errors", "mocks.bounds"),
    ("mocks.clock",),
    ("mocks.declaration",),
    ("mocks.latency",),
    ("mocks.faults", "mocks.recording"),
    ("mocks.scenario",),
    ("mocks.script",),
    ("mocks.waits", "mocks.isolation"),
    ("mocks.booking",),
    ("mocks.metering",),
    ("mocks.traffic",),
    ("mocks.reply",),
    ("mocks.failing",),
    ("mocks.model", "mocks.services"),
    ("mocks.tools", "mocks.world"),
    ("mocks.mcp_server", "mocks.on_demand"),
    ("mocks.server", "mocks.traces"),
    ("mocks.http_messages",),
    ("mocks.mockers",),
    ("mocks.router",),
    ("bench.origins", "bench.durations"),
    ("bench.blocked_loop", "bench.calls"),
    ("bench.record", "bench.machine", "bench.redaction", "bench.intervals", "bench.percentiles"),
    ("bench.steadiness", "bench.sampling", "bench.scaling"),
    ("bench.json_file", "bench.cell_names"),
    ("bench.run_file", "bench.environment", "bench.findings"),
    ("bench.strategies", "bench.arrivals"),
    ("bench.transports",),
    ("bench.loops", "bench.target"),
    ("bench.targets", "bench.lessons"),
    ("bench.probe", "bench.ideal", "bench.stretches", "bench.evidence"),
    ("bench.attribution", "bench.vitals", "bench.watchdog"),
    ("bench.timelines",),
    ("bench.accounting",),
    ("bench.statistics",),
    ("bench.trial",),
    ("bench.processes", "bench.plan"),
    ("bench.runner", "bench.options"),
    ("bench.sweep", "bench.doctor", "bench.fidelity", "bench.profiling", "bench.advice"),
    ("bench.gate.tolerances", "bench.gate.verdict", "bench.gate.words"),
    ("bench.gate.signed_rank", "bench.gate.worktrees"),
    ("bench.gate.sequential",),
    ("bench.gate.structure", "bench.gate.work"),
    ("bench.gate.instructions_process", "bench.gate.instructions"),
    ("bench.gate.structure_tier", "bench.gate.work_tier"),
    ("bench.gate.measuring",),
    ("bench.gate.baseline",),
    ("bench.gate.configuration", "bench.gate.judging", "bench.gate.environments"),
    ("bench.gate.side_process", "bench.gate.side"),
    ("bench.gate.time_tier",),
    ("bench.history",),
    ("reports",),
    ("bench.testing",),
    ("bench.pytest_plugin",),
    ("bench.commands",),
    ("bench.cli",),
)
PACKAGES = (
    *(
        "mocks",
        "mocks.scenario",
        "mocks.scenarios",
        "bench",
        "bench.gate",
        "bench.history",
        "bench.commands",
    ),
    "reports.exports",
)


def modules() -> dict[str, Path]:
    found = {}
    for room in ROOMS:
        for path in (CHECKOUT / room).rglob("*.py"):
            parts = path.relative_to(CHECKOUT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(module: str, path: Path) -> Iterator[str]:
    """Yield our modules that a module imports, at any depth of its code."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    known = modules()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                inner = f"{target}.{alias.name}".strip(".")
                yield inner if inner in known else target
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").removeprefix("warpbench.")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.removeprefix("warpbench.")


def level_of(module: str) -> int | None:
    for level, names in enumerate(LEVELS):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return level
    return None


LAB = sorted(name for name in modules() if not name.startswith("agent") and name not in PACKAGES)


@pytest.mark.parametrize("module", LAB)
def test_a_module_imports_only_what_lies_below_it(module: str) -> None:
    own = level_of(module)
    assert own is not None, f"{module} has no place in the order of imports: give it one"

    for imported in imports_of(module, modules()[module]):
        if imported.split(".")[0] in ROOMS and imported not in PACKAGES:
            level = level_of(imported)
            assert level is not None, f"{module} imports {imported}, which has no place"
            assert level <= own, f"{module} imports {imported}, which lies above it"


@pytest.mark.parametrize("module", sorted(name for name in modules() if name.startswith("agent")))
def test_the_agent_stands_alone(module: str) -> None:
    rooms = {imported.split(".")[0] for imported in imports_of(module, modules()[module])}

    assert not rooms & {"bench", "mocks", "reports"}


@pytest.mark.parametrize("module", LAB)
def test_no_module_of_the_lab_imports_the_agent(module: str) -> None:
    assert "agent" not in {name.split(".")[0] for name in imports_of(module, modules()[module])}


def test_nobody_imports_the_composition_root() -> None:
    importers = [
        name
        for name, path in modules().items()
        if any(imported.startswith("bench.cli") for imported in imports_of(name, path))
    ]

    assert importers == []


def test_rooms_import_each_other_relatively() -> None:
    """So that a stray ``import bench`` fails at once instead of finding a stranger's."""
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] not in {*ROOMS, "warpbench"}, name
            if isinstance(node, ast.Import):
                roots = {alias.name.split(".")[0] for alias in node.names}
                assert not roots & {*ROOMS, "warpbench"}, name
