"""The product's requests to the clusters against what the official `elasticsearch` clients send.

The clients are read, not run: each method's source names its path, its query and its body.
"""

import json
import pathlib
import re

QUERY = re.compile(r'__query\["([^"]+)"\]')
BODY = re.compile(r'__body\["([^"]+)"\]')
# The reference gives GET and POST for these; the clients send POST, to have a body.
BY_GET_TOO = {"search", "count"}
PATH = re.compile(r'__path = f?[\'"]([^\n]*)[\'"]\n')


class Call:
    """One method of the client of the 8 series."""

    def __init__(self, module, name, text):
        self.module, self.name = module, name
        part = r'\{__path_parts\["\w+"\]\}'
        self.paths = [re.sub(part, "{}", path).split("/")[1:] for path in PATH.findall(text)]
        sent = re.search(r'perform_request\([^"_]*("\w+"|__method)', text)
        method = sent[1] if sent else ""
        self.methods = set(re.findall(r'__method = "(\w+)"', text)) or {method.strip('"')}
        if name in BY_GET_TOO:
            self.methods.add("GET")
        self.query = set(QUERY.findall(text))
        self.body = set(BODY.findall(text))
        self.takes_body = "body=__body" in text

    def fit(self, method, segments):
        """How many segments of a path are the method's own words; None where it is another."""
        if method not in self.methods:
            return None
        fits = [sum(p != "{}" for p in path) for path in self.paths if len(path) == len(segments)
                and all(p == s or (p == "{}" and named(s)) for p, s in zip(path, segments))]
        return max(fits, default=None)


def named(segment):
    """Words of the API begin with an underscore; of the names only `_all` does."""
    return not segment.startswith("_") or segment == "_all"


class Catalog:
    """Every method of both series."""

    def __init__(self, client_7, client_8):
        self.calls = []
        for path in sorted((pathlib.Path(client_8) / "elasticsearch/_sync/client").glob("*.py")):
            functions = re.split(r"\n    def (\w+)\(", path.read_text())
            for name, text in zip(functions[1::2], functions[2::2]):
                self.calls.append(Call(path.stem, name, text))
        self.seven = pathlib.Path(client_7) / "elasticsearch/client"

    def find(self, one):
        """The method that sends such a request."""
        segments = one.path.strip("/").split("/")
        fits = [(call.fit(one.method, segments), call) for call in self.calls]
        fits = [(fit, call) for fit, call in fits if fit is not None]
        return max(fits, key=lambda pair: pair[0])[1] if fits else None

    def query(self, call, series):
        """Names in the query that a series' client knows; None where it has no such method."""
        seven = self.query_of_7(call)
        if series == 8:
            # What may stand in either place the client of the 8 series sends in the body.
            return call.query | (call.body & (seven or set()))
        return seven

    def query_of_7(self, call):
        text = (self.seven / f"{call.module}.py").read_text()
        found = re.search(r"@query_params\(([^@]*?)\)\n    def " + call.name + r"\(", text)
        if found is None:
            return None
        names = found[1].split("_mimetypes=")[0].split("body_params=")[0]
        return set(re.findall(r'"(\w+)"', names)) | {"filter_path", "error_trace", "human"}


def compare(findings, catalog, recorded, series):
    """Holds recorded requests against the methods of a series; gives the methods' names."""
    compared = set()
    for one in recorded:
        what = f"{one.method} {one.path} (series {series})"
        call = catalog.find(one)
        if not findings.check(call, f"{what}: no method of the official client sends it"):
            continue
        compared.add(f"{call.module}.{call.name}")
        known = catalog.query(call, series)
        if not findings.check(known is not None, f"{what}: the client has no {call.name}"):
            continue
        unknown = set(one.query) - known
        findings.check(not unknown, f"{what}: {call.name} takes no {sorted(unknown)} in the query")
        if one.body:
            body = json.loads(one.body)
            findings.check(call.takes_body, f"{what}: {call.name} takes no body")
            unknown = set(body) - call.body if call.body else set()
            findings.check(not unknown, f"{what}: {call.name} takes no {sorted(unknown)}")
    return compared
