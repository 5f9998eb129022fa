"""Hooks: values, statuses and actions inside `@ft.component` functions.

Two objects for each value that a component uses. The component holds a `_Slot`: an
`ft.Observable`, which is how Flet lets others ask for a rendering. The store and the page hold
a `Use`, weak to the slot: a component that has left the page, or was collected, takes what
it watched with it, also where Flet runs no cleanup of an effect, as at the close of a session.

The tick is the UI actor's; rendering and pushing a component are Flet's.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast, overload

import flet as ft
from flet.components.utils import current_component  # public, and not in `ft`

from ..action import Action
from ..async_key import is_async
from ..async_selector import AsyncSelector
from ..atom import is_atom
from ..bound import BoundAction
from ..core.evaluate import refuse_in_selector, watch_rendering
from ..core.graph import Node
from ..core.turn import Watcher, here
from ..errors import ReadOnlyError
from ..key import Name, Readable, Writable, label
from ..reading import Async, Get
from ..receipt import Receipt
from ..selector import Selector, make_selector, name_of
from ..status import ActionStatus
from ..async_value import AsyncValue
