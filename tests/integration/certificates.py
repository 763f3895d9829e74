# SPDX-License-Identifier: Apache-2.0
"""A certificate authority with a server's and a client's certificate, made by openssl."""
import subprocess
from pathlib import Path

SERVER_NAME = "milvus.test"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.key, self.certificate = self.directory / "ca.key", self.directory / "ca.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=test authority",
                "-keyout", self.key, "-out", self.certificate)  # fmt: skip

    def issue(self, name, *alternatives, days=2):
        """(certificate, key) for a common name; alternatives: its subjectAltName, such as DNS:x."""
        base = self.directory / name
        key, request, certificate, extensions = (base.with_suffix(s) for s in (".key", ".csr", ".pem", ".ext"))
        extensions.write_text("subjectAltName=" + ",".join(alternatives or [f"DNS:{name}"]))
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-days", days, "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-extfile", extensions, "-out", certificate)  # fmt: skip
        return certificate, key
