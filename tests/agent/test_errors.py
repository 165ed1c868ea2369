import pickle

from warpbench.agent import AgentError, MaxRoundsError


def test_the_limit_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(MaxRoundsError(7)))
    assert isinstance(error, MaxRoundsError)
    assert isinstance(error, AgentError)
    assert error.max_rounds == 7
    assert "max_rounds=7" in str(error)
