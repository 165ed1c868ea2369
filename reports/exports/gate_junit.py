"""The gate's verdicts as JUnit XML, which CI systems show as tests."""

from xml.etree.ElementTree import Element, SubElement, tostring

from ...bench.results.verdict import GateResult, Verdict
from ..comparison.gate import change_text, reason_text
from ..comparison.objectives import objective_text

_FAILED = (Verdict.REGRESSED, Verdict.MISSED)
_WITHOUT_ANSWER = (Verdict.COULD_NOT_JUDGE, Verdict.INCONCLUSIVE)


def gate_junit(result: GateResult) -> str:
    """Return one test case for each cell.

    A cell that regressed or missed the objective is a failure; one that could not be judged is an
    error.
    """
    verdicts = [cell.verdict for cell in result.cells]
    suite = Element(
        "testsuite",
        name="warpbench gate",
        tests=str(len(verdicts)),
        failures=str(sum(verdict in _FAILED for verdict in verdicts)),
        errors=str(sum(verdict in _WITHOUT_ANSWER for verdict in verdicts)),
    )
    for cell in result.cells:
        case = SubElement(suite, "testcase", classname="warpbench", name=_legal(cell.title))
        objectives = list(map(objective_text, cell.objectives))
        text = "\n".join([*map(change_text, cell.changes), *objectives])
        if cell.verdict in _FAILED:
            worse = [change_text(change) for change in cell.changes if change.is_worse]
            missed = map(objective_text, cell.missed)
            SubElement(case, "failure", message=_legal([*worse, *missed][0])).text = _legal(text)
        elif cell.verdict in _WITHOUT_ANSWER:
            reason = "; ".join(map(objective_text, cell.missed)) or cell.verdict
            if cell.reason is not None:
                reason = reason_text(cell.reason)
            SubElement(case, "error", message=_legal(reason))
        elif text:
            SubElement(case, "system-out").text = _legal(text)
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _legal(text: str) -> str:
    # Control characters have no place in XML, not even escaped.
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)
