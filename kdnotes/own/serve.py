"""A page to label pictures with, and the small server that keeps its labels.

It listens on this machine alone. Whoever asks must know the token in the page's address, and no
other site may ask in a visitor's name: foreign Host and Origin headers are refused.
"""

import hmac
import html
import http.server
import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from kdnotes.own.figure import describe, label_of, names_of
from kdnotes.own.labels import ChangedMeanwhile, Label, Labels
from kdnotes.plots.live.figure import bundle_as_script, literal

#: A request for a label is no longer than this many bytes.
LONGEST = 1_000_000

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Label: {title}</title>
<link rel="icon" href="data:,">
<style>:root {{ color-scheme: light dark; }} body {{ margin: 8px; }}</style>
</head>
<body>
<div id="labelling"></div>
<script type="module">
{script}
const el = document.getElementById("labelling");
el.model = new Remote({state}, {token});
render({{ model: el.model, el }});
</script>
</body>
</html>
"""


class Server(http.server.ThreadingHTTPServer):
    """The server of one table of labels; `serve_forever` runs it.

    Args:
        labels: The table and its pictures.
        guess: As `figure.Labelling` takes it.
        order: Names of the pictures in the order in which they are shown.
        port: 0 takes a free one.

    Attributes:
        address: What a browser opens; it holds the token.
    """

    daemon_threads = True

    def __init__(
        self,
        labels: Labels,
        guess: Callable | None = None,
        order: list[str] | None = None,
        port: int = 0,
    ):
        super().__init__(("127.0.0.1", port), _Handler)
        self.labels, self.guess = labels, guess
        self.order = labels.files if order is None else order
        self.token = secrets.token_urlsafe(24)
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}
        self.address = f"http://127.0.0.1:{self.server_port}/?token={self.token}"

    def state(self, index: int) -> dict:
        """What the page shows of a picture, JSON values."""
        values = describe(self.labels, self.order[index], self.guess)
        return values | {
            "index": index,
            "file": self.order[index],
            "n_complete": len(self.labels.complete()),
            "seen": values["seen"].cells(),
        }

    def page(self) -> str:
        """The page, open at the first picture that is not done."""
        done = set(self.labels.complete())
        still_open = (i for i, file in enumerate(self.order) if file not in done)
        scheme = self.labels.scheme
        state = self.state(next(still_open, 0)) | {
            "names": names_of(scheme),
            "edges": scheme.edges,
            "n_pictures": len(self.order),
        }
        script = bundle_as_script("labelling")
        script += (Path(__file__).parent / "remote.js").read_text("utf-8").replace("export ", "")
        title = html.escape(self.labels.images.name)
        return _PAGE.format(
            title=title, script=script, state=literal(state), token=literal(self.token)
        )


class _Handler(http.server.BaseHTTPRequestHandler):
    """`/`, `/picture?index=…` and `PUT /label`."""

    server: Server

    def do_GET(self):
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if parts.path == "/" and self._allowed(query.get("token", [""])[0]):
            self._answer(self.server.page().encode(), "text/html; charset=utf-8")
        elif parts.path == "/picture" and self._allowed():
            index = query.get("index", [""])[0]
            if not index.isdecimal() or int(index) >= len(self.server.order):
                self._refuse(HTTPStatus.NOT_FOUND)
            else:
                self._json(self.server.state(int(index)))
        elif parts.path not in ("/", "/picture"):
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_PUT(self):
        if self.path != "/label":
            self._refuse(HTTPStatus.NOT_FOUND)
        elif self._allowed():
            try:
                length = int(self.headers.get("Content-Length", ""))
                if not 0 < length <= LONGEST:
                    raise ValueError(f"a label of {length} bytes")
                asked = json.loads(self.rfile.read(length))
                label = label_of(asked["points"], asked["hidden"], asked["guessed"])
                file, seen = asked["file"], _seen(asked["seen"])
                index = self.server.order.index(file)
            except (ValueError, KeyError, TypeError) as error:
                self._json({"problem": f"not understood: {error}"}, HTTPStatus.BAD_REQUEST)
                return
            self._save(index, file, label, seen)

    def _save(self, index, file, label, seen):
        labels = self.server.labels
        try:
            labels.save(file, label, seen)
        except ChangedMeanwhile as changed:
            state = self.server.state(index) | {"problem": str(changed)}
            self._json(state, HTTPStatus.CONFLICT)
        except (OSError, ValueError) as error:
            self._json({"problem": str(error)}, HTTPStatus.INSUFFICIENT_STORAGE)
        else:
            n_complete = len(labels.complete())
            self._json({"seen": label.cells(), "problem": "", "n_complete": n_complete})

    def _allowed(self, token=None):
        """Whether the request comes from the page; if not, it is answered here."""
        if token is None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        origin = self.headers.get("Origin")
        known = self.headers.get("Host") in self.server.hosts
        known = known and (origin is None or urlsplit(origin).netloc in self.server.hosts)
        if known and hmac.compare_digest(token.encode(), self.server.token.encode()):
            return True
        self._refuse(HTTPStatus.FORBIDDEN)
        return False

    def _json(self, value, status=HTTPStatus.OK):
        self._answer(json.dumps(value).encode(), "application/json", status)

    def _refuse(self, status):
        self._answer(status.phrase.encode(), "text/plain; charset=utf-8", status)

    def _answer(self, content, kind, status=HTTPStatus.OK):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


def _seen(cells):
    """The label that a page has read, from its cells."""
    *words, hidden = cells
    points = [float(word) if word else None for word in words]
    pairs = [None if None in pair else pair for pair in zip(points[::2], points[1::2], strict=True)]
    n = len(pairs)
    flags = [str(i) in hidden.split() for i in range(n)]
    label = label_of(pairs, flags, [False] * n)
    return Label(label.points, label.hidden)
