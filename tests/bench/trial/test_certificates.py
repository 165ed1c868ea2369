"""A trial's clients look for certificates late, and for somebody's own as ever."""

import ssl

import pytest
from warpbench.bench.trial.certificates import load_certificates_late

SYSTEM = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
OWN = {"SSL_CERT_FILE": "ours.pem"}
FOLDER = {"SSL_CERT_DIR": "certificates"}


@pytest.fixture
def capath(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> str:
    paths = ssl.get_default_verify_paths()._replace(openssl_capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    return str(tmp_path)


@pytest.mark.parametrize("environ", [{}, SYSTEM])
def test_the_systems_bundle_is_looked_up_in_its_folder(
    environ: dict[str, str], capath: str
) -> None:
    environ = dict(environ)
    load_certificates_late(environ)
    assert environ == {"SSL_CERT_DIR": capath}


@pytest.mark.parametrize("environ", [OWN, FOLDER, {**OWN, **FOLDER}])
def test_certificates_of_somebodys_own_are_left_alone(environ: dict[str, str], capath: str) -> None:
    before = dict(environ)
    load_certificates_late(environ)
    assert environ == before


def test_a_system_without_such_a_folder_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ssl.get_default_verify_paths()._replace(openssl_capath="no-such-folder")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    environ: dict[str, str] = {}
    load_certificates_late(environ)
    assert environ == {}
