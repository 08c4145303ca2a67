#!/usr/bin/env python3
"""Drives the sandbox with the vendors' official clients, and compares what the product sends.

Makes an environment for the clients below the build's folder, builds the binaries, and starts
suite.py in it. Where the clients cannot be had, it says so in a line and ends well.

    python3 tests/contract/run.py
    python3 tests/contract/run.py --binary target/debug/escrr \\
        --every-call target/debug/examples/every_call
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Environments, each with its list of packages; the two series of one client cannot share one.
CLIENTS = {
    "openapi": HERE / "requirements-openapi.txt",
    "elasticsearch-7": HERE / "requirements-elasticsearch-7.txt",
    "elasticsearch-8": HERE / "requirements-elasticsearch-8.txt",
}
# Seconds that the registry has for each environment.
REGISTRY_PATIENCE = 300
# Settings by which a client would look elsewhere: proxies are obeyed even for loopback.
FOREIGN = ("ALIBABA", "ALIYUN", "PYTHON", "ESCRR")


class Unavailable(Exception):
    """The clients cannot be had here."""


def environment(folder):
    """The interpreter with the official clients, made where it is not there yet."""
    python = folder / "openapi" / "bin" / "python"
    for name, packages in CLIENTS.items():
        place = folder / name
        stamp = place / "made-of"
        wanted = hashlib.sha256(packages.read_bytes() + sys.version.encode()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        if name == "openapi":
            quietly([sys.executable, "-m", "venv", "--clear", place])
            install(python, "-r", packages)
        else:
            install(python, "--upgrade", "--target", place, "-r", packages)
        stamp.write_text(wanted)
    return python


def install(python, *arguments):
    quietly([python, "-m", "pip", "install", "--quiet", "--no-input", "--retries", "1",
             "--disable-pip-version-check", *arguments])


def quietly(command):
    """Runs a step of making the environment; its failure is no failure of the product."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False,
                             stdin=subprocess.DEVNULL, timeout=REGISTRY_PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error).splitlines()[0]) from error
    if ran.returncode != 0:
        said = (ran.stderr or ran.stdout).strip().splitlines() or ["it did not say why"]
        raise Unavailable(said[-1])


def built():
    """The binaries as the tests build them: nothing is compiled twice."""
    command = ["cargo", "test", "--workspace", "--locked", "--no-run", "--message-format=json"]
    made = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found = {}
    for line in made.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message.get("executable"):
            target = message["target"]
            if not message["profile"]["test"]:
                found[target["name"]] = message["executable"]
    return found["escrr_under_test"], found["every_call"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, help="the binary, instead of building it")
    parser.add_argument("--every-call", type=pathlib.Path, help="the example, the same")
    arguments = parser.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    try:
        python = environment(target / "contract")
    except Unavailable as error:
        print(f"contract: skipped, the official clients cannot be had here: {error}")
        return 0
    if arguments.binary and arguments.every_call:
        binaries = arguments.binary.resolve(), arguments.every_call.resolve()
    else:
        binaries = built()
    plain = {name: value for name, value in os.environ.items()
             if not name.lower().endswith("_proxy") and not name.startswith(FOREIGN)}
    with tempfile.TemporaryDirectory(prefix="escrr-contract-") as folder:
        return subprocess.run(
            [python, HERE / "suite.py", "--binary", binaries[0], "--every-call", binaries[1],
             "--folder", folder, "--client-7", target / "contract" / "elasticsearch-7",
             "--client-8", target / "contract" / "elasticsearch-8"],
            env={**plain, "PYTHONDONTWRITEBYTECODE": "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
