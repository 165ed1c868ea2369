"""What a lease is on its node."""

from warpbench.bench.cluster.on_node import without_ray


def test_a_trial_sees_none_of_rays_variables_and_all_others() -> None:
    environ = {
        "PATH": "/bin",
        "RAY_JOB_ID": "01000000",
        "RAY_AUTH_TOKEN": "t",
        "OMP_NUM_THREADS": "1",
        "PYTHONBREAKPOINT": "ray.util.rpdb.set_trace",
        "SPT_NOENV": "1",
        "XRAY_NAME": "mine",
    }

    assert without_ray(environ) == {"PATH": "/bin", "XRAY_NAME": "mine"}
    assert without_ray({"OMP_NUM_THREADS": "4"}) == {"OMP_NUM_THREADS": "4"}
