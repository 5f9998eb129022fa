"""`python -m examples.showcase`: the showcase in a browser on this machine, with its server; nothing from a CDN."""

import os
import socket
import threading

import flet as ft
import uvicorn

from examples import api
from examples.server import app
from examples.showcase.main import main

place = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
threading.Thread(target=server.run, args=([place],), daemon=True).start()
api.URL = f"http://127.0.0.1:{place.getsockname()[1]}"

port = int(os.environ.get("PORT", "8550"))
print(f"The showcase is at http://127.0.0.1:{port} (Ctrl+C ends it)", flush=True)
ft.run(main, view=ft.AppView.WEB_BROWSER, host="127.0.0.1", port=port, no_cdn=True)
