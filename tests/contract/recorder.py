"""A loopback server that records requests, and passes them on or answers them itself."""

import http.client
import http.server
import threading
import urllib.parse

# Headers of one connection only.
HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


class Recorded:
    """One request as it stood on the wire, and the answer's body."""

    def __init__(self, method, target, headers, body):
        path, _, query = target.partition("?")
        self.method, self.path, self.target = method, path, target
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body
        self.status = None
        self.answer = b""

    def form(self):
        """The parameters of a form body."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form"):
            return {}
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))

    def merged(self):
        """Query and form as one, as the cloud takes them."""
        return {**self.query, **self.form()}


class Recorder:
    """Listens on loopback; `upstream` is where requests go on to, None answers `{}`."""

    def __init__(self, upstream=None):
        self.recorded = []
        lock = threading.Lock()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Small answers are sent at once.
            disable_nagle_algorithm = True

            def exchange(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                one = Recorded(self.command, self.path, self.headers.items(), body)
                if upstream is None:
                    one.status, headers, one.answer = 200, [], b'{"RequestId": "recorded"}'
                else:
                    one.status, headers, one.answer = pass_on(upstream, one)
                if not one.path.startswith("/sandbox/"):
                    with lock:
                        recorder.recorded.append(one)
                self.send_response_only(one.status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(one.answer)))
                self.end_headers()
                self.wfile.write(one.answer)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = exchange

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.authority = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def pass_on(upstream, one):
    """Sends a request on as it came: the host header is signed, so it stays too."""
    connection = http.client.HTTPConnection(upstream)
    connection.putrequest(one.method, one.target, skip_host=True, skip_accept_encoding=True)
    for name, value in one.headers.items():
        if name not in HOP:
            connection.putheader(name, value)
    if one.body or one.method in ("POST", "PUT"):
        connection.putheader("content-length", str(len(one.body)))
    connection.endheaders(one.body)
    answer = connection.getresponse()
    body = answer.read()
    headers = [(n, v) for n, v in answer.getheaders() if n.lower() not in HOP]
    connection.close()
    return answer.status, headers, body
