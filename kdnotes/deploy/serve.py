"""A static server of one folder, for the live page and the web book."""

import functools
import http.server
import ssl
from pathlib import Path


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the files of one folder without logging requests."""

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
    """A server of the folder, ready for `serve_forever`.

    Args:
        folder: What is served.
        host: The address to listen on. 0.0.0.0 is open to the network.
        port: The port to listen on. 0 takes a free one.
        cert: PEM file with a certificate and its key. With it the server speaks https, which a
            browser on another device requires before it gives access to the camera.

    Raises:
        OSError: The port is taken.
        ValueError: The file is not a certificate with its key.
    """
    handler = functools.partial(_Handler, directory=str(folder))
    running = http.server.ThreadingHTTPServer((host, port), handler)
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(cert)
        except OSError as error:  # an SSLError is one, too
            running.server_close()
            raise ValueError(f"{cert} is no certificate with its key in PEM: {error}") from error
        running.socket = context.wrap_socket(
            running.socket, server_side=True, do_handshake_on_connect=False
        )
    return running
