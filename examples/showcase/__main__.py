"""`python -m examples.showcase`."""

import flet as ft

from examples.showcase.main import main

ft.run(main)
