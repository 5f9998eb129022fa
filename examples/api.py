"""What the examples know of their server: where it is, how to ask it, and what can go wrong."""

import json
import os
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx

URL = os.environ.get("EXAMPLES_SERVER", "http://127.0.0.1:8000")
"""Where `python -m examples.server` serves."""

TLS = ssl.create_default_context()  # takes its time, so there is one for all clients


class ServerError(Exception):
    """The server could not be reached, or did not do what it was asked. Its text is for people."""


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=URL, timeout=10, verify=TLS, trust_env=False)


@asynccontextmanager
async def request(method: str, path: str, **parts: Any) -> AsyncGenerator[httpx.Response, None]:
    """Ask the server, and read the answer bit by bit. Cancelling it ends the connection."""
    try:
        async with client() as http, http.stream(method, path, **parts) as response:
            if response.is_error:
                raise ServerError(f"The server says: {response.status_code} {response.reason_phrase}")
            yield response
    except httpx.ConnectError as error:
        raise ServerError("The server cannot be reached") from error
    except httpx.TimeoutException as error:
        raise ServerError("The server does not answer") from error
    except httpx.TransportError as error:
        raise ServerError("The connection was lost") from error


async def ask(method: str, path: str, **parts: Any) -> Any:
    """Ask the server, and return what its whole answer says."""
    async with request(method, path, **parts) as response:
        return json.loads(await response.aread() or "null")
