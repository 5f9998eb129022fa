"""The card of the benchmark: begin and cancel it, see how far it is, what came of it, and what it writes to."""

import flet as ft

import flet_asp_actors as fa
from examples.performance.benchmark import benchmark
from examples.performance.cards import card
from examples.performance.values import CELLS, MEASURES, NUMBER, SHARED, Measure, verdict


def panel(texts: list[ft.Text]) -> ft.Control:
    cells = ft.Row(list[ft.Control](texts), wrap=True, spacing=0, run_spacing=0)
    return ft.Container(cells, padding=8, border_radius=8, bgcolor=ft.Colors.SURFACE_CONTAINER_HIGHEST)


def benchmark_card(page: ft.Page, state: fa.StateManager) -> ft.Control:
    go = state.action(benchmark)

    def busy(get: fa.Get) -> bool:
        return get(go.status).is_busy

    def news(get: fa.Get) -> str:
        status = get(go.status)
        texts = {"running": status.progress_text, "cancelled": "Cancelled", "failed": status.message}
        return texts.get(status.state, get(verdict))

    def follow(cell: int) -> ft.Text:
        text = ft.Text(size=10, width=20)
        return state.bound(text, value=lambda get: f"{(get(NUMBER[cell]) // CELLS + get(SHARED)) % 100:02}")

    def build(row: fa.Row[Measure]) -> ft.Control:
        bold = ft.TextStyle(weight=ft.FontWeight.BOLD)
        return ft.Text(spans=[ft.TextSpan(row.value.name, bold), ft.TextSpan(f"\n{row.value}")])

    plain = [ft.Text("--", size=10, width=20) for _ in range(CELLS)]
    run = ft.FilledButton("Run benchmark", icon=ft.Icons.PLAY_ARROW, on_click=lambda: go(page, plain))
    cancel = ft.OutlinedButton("Cancel", on_click=go.cancel)
    results = ft.Column(spacing=8)
    state.bind_list(MEASURES, results, build)
    return card(
        "Benchmark",
        ft.Icons.SPEED,
        ft.Row([state.bound(run, disabled=busy), state.bound(cancel, visible=busy)]),
        state.bound(ft.ProgressBar(), value=lambda get: get(go.status).progress or 0),
        state.bound(ft.Text(), value=news),
        results,
        ft.Text("100 texts that are updated by hand", size=12),
        panel(plain),
        ft.Text("100 texts that are bound", size=12),
        panel([follow(cell) for cell in range(CELLS)]),
        ft.Text("The messages of the bar above are counted, too", size=12, color=ft.Colors.ON_SURFACE_VARIANT),
    )
