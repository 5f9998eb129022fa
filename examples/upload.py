"""Upload: a file goes to the server in parts; the bar shows how much has arrived, and it can be cancelled."""

import flet as ft

import flet_asp_actors as fa
from examples import api

PART = 64 * 1024


@fa.action(policy="droppable", expect=(api.ServerError,))
async def upload(get: fa.Get, set: fa.Set, name: str, data: bytes) -> None:
    for start in range(0, len(data), PART):
        set.progress(start / len(data), f"{name}: {start // 1024} of {len(data) // 1024} KB")
        place = {"name": name, "start": start}
        await api.ask("PUT", "/files", params=place, content=data[start : start + PART])


@fa.selector
def news(get: fa.Get) -> str:
    status = get(upload.status)
    ends = {"succeeded": "It has arrived", "failed": status.message, "cancelled": "Cancelled"}
    return ends.get(status.state, status.progress_text)


def upload_form(state: fa.StateManager) -> ft.Control:
    send = state.action(upload)

    def picked(event: ft.FilePickerResultEvent) -> None:
        for file in event.files:
            send(file.name, file.bytes or b"")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # Flet's field `bytes` hides its own type

    def busy(get: fa.Get) -> bool:
        return get(send.status).is_busy

    def arrived(get: fa.Get) -> float:
        status = get(send.status)
        return 1.0 if status.state == "succeeded" else status.progress or 0.0

    # The client opens the dialog: browsers allow that only in the moment of the click.
    pick = ft.PickFiles(ft.FilePicker(on_result=picked), with_data=True)
    buttons: list[ft.Control] = [
        state.bound(ft.FilledButton("Choose a file", action=pick), disabled=busy),
        state.bound(ft.OutlinedButton("Cancel", on_click=send.cancel), visible=busy),
    ]
    rows: list[ft.Control] = [
        ft.Text("Upload", size=30),
        ft.Row(buttons),
        state.bound(ft.ProgressBar(semantics_label="Arrived"), value=arrived),
        state.bound(ft.Text(), value=news, color=lambda get: ft.Colors.RED if get(send.status).error else None),
    ]
    return ft.Column(rows, tight=True, spacing=20)


def main(page: ft.Page) -> None:
    page.add(ft.Container(upload_form(fa.get_state_manager(page)), width=350, padding=14))


if __name__ == "__main__":
    ft.run(main)
