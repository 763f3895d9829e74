# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` leaves: a program of somebody else's builds with it and runs."""
import os
import re
import shutil
import subprocess

import pytest

from bouncer import BINARY, configuration, yaml
from fake import VERSION
from processes import ROOT

BUILD = ROOT / "build"
README_PROGRAM = re.compile(r"```c\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("installed")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    return prefix


def compile_with(prefix, source):
    """The program, built as a user would: what to include and link is pkg-config's to say."""
    (package,) = prefix.rglob("mvb.pc")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(package.parent)}
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "mvb"], env=environment, capture_output=True, text=True, check=True
    )
    program = source.with_suffix("")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", source, *flags.stdout.split(), "-o", program], check=True)
    return program


def test_installed_files(prefix):
    files = {path.name for path in prefix.rglob("*") if path.is_file()}
    assert {"milvus-bouncer", "mvb.h", "libmvb.a", "milvus-bouncer.service", "milvus-bouncer.socket"} <= files


def check_over_grpc(program, fake, tmp_path):
    """What `check --connect` says of an upstream over C core, which is a module of the program."""
    file = tmp_path / "grpc.yaml"
    file.write_text(yaml(configuration({**fake.upstream, "transport": "grpc"})))
    return subprocess.run([program, "check", "-c", file, "--connect"], capture_output=True, text=True, timeout=60)


def test_transport_that_is_a_module(prefix, fake, tmp_path):
    done = check_over_grpc(prefix / "bin/milvus-bouncer", fake, tmp_path)
    assert done.returncode == 0, done.stderr
    assert VERSION in done.stdout


def test_module_that_is_missing(fake, tmp_path):
    alone = shutil.copy(BINARY, tmp_path)
    done = check_over_grpc(alone, fake, tmp_path)
    assert done.returncode == 1
    assert "transport: grpc needs milvus-bouncer-grpc.so: " in done.stderr
    assert "No such file" in done.stderr


def test_example(prefix, start_bouncer, fake, tmp_path):
    source = tmp_path / "example.c"
    source.write_bytes((ROOT / "clients/c/example.c").read_bytes())
    program = compile_with(prefix, source)
    (library,) = prefix.rglob("libmvb.so")
    done = subprocess.run(
        [program, start_bouncer(configuration(fake.upstream)).address],
        env={"LD_LIBRARY_PATH": str(library.parent)},
        capture_output=True,
        text=True,
    )
    assert f"GetVersion\n  {VERSION}\n" in done.stdout, done


def test_program_of_the_readme(prefix, tmp_path):
    source = tmp_path / "books.c"
    source.write_text(README_PROGRAM.search((ROOT / "README.md").read_text()).group(1))
    assert compile_with(prefix, source).exists()
