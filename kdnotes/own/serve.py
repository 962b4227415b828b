"""A page to make a scheme and to label pictures, and the small server that keeps them.

It listens on this machine alone. Whoever asks must know the token in the page's address, and no
other site may ask in a visitor's name: foreign Host and Origin headers are refused.
"""

import functools
import hmac
import http.server
import json
import secrets
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import numpy as np

from kdnotes.data import schemes
from kdnotes.own import pages, steps
from kdnotes.own.figure import describe, first_open, label_of, names_of
from kdnotes.own.labels import ChangedMeanwhile, Label, Labels, pictures_of
from kdnotes.own.making import begin_scheme, check_scheme
from kdnotes.own.project import Project
from kdnotes.plots.live.figure import literal
from kdnotes.system.files import write_json

#: A request is no longer than this many bytes.
LONGEST = 1_000_000


class Server(http.server.ThreadingHTTPServer):
    """The server of one project; `serve_forever` runs it.

    Without a scheme its page is one to make a scheme, then one to label. Each time the page is
    opened it takes the teacher that was trained last, and the order of the last proposals.

    Args:
        project: The pictures, and what is made of them.
        port: 0 takes a free one.

    Attributes:
        address: What a browser opens; it holds the token.
    """

    daemon_threads = True

    def __init__(self, project: Project, port: int = 0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.project, self.guess = project, None
        self.order = list(pictures_of(project.images))
        self.token = secrets.token_urlsafe(24)
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}
        self.address = f"http://127.0.0.1:{self.server_port}/?token={self.token}"

    @functools.cached_property
    def labels(self) -> Labels:
        """The table; its pictures are listed once."""
        return self.project.labels()

    def state(self, index: int) -> dict:
        """What the page shows of a picture, JSON values."""
        labels = self.labels
        values = describe(labels, self.order[index], self.guess)
        return values | {
            "index": index,
            "file": self.order[index],
            "n_complete": len(labels.complete()),
            "seen": values["seen"].cells(),
        }

    def page(self) -> str:
        """The page to label, open at the first picture that is not done; or to make a scheme."""
        if self.project.scheme_file.exists():
            scheme = self.labels.scheme
            problem = self._take_teacher()
            state = self.state(first_open(self.labels, self.order)) | {
                "names": names_of(scheme),
                "edges": scheme.edges,
                "n_pictures": len(self.order),
            }
            state["problem"] = state["problem"] or problem
            return self._page("labelling", state, "LABEL")
        return self._page("scheme", begin_scheme(pictures_of(self.project.images)), "SCHEME")

    def _take_teacher(self) -> str:
        """Takes the last teacher; returns why not where there is one that cannot be used."""
        try:
            if self.project.network("teacher").exists():
                self.guess = steps.guesser(self.project.teacher())
                self.order = steps.order(self.project)
        except (OSError, ValueError) as error:
            self.guess = None
            return f"nothing is guessed: {error}"
        return ""

    def _page(self, module, state, kind):
        model = f"new Remote({literal(state)}, {literal(self.token)}, {kind})"
        return pages.page(module, "remote", model, self.project.images.name)

    def save_label(self, asked: dict) -> tuple[dict, HTTPStatus]:
        """Saves what the page sends of a picture; returns the answer."""
        try:
            label = label_of(asked["points"], asked["hidden"], asked["guessed"])
            file, seen = asked["file"], _seen(asked["seen"])
            index = self.order.index(file)
        except (ValueError, KeyError, TypeError) as error:
            return {"problem": f"not understood: {error}"}, HTTPStatus.BAD_REQUEST
        try:
            self.labels.save(file, label, seen)
        except ChangedMeanwhile as changed:
            return self.state(index) | {"problem": str(changed)}, HTTPStatus.CONFLICT
        except OSError as error:
            return {"problem": str(error)}, HTTPStatus.INSUFFICIENT_STORAGE
        except ValueError as error:
            return {"problem": f"not saved: {error}"}, HTTPStatus.BAD_REQUEST
        n_complete = len(self.labels.complete())
        return {"seen": label.cells(), "problem": "", "n_complete": n_complete}, HTTPStatus.OK

    def save_scheme(self, asked: dict) -> tuple[dict, HTTPStatus]:
        """Saves the scheme that the page sends, and its points as the picture's label; returns the
        answer."""
        if self.project.scheme_file.exists():
            return {
                "problem": "there is a scheme by now; it stays",
                "reload": True,
            }, HTTPStatus.CONFLICT
        try:
            scheme = check_scheme(asked["scheme"])
            label = label_of(asked["points"], *np.zeros((2, scheme.n_points), bool))
            labels = Labels(self.project.folder / "labels.csv", self.project.images, scheme)
            seen = labels.get(asked["file"])
            write_json(self.project.scheme_file, schemes.to_json(scheme))
            if not seen.placed.any():
                labels.save(asked["file"], label, seen)
        except (ValueError, KeyError, TypeError) as error:
            return {"problem": f"not saved: {error}"}, HTTPStatus.BAD_REQUEST
        except OSError as error:
            return {"problem": str(error)}, HTTPStatus.INSUFFICIENT_STORAGE
        return {"problem": "", "reload": True}, HTTPStatus.OK


class _Handler(http.server.BaseHTTPRequestHandler):
    """`/`, `/picture?index=…`, `PUT /label` and `PUT /scheme`."""

    server: Server

    def do_GET(self):
        self._or_say(self._get)

    def do_PUT(self):
        self._or_say(self._put)

    def _or_say(self, act):
        """Answers with a sentence where something cannot be read."""
        try:
            act()
        except ConnectionError:  # the page was closed: nobody waits for an answer
            pass
        except (OSError, ValueError) as error:
            self._json({"problem": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _get(self):
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

    def _put(self):
        save = {"/label": self.server.save_label, "/scheme": self.server.save_scheme}
        if self.path not in save:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif self._allowed():
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LONGEST:
                self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                return
            try:
                asked = json.loads(self.rfile.read(int(length)))
            except ValueError:
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
            self._json(*save[self.path](asked))

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
