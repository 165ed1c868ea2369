import pytest
import uvicorn
from warpbench.agent.mcp.__main__ import main


@pytest.mark.parametrize("wrong", [["--port", "x"], ["--port", "70000"], ["--prot", "1"]])
def test_a_wrong_option_is_one_line_and_status_2(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_it_serves_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **where: served.append(where))
    main(["--port", "0"])
    assert served == [{"host": "127.0.0.1", "port": 0}]
