"""The two generations of official clients behind one way to call them."""

import importlib
import json

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest, RpcRequest
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

import models
import values


class Refused(Exception):
    """An error answer, with what the client's own exception said."""

    def __init__(self, code, message, request_id, status, error):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.request_id = code, message, request_id
        self.status, self.error = status, error


class Driver:
    """Calls by product and action, with parameters under their names on the wire."""

    scheme = ""

    def __init__(self, findings):
        self.findings = findings
        # Names that answers held a value under, by product.
        self.seen = {}

    def call(self, product, action, params=None, below=(), body=None):
        """Makes one call and holds the answer against its model.

        `below` are the path's parameters in their order, `body` the members of a JSON body;
        everything else stands in the query or form.
        """
        self.findings.called(self.scheme, product, action)
        raw = self.send(product, action, params or {}, below, body)
        for text in misfits(product, action, raw):
            self.findings.check(False, f"{self.scheme} {text}")
        self.findings.check(raw.get("RequestId"), f"{product} {action}: no request id")
        note(raw, self.seen.setdefault((product, action), set()))
        return raw

    def send(self, product, action, params, below, body):
        raise NotImplementedError

    def refusal(self, product, action, params=None, below=(), body=None):
        """The refusal of a call that must be refused."""
        try:
            raw = self.call(product, action, params, below, body)
        except Refused as refused:
            what = f"{self.scheme} {product} {action} refused with {refused.code}"
            self.findings.check(refused.message, f"{what}: no message")
            self.findings.check(refused.request_id, f"{what}: no request id")
            return refused.code
        self.findings.say(f"{self.scheme} {product} {action}: not refused, but {raw}")
        return None


def misfits(product, action, raw):
    """Everything in an answer that the official model of it does not take as it is."""
    read = models.read(product, action, raw)
    wrong = [f"the model does not keep `{path}`" for path in models.lost(raw, read.to_map())]
    wrong += models.mistyped(read, type(read))
    wrong += values.unlisted(read, "the answer")
    return [f"{product} {action}: {text}" for text in wrong]


def note(raw, names):
    """Collects the names that hold a value."""
    if isinstance(raw, dict):
        for name, value in raw.items():
            if value is not None:
                names.add(name)
            note(value, names)
    elif isinstance(raw, list):
        for one in raw:
            note(one, names)


class Typed(Driver):
    """The typed clients, one a product; they sign V3."""

    scheme = "V3"

    def __init__(self, findings, authority, key, secret, token=None):
        super().__init__(findings)
        self.raw = None
        self.clients = {}
        for product, package in models.PACKAGES.items():
            config = Config(access_key_id=key, access_key_secret=secret, endpoint=authority,
                            protocol="HTTP")
            if token:
                config.security_token, config.type = token, "sts"
            client = importlib.import_module(package + ".client").Client(config)
            client.call_api = self.keeping(client.call_api)
            self.clients[product] = client

    def keeping(self, call_api):
        """The client's own call, which keeps what came before a model read it."""
        def call(*arguments):
            answer = call_api(*arguments)
            self.raw = answer.get("body")
            return answer
        return call

    def request(self, product, action, params):
        """The typed request; None where the action has none."""
        known = models.actions(product)[action]
        if known.request is None:
            return None
        request = models.model(product, known.request)().from_map(params)
        for path in models.lost(params, request.to_map()):
            self.findings.check(False, f"{product} {action}: there is no parameter {path}")
        return request

    def send(self, product, action, params, below, body):
        known = models.actions(product)[action]
        request = self.request(product, action, {**params, **(body or {})})
        arguments = list(below)
        arguments += [request] if request is not None else []
        arguments += [{}] if known.takes_headers else []
        try:
            getattr(self.clients[product], known.method)(*arguments, RuntimeOptions())
        except AlibabaCloudException as error:
            raise Refused(error.code, error.message, error.request_id, error.status_code,
                          error) from error
        return self.raw


class OldCore(Driver):
    """The generic client of the old core; it signs V1, RPC and ROA."""

    scheme = "V1"

    def __init__(self, findings, authority, key, secret, token=None):
        super().__init__(findings)
        self.authority = authority
        given = {"credential": StsTokenCredential(key, secret, token)} if token else {
            "ak": key, "secret": secret}
        self.client = AcsClient(region_id="cn-hangzhou", auto_retry=False, **given)

    def send(self, product, action, params, below, body):
        known = models.actions(product)[action]
        request = CommonRequest()
        request.set_domain(self.authority)
        request.set_protocol_type("http")
        request.set_accept_format("json")
        request.set_version(known.version)
        request.set_action_name(action)
        flat = flatten(params)
        if known.path == "/":
            # Reads with everything in the query, writes with a form: both must do.
            write = not action.startswith(("Describe", "List", "Get", "Check"))
            request.set_method("POST" if write else "GET")
            add = request.add_body_params if write else request.add_query_param
        else:
            request.set_method(known.verb)
            request.set_uri_pattern(filled(known.path, below))
            add = request.add_query_param
            if body is not None:
                request.set_content(json.dumps(body).encode())
                request.set_content_type("application/json")
        for name, value in flat.items():
            add(name, value)
        try:
            return json.loads(self.client.do_action_with_exception(request))
        except ServerException as error:
            raise Refused(error.get_error_code(), error.get_error_msg(), error.get_request_id(),
                          error.get_http_status(), error) from error

    def compared(self, product, action):
        """The code of a refusal after the client compared the strings to sign itself.

        Requests of a typed class keep their own string; the generic ones do not.
        """
        self.findings.called(self.scheme, product, action)
        request = RpcRequest(product, models.actions(product)[action].version, action)
        request.set_endpoint(self.authority)
        request.set_protocol_type("http")
        try:
            self.client.do_action_with_exception(request)
        except ServerException as error:
            return error.get_error_code()
        return None


def filled(path, below):
    """A path pattern with its parameters in place."""
    parts = iter(below)
    segments = [next(parts) if s.startswith("{") else s for s in path.split("/")]
    return "/".join(segments)


def flatten(value, key=""):
    """Nested parameters as the flat pairs that RPC sends."""
    if isinstance(value, dict):
        pairs = ((f"{key}.{name}" if key else name, inner) for name, inner in value.items())
    elif isinstance(value, list):
        pairs = ((f"{key}.{at}", inner) for at, inner in enumerate(value, 1))
    else:
        return {key: str(value).lower() if isinstance(value, bool) else str(value)}
    flat = {}
    for name, inner in pairs:
        flat.update(flatten(inner, name))
    return flat
