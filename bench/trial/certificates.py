"""The certificates that a trial's HTTP clients read: late, since none is needed in most trials."""

import ssl
from collections.abc import MutableMapping
from pathlib import Path

_SYSTEM_BUNDLES = frozenset(
    {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/cert.pem",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/tls/cert.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    }
)


def load_certificates_late(environ: MutableMapping[str, str]) -> None:
    """Let HTTP clients look for the system's certificates when they meet one, and not before.

    Nothing outside this machine is reached. To read a bundle of them takes each client 20 ms:
    two thirds of what a trial took before its sessions began. Certificates of somebody's own are
    read as ever.
    """
    folder = ssl.get_default_verify_paths().openssl_capath
    if not Path(folder).is_dir():
        return
    if environ.get("SSL_CERT_FILE") in _SYSTEM_BUNDLES:
        del environ["SSL_CERT_FILE"]
    if "SSL_CERT_FILE" not in environ:
        environ.setdefault("SSL_CERT_DIR", folder)
