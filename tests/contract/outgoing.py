"""Holds each request of the product against what the official typed client sends for it."""

import difflib
import json
import typing
import urllib.parse

from darabonba.model import DaraModel
from darabonba.runtime import RuntimeOptions

import models
import values

# Parameters of every RPC request that are not the action's own. RegionId is the action's own in
# most actions; in the others it is common too: the old core sends it with every request.
COMMON = {"Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Signature",
          "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion", "Timestamp"}


class Comparison:
    """Sends every request once more, by the typed clients to a recorder that answers itself."""

    def __init__(self, findings, typed, recorder):
        self.findings, self.typed, self.recorder = findings, typed, recorder
        self.compared = set()
        self.known = set()

    def all(self, recorded):
        for one in recorded:
            try:
                product, action, below = identify(one)
            except ValueError as error:
                self.findings.say(str(error))
                continue
            self.compared.add((product, action))
            key = (action, one.path, tuple(sorted(own(one).items())), one.method,
                   b"" if one.form() else one.body)
            if key not in self.known:
                self.known.add(key)
                with self.findings.section(f"{product} {action}"):
                    self.compare(one, product, action, below)

    def compare(self, one, product, action, below):
        known = models.actions(product)[action]
        kind = models.model(product, known.request) if known.request else None
        names = models.wire_fields(kind) if kind else {}
        body = json.loads(one.body) if below is not None and one.body else {}
        if body and "body" in names:
            # It is carried on as it is; the members are another service's.
            body = {"body": one.body.decode()}
        given = {**unflatten(own(one)), **body}
        region = given.pop("RegionId", None)
        wrong = []
        fits = fit(given, kind, wrong, action) if kind else {}
        if kind is None and given:
            wrong.append(f"{action} takes no parameters, but was sent {sorted(given)}")
        if region is not None and "RegionId" in names:
            fits["RegionId"] = region
        if kind:
            wrong += values.unlisted(kind().from_map(fits), action)
        for text in wrong:
            self.findings.check(False, f"{product} {text}")
        theirs = self.sent(product, known, kind, fits, below or [])
        ours = shape(one, own(one), below)
        if below is None and "RegionId" not in names:
            ours = [line for line in ours if not line.startswith("RegionId = ")]
        wanted = shape(theirs, lowered(theirs.merged()), below)
        diff = difflib.unified_diff(wanted, ours, "the official client", "escrr", n=100,
                                    lineterm="")
        said = f"{product} {action} is sent otherwise:\n" + "\n".join(diff)
        self.findings.check(ours == wanted, said)

    def sent(self, product, known, kind, fits, below):
        """What the typed client sends for the same input."""
        arguments = list(below)
        arguments += [without_empty(kind().from_map(fits), fits)] if kind else []
        arguments += [{}] if known.takes_headers else []
        client = self.typed.clients[product]
        before = len(self.recorder.recorded)
        getattr(client, known.method)(*arguments, RuntimeOptions())
        (theirs,) = self.recorder.recorded[before:]
        return theirs


def without_empty(request, given):
    """Reading makes an empty list of a list that is not given, and some are sent as `[]` then."""
    for wire, (name, _) in models.wire_fields(type(request)).items():
        value, inner = getattr(request, name), given.get(wire)
        if value == [] and inner != []:
            setattr(request, name, None)
        pairs = zip(value, inner) if isinstance(value, list) and inner else [(value, inner)]
        for one, its in pairs:
            if isinstance(one, DaraModel):
                without_empty(one, its or {})
    return request


def identify(one):
    """Product, action, and the path's parameters; those are None in RPC."""
    parameters = one.merged()
    version = one.headers.get("x-acs-version") or parameters.get("Version")
    product = next(p for p in models.PACKAGES
                   if next(iter(models.actions(p).values())).version == version)
    if one.path == "/":
        return product, parameters.get("Action") or one.headers["x-acs-action"], None
    for action in models.actions(product).values():
        below = matched(action, one)
        if below is not None:
            named = one.headers.get("x-acs-action", action.name)
            if named != action.name:
                raise ValueError(f"x-acs-action says {named}, the path {action.name}")
            return product, action.name, below
    raise ValueError(f"no action of {product} has {one.method} {one.path}")


def matched(action, one):
    """The parameters in a path if it is the action's."""
    pattern, path = action.path.split("/"), one.path.split("/")
    if action.verb != one.method or len(pattern) != len(path):
        return None
    pairs = list(zip(pattern, path))
    if any(not p.startswith("{") and p != s for p, s in pairs):
        return None
    return [urllib.parse.unquote(s) for p, s in pairs if p.startswith("{")]


def own(one):
    """The action's own parameters, query and form merged."""
    return {name: value for name, value in one.merged().items() if name not in COMMON}


def lowered(parameters):
    """The typed clients write `True`; the service reads it without regard to case."""
    return {n: v.lower() if v in ("True", "False") else v for n, v in parameters.items()}


def shape(one, parameters, below):
    """What has to be equal, line by line: in RPC the parameters, in ROA every place."""
    if below is None:
        return [f"{name} = {parameters[name]}" for name in sorted(parameters)]
    lines = [f"{one.method} {one.path}"]
    query = lowered(one.query)
    lines += [f"query {name} = {query[name]}" for name in sorted(query)]
    if one.body:
        kind = one.headers.get("content-type", "").split(";")[0]
        lines += [f"content-type {kind}"]
        lines += json.dumps(json.loads(one.body), indent=1, sort_keys=True).splitlines()
    return lines


def unflatten(flat):
    """`Tag.1.Key` back to a list of objects; the numbers have to run from 1 on."""
    tree = {}
    for name, value in flat.items():
        at = tree
        *above, last = name.split(".")
        for part in above:
            at = at.setdefault(part, {})
        at[last] = value
    return listed(tree)


def listed(tree):
    if not isinstance(tree, dict):
        return tree
    if tree and all(name.isdigit() for name in tree):
        if sorted(map(int, tree)) != list(range(1, len(tree) + 1)):
            raise ValueError(f"a list is numbered {sorted(tree)}")
        return [listed(tree[str(n)]) for n in range(1, len(tree) + 1)]
    return {name: listed(value) for name, value in tree.items()}


def fit(value, hint, wrong, path):
    """The value as the model declares it; says what the model does not know or take."""
    origin = typing.get_origin(hint)
    if origin in (list, typing.List):
        if not isinstance(value, list):
            wrong.append(f"{path} is a list for the model, not {value!r}")
            return []
        (inner,) = typing.get_args(hint)
        return [fit(one, inner, wrong, f"{path}.N") for one in value]
    if isinstance(hint, type) and issubclass(hint, DaraModel):
        return fit_object(value, hint, wrong, path)
    if hint is bool and value in ("true", "false", True, False):
        return value in ("true", True)
    if hint is int and str(value).lstrip("-").isdigit() and not isinstance(value, bool):
        return int(value)
    if hint is str and isinstance(value, str):
        return value
    wrong.append(f"{path} is {getattr(hint, '__name__', hint)} for the model, not {value!r}")
    return value


def fit_object(value, kind, wrong, path):
    if not isinstance(value, dict):
        wrong.append(f"{path} is an object for the model, not {value!r}")
        return {}
    names = models.wire_fields(kind)
    fits = {}
    for name, inner in value.items():
        if name in names:
            fits[name] = fit(inner, names[name][1], wrong, f"{path}.{name}")
        else:
            wrong.append(f"{path}: the model has no parameter {name}")
    for name, (field, _) in names.items():
        if field in models.required(kind) and name not in value and name != "RegionId":
            wrong.append(f"{path}: the required parameter {name} is missing")
    return fits
