"""A static server of one folder, for the live page and the web book."""

import functools
import http.server
import ssl
from pathlib import Path


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Files of one folder, without a line for each."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
        ".onnx": "application/octet-stream",
    }

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *args):
        pass


def server(
    folder: str | Path, host: str = "127.0.0.1", port: int = 0, cert: Path | None = None
) -> http.server.ThreadingHTTPServer:
    """A server of the folder, ready for `serve_forever`; port 0 takes a free one.

    Args:
        cert: PEM file with a certificate and its key: then it speaks https, which a browser on
            another device asks for before it gives the camera.

    Raises:
        OSError: The port is taken.
        ValueError: The file is no certificate with its key.
    """
    handler = functools.partial(_Handler, directory=str(folder))
    found = http.server.ThreadingHTTPServer((host, port), handler)
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(cert)
        except (ssl.SSLError, OSError) as error:
            found.server_close()
            raise ValueError(f"{cert} is no certificate with its key in PEM: {error}") from error
        found.socket = context.wrap_socket(
            found.socket, server_side=True, do_handshake_on_connect=False
        )
    return found
