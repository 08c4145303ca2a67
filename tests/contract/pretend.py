"""The sandbox as a process, and its own calls."""

import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

# No proxy, whatever the environment says: all of it is on loopback.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sandbox:
    """A pretend cloud of its own in a folder of its own."""

    def __init__(self, binary, folder, world=None):
        self.binary = binary
        self.home = pathlib.Path(folder)
        self.home.mkdir(parents=True)
        arguments = [binary, "sandbox", "start"]
        if world is not None:
            path = self.home / "world.toml"
            path.write_text(world)
            arguments.append(f"--world={path}")
        self.log = open(self.home / "sandbox.log", "wb")
        self.process = subprocess.Popen(
            arguments, env=self.environment(), cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.log,
        )
        line = self.process.stdout.readline()
        if not line.startswith(b"{"):
            said = (self.home / "sandbox.log").read_text()
            raise RuntimeError(f"the sandbox did not say its addresses: {said}")
        self.addresses = json.loads(line)
        self.openapi = self.addresses["openapi"]
        self.authority = self.openapi.removeprefix("http://")

    def environment(self, home=None):
        """An environment in which nothing of the caller's decides."""
        return {
            "HOME": str(self.home), "ESCRR_HOME": str(home or self.home / "state"),
            "PATH": os.environ.get("PATH", ""), "TZ": "UTC", "NO_COLOR": "1",
        }

    def ask(self, method, path, body=None):
        """One of the sandbox's own calls."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.openapi}/sandbox/{path}"
        headers = {"Authorization": f"Bearer {self.addresses['control_token']}",
                   "Content-Type": "application/json"}
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with OPENER.open(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from error

    def advance(self, seconds):
        """Moves the world's clock forward; nobody sleeps."""
        now = self.ask("GET", "clock")["now_ms"]
        self.ask("POST", "clock", {"to_ms": now + int(seconds * 1000)})

    def inventory(self):
        """Everything that exists."""
        return self.ask("GET", "inventory")

    def change(self, product, action, params):
        """A change made behind the caller's back."""
        return self.ask("POST", "change", {"product": product, "action": action, "params": params})

    def fault(self, effect, **matcher):
        """Orders something to go wrong."""
        return self.ask("POST", "fault", {**matcher, "effect": effect})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
