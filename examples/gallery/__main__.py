"""Serves the gallery on this machine, at PORT or 8550. Nothing comes from a CDN."""

import os
import socket
import sys
from types import FrameType

import uvicorn

from examples import api
from examples.gallery.server import gallery
from examples.server import app as slow_server

CLOSING = 3
"""Seconds that answers under way may take at the end: more than the slow server's need."""


class Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        slow_server.state.is_closing = True
        super().handle_exit(sig, frame)


port = int(os.environ.get("PORT", "8550"))
try:
    place = socket.create_server(("127.0.0.1", port))
except OSError as error:
    sys.exit(f"Port {port} cannot be had ({error.strerror}); PORT=8551 takes another one.")
url = f"http://127.0.0.1:{place.getsockname()[1]}"
api.URL = f"{url}/server"
config = uvicorn.Config(gallery(), log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=CLOSING)
print(f"The gallery is at {url} (Ctrl+C ends it)", flush=True)
try:
    Server(config).run([place])
except KeyboardInterrupt:
    pass  # it has ended in good order, and says then what for
