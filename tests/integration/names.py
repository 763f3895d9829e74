# SPDX-License-Identifier: Apache-2.0
"""Names of a test's own: a name server, and a process that sees other files in the place of /etc/resolv.conf and
/etc/hosts, through a mount namespace."""
import os
import shlex
import socket
import struct
import threading

A, AAAA = 1, 28
NO_SUCH_NAME = 3
HEADER = struct.Struct("!6H")  # RFC 1035 section 4.1.1
ANSWER_FLAGS = 0x8180


class Names:
    """addresses: of each name, IPv4 and IPv6; None in place of the list: no answer. May be changed at any time."""

    def __init__(self, directory, addresses=None, hosts=""):
        self.addresses = addresses or {}
        self.asked = []  # names, with the type
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        directory.mkdir()
        resolv_conf = directory / "resolv.conf"
        resolv_conf.write_text(f"nameserver 127.0.0.1:{self.socket.getsockname()[1]}\n")
        hosts_file = directory / "hosts"
        hosts_file.write_text(hosts)
        mounts = [(resolv_conf, "/etc/resolv.conf"), (hosts_file, "/etc/hosts")]
        script = " && ".join(f"mount --bind {shlex.quote(str(file))} {place}" for file, place in mounts)
        own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
        self.enter = ["unshare", "--mount", *own_user, "sh", "-c", f'{script} && exec "$@"', "sh"]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            question, asker = self.socket.recvfrom(512)
            if not question:  # by stop()
                return
            reply = self.reply(question)
            if reply:
                self.socket.sendto(reply, asker)

    def reply(self, question):
        ident = HEADER.unpack_from(question)[0]
        end = question.index(0, HEADER.size) + 1
        kind = struct.unpack_from("!H", question, end)[0]
        name = labels(question[HEADER.size : end])
        self.asked.append((name, kind))
        addresses = self.addresses.get(name, ())
        if addresses is None:
            return None
        family = socket.AF_INET6 if kind == AAAA else socket.AF_INET
        packed = [socket.inet_pton(family, text) for text in addresses if (":" in text) == (kind == AAAA)]
        flags = ANSWER_FLAGS | (0 if name in self.addresses else NO_SUCH_NAME)
        records = [struct.pack("!3HIH", 0xC000 | HEADER.size, kind, 1, 0, len(one)) + one for one in packed]
        header = HEADER.pack(ident, flags, 1, len(records), 0, 0)
        return header + question[HEADER.size : end + 4] + b"".join(records)

    def stop(self):
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


def labels(wire):
    """The name in a question, whose case the asker mixes on purpose."""
    parts = []
    while wire[0]:
        parts.append(wire[1 : 1 + wire[0]].decode().lower())
        wire = wire[1 + wire[0] :]
    return ".".join(parts)
