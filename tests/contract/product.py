"""What the product itself sends, recorded on the wire."""

import json
import subprocess

import pretend
from recorder import Recorder


class Product:
    """The binary in a world of its own, with recorders before the OpenAPI and the clusters."""

    def __init__(self, findings, binary, folder, world):
        self.findings, self.binary, self.folder = findings, binary, folder
        folder.mkdir(parents=True)
        self.sandbox = pretend.Sandbox(binary, folder / "cloud", world)
        self.recorder = Recorder(self.sandbox.authority)
        self.addresses = folder / "addresses.json"
        told = self.sandbox.addresses
        self.clusters = {url: Recorder(url.removeprefix("http://"))
                         for url in told["instances"].values()}
        watched = {url: f"http://{one.authority}" for url, one in self.clusters.items()}
        line = {**told, "openapi": f"http://{self.recorder.authority}",
                "leader": watched[told["leader"]], "follower": watched[told["follower"]],
                "instances": {name: watched[url] for name, url in told["instances"].items()}}
        self.addresses.write_text(json.dumps(line))

    def escrr(self, *arguments, wanted=0):
        """Runs the binary with the sandbox behind the recorder."""
        ran = subprocess.run(
            [self.binary, *arguments, f"--sandbox={self.addresses}"], cwd=self.folder, text=True,
            env=self.sandbox.environment(self.folder / "state"), capture_output=True,
            stdin=subprocess.DEVNULL, check=False)
        said = f"escrr {' '.join(arguments)} ended with {ran.returncode}: {ran.stderr[-2000:]}"
        self.findings.check(ran.returncode == wanted, said)

    def both_ways(self, spec):
        """Plans, makes, audits and takes back a link; without a spec the sandbox's own."""
        chosen = []
        if spec is not None:
            (self.folder / "spec.toml").write_text(spec)
            chosen = ["spec.toml"]
        self.escrr("plan", *chosen)
        self.escrr("run", *chosen, "--yes")
        self.escrr("audit")
        self.escrr("rollback", "--yes")

    @property
    def recorded(self):
        return self.recorder.recorded

    @property
    def at_clusters(self):
        return [one for recorder in self.clusters.values() for one in recorder.recorded]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for recorder in (self.recorder, *self.clusters.values()):
            recorder.__exit__()
        self.sandbox.__exit__()
