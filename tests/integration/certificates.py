# SPDX-License-Identifier: Apache-2.0
"""A certificate authority with servers' and clients' certificates, made by openssl."""
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

SERVER_NAME = "milvus.test"

AUTHORITY = """
[ca]
default_ca = own
[own]
database = {0}/index.txt
new_certs_dir = {0}
default_md = sha256
policy = policy
unique_subject = no
rand_serial = yes
[policy]
commonName = supplied
"""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def day(number):
    """As openssl writes it; counted from now."""
    return (datetime.now(timezone.utc) + timedelta(days=number)).strftime("%Y%m%d%H%M%SZ")


class Authority:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.key, self.certificate = self.directory / "ca.key", self.directory / "ca.pem"
        self.config = self.directory / "ca.conf"
        self.config.write_text(AUTHORITY.format(self.directory))
        (self.directory / "index.txt").touch()
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=test authority",
                "-keyout", self.key, "-out", self.certificate)  # fmt: skip

    def issue(self, name, *alternatives, begins=-1, ends=2, use=None):
        """(certificate, key) for a common name; alternatives: its subjectAltName, such as DNS:x; begins, ends: days from
        now; use: all that it is for, serverAuth or clientAuth."""
        base = self.directory / name
        key, request, certificate, extensions = (base.with_suffix(s) for s in (".key", ".csr", ".pem", ".ext"))
        lines = ["subjectAltName=" + ",".join(alternatives or [f"DNS:{name}"])]
        extensions.write_text("\n".join(lines + ([f"extendedKeyUsage={use}"] if use else [])))
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        openssl("ca", "-batch", "-notext", "-config", self.config, "-in", request, "-cert", self.certificate,
                "-keyfile", self.key, "-startdate", day(begins), "-enddate", day(ends), "-extfile", extensions,
                "-out", certificate)  # fmt: skip
        return certificate, key


def self_signed(directory, *alternatives):
    """(certificate, key) that no authority has issued."""
    certificate, key = Path(directory) / "self.pem", Path(directory) / "self.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=itself",
            "-addext", "subjectAltName=" + ",".join(alternatives), "-keyout", key, "-out", certificate)  # fmt: skip
    return certificate, key
