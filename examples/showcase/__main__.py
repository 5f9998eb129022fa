"""`python -m examples.showcase`: the showcase in a browser on this machine, nothing from a CDN."""

import os

import flet as ft

from examples.showcase.main import main

port = int(os.environ.get("PORT", "8550"))
print(f"The showcase is at http://127.0.0.1:{port} (Ctrl+C ends it)", flush=True)
ft.run(main, view=ft.AppView.WEB_BROWSER, host="127.0.0.1", port=port, no_cdn=True)
