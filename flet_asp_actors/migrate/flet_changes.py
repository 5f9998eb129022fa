"""Names, arguments and methods of Flet 0.28 that are called otherwise in Flet 1.x.

What is most used of it; a test compares it with the Flet that is installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = (
    "ARGUMENTS",
    "ASYNC_METHODS",
    "BUTTONS",
    "ELSEWHERE",
    "FUNCTION_MODULES",
    "NAMES",
    "PAGE_FIELDS",
    "PAGE_MEMBERS",
    "POSITIONS",
    "SESSION_MEMBERS",
    "changes",
)

BUTTONS = frozenset(
    {
        "Button",
        "ElevatedButton",
        "FilledButton",
        "FilledTonalButton",
        "FloatingActionButton",
        "OutlinedButton",
        "TextButton",
        "CupertinoActionSheetAction",
        "CupertinoButton",
        "CupertinoContextMenuAction",
        "CupertinoDialogAction",
        "CupertinoFilledButton",
        "PopupMenuItem",
    }
)
"""The controls whose `text` is their `content` now."""

NAMES: dict[str, str] = {
    "ElevatedButtonTheme": "ButtonTheme",
    "ImageFit": "BoxFit",
    "ShadowBlurStyle": "BlurStyle",
    "TabsTheme": "TabBarTheme",
    "ContainerTapEvent": "TapEvent",
    "WindowResizeEvent": "PageResizeEvent",
    "ReorderableDraggable": "ReorderableDragHandle",
    "WEB_BROWSER": "AppView.WEB_BROWSER",
    "FLET_APP": "AppView.FLET_APP",
    "FLET_APP_WEB": "AppView.FLET_APP_WEB",
    "FLET_APP_HIDDEN": "AppView.FLET_APP_HIDDEN",
    "app_async": "run_async",
}
"""A name of the module `flet`, and the one of the same meaning."""

_PACKAGES = {
    "flet_audio": "Audio AudioState",
    "flet_audio_recorder": "AudioEncoder AudioRecorder AudioRecorderState",
    "flet_charts": "BarChart BarChartGroup BarChartRod BarChartRodStackItem ChartAxis ChartAxisLabel ChartGridLines "
    "LineChart LineChartData LineChartDataPoint PieChart PieChartSection",
    "flet_flashlight": "Flashlight",
    "flet_geolocator": "Geolocator GeolocatorPosition GeolocatorPositionAccuracy",
    "flet_lottie": "Lottie",
    "flet_permission_handler": "PermissionHandler PermissionStatus PermissionType",
    "flet_rive": "Rive",
    "flet_video": "PlaylistMode Video VideoConfiguration VideoMedia VideoSubtitleConfiguration",
    "flet_webview": "WebView",
}
ELSEWHERE: dict[str, str] = {name: package for package, names in _PACKAGES.items() for name in names.split()}
"""A name that has moved to a package of its own."""

FUNCTION_MODULES: dict[str, tuple[str, frozenset[str]]] = {
    "border": ("Border", frozenset({"all", "only", "symmetric"})),
    "border_radius": ("BorderRadius", frozenset({"all", "horizontal", "only", "vertical"})),
    "margin": ("Margin", frozenset({"all", "only", "symmetric"})),
    "padding": ("Padding", frozenset({"all", "only", "symmetric"})),
    "alignment": (
        "Alignment",
        frozenset(
            {
                "bottom_center",
                "bottom_left",
                "bottom_right",
                "center",
                "center_left",
                "center_right",
                "top_center",
                "top_left",
                "top_right",
            }
        ),
    ),
}
"""A module of Flet, the class that has its functions now, and their names."""

_FIELD = {
    "counter_text": "counter",
    "error_text": "error",
    "helper_text": "helper",
    "prefix_text": "prefix",
    "suffix_text": "suffix",
}
ARGUMENTS: dict[str, dict[str, str]] = {
    "Badge": {"text": "label"},
    "BottomSheet": {"enable_drag": "draggable", "is_scroll_controlled": "scrollable"},
    "Card": {"color": "bgcolor", "is_semantic_container": "semantic_container"},
    "Checkbox": {"is_error": "error"},
    "Chip": {"click_elevation": "elevation_on_click", "label_style": "label_text_style"},
    "Column": {"on_scroll_interval": "scroll_interval"},
    "DataRow": {"on_select_changed": "on_select_change"},
    "DatePicker": {"date_picker_entry_mode": "entry_mode"},
    "Dropdown": {"on_change": "on_select", "select_icon": "trailing_icon"},
    "DropdownM2": _FIELD,
    "ExpansionTile": {"initially_expanded": "expanded"},
    "GridView": {"on_scroll_interval": "scroll_interval"},
    "Icon": {"name": "icon"},
    "Image": {"src_base64": "src"},
    "ListView": {"on_scroll_interval": "scroll_interval"},
    "NavigationRailDestination": {"label_content": "label"},
    "Row": {"on_scroll_interval": "scroll_interval"},
    "Switch": {"label_style": "label_text_style"},
    "Tab": {"text": "label"},
    "TextField": _FIELD,
    "TimePicker": {"time_picker_entry_mode": "entry_mode"},
    "View": {"on_scroll_interval": "scroll_interval"},
    **{button: {"text": "content"} for button in BUTTONS},
}
"""By control: an argument, which is a property too, and what it is called now."""


class Order(NamedTuple):
    """The first arguments of a control, where they come in another order now."""

    names: tuple[str, ...]
    """In their old order."""
    was: str
    """What the first one was: text, number, flag, list or other."""
    is_now: frozenset[str]
    """What says that the call is in the new order already."""


POSITIONS: dict[str, Order] = {
    "AlertDialog": Order(
        ("modal", "title", "content", "actions"), "flag", frozenset({"list", "number", "other", "text"})
    ),
    "Divider": Order(("height", "thickness", "color", "leading_indent"), "number", frozenset({"text"})),
    "NavigationBarDestination": Order(
        ("label", "icon", "selected_icon"), "text", frozenset({"flag", "list", "number", "other"})
    ),
    "Semantics": Order(("content", "label"), "other", frozenset({"text"})),
    "Switch": Order(("label", "label_position"), "text", frozenset({"flag"})),
    "View": Order(("route", "controls", "appbar", "bottom_appbar"), "text", frozenset({"list"})),
}
"""By control: the order of its first arguments."""

PAGE_MEMBERS: dict[str, str] = {
    "browser_context_menu": "ft.BrowserContextMenu()",
    "can_launch_url": "await ft.UrlLauncher().can_launch_url(url)",
    "client_storage": "ft.SharedPreferences(), whose get and set are awaited",
    "close_in_app_web_view": "await ft.UrlLauncher().close_in_app_web_view()",
    "get_clipboard": "await ft.Clipboard().get()",
    "launch_url": "await ft.UrlLauncher().launch_url(url)",
    "on_resized": "page.on_resize",
    "session_id": "page.session.id",
    "set_clipboard": "await ft.Clipboard().set(text)",
}
"""A member of the page that is gone, and what does its work."""

SESSION_MEMBERS = frozenset({"clear", "contains_key", "get", "get_keys", "remove", "set"})
"""Methods of a page's session that its store has now."""

PAGE_FIELDS = frozenset({"badge", "key", "parent", "services", "test", "tooltip", "wasm", "pyodide"})
"""Fields that a page did not have: an attribute of the app's own by this name is one no more."""

ASYNC_METHODS: dict[str, frozenset[str]] = {
    "focus": frozenset(
        {
            "Button",
            "CupertinoTextField",
            "Dropdown",
            "DropdownM2",
            "ElevatedButton",
            "FilledButton",
            "FilledTonalButton",
            "IconButton",
            "OutlinedButton",
            "SearchBar",
            "TextButton",
            "TextField",
        }
    ),
    "scroll_to": frozenset({"Column", "GridView", "ListView", "Page", "ReorderableListView", "Row", "View"}),
    "get_directory_path": frozenset({"FilePicker"}),
    "pick_files": frozenset({"FilePicker"}),
    "save_file": frozenset({"FilePicker"}),
    "upload": frozenset({"FilePicker"}),
    "heavy_impact": frozenset({"HapticFeedback"}),
    "light_impact": frozenset({"HapticFeedback"}),
    "medium_impact": frozenset({"HapticFeedback"}),
    "vibrate": frozenset({"HapticFeedback"}),
    "login": frozenset({"Page"}),
    "open_view": frozenset({"SearchBar"}),
    "close_view": frozenset({"SearchBar"}),
    "center": frozenset({"Window"}),
    "close": frozenset({"Window"}),
    "destroy": frozenset({"Window"}),
    "start_dragging": frozenset({"Window"}),
    "to_front": frozenset({"Window"}),
}
"""A method that is a coroutine function now, and the controls that have it."""


def changes() -> str:
    """What is called otherwise, as a table of the guide."""
    rows = ["| Flet 0.28 | Flet 1.x |", "|---|---|"]
    rows.extend(f"| `ft.{old}` | `ft.{new}` |" for old, new in sorted(NAMES.items()))
    packages = sorted(set(ELSEWHERE.values()))
    for package in packages:
        names = ", ".join(f"`{name}`" for name, home in ELSEWHERE.items() if home == package)
        rows.append(f"| {names} | the package `{package.replace('_', '-')}` |")
    for control in sorted(set(ARGUMENTS) - BUTTONS):
        pairs = ARGUMENTS[control].items()
        rows.append(f"| `{control}`: {_listed(old for old, _ in pairs)} | {_listed(new for _, new in pairs)} |")
    rows.append(f"| `text` of {_listed(sorted(BUTTONS - {'Button', 'ElevatedButton'}))} | `content` |")
    rows.extend(f"| `{name}` by position: {_listed(order.names)} | by name |" for name, order in POSITIONS.items())
    rows.extend(f"| `page.{old}` | `{new}` |" for old, new in sorted(PAGE_MEMBERS.items()))
    rows.append(f"| `page.session`: {_listed(sorted(SESSION_MEMBERS))} | the same of `page.session.store` |")
    rows.extend(f"| `{name}()` of {_listed(sorted(of))} | `await` it |" for name, of in sorted(ASYNC_METHODS.items()))
    return "\n".join(rows) + "\n"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
