"""The server that the examples talk to, slow and moody: `python -m examples.server`; the gallery has it built in."""

import asyncio
import json
import os
import random
from collections.abc import AsyncGenerator

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

JOBS = {"Alice": "Designs bridges", "Bob": "Bakes bread", "Carol": "Flies gliders"}
MOOD = float(os.environ.get("EXAMPLES_MOOD", "0.3"))  # how often it refuses
CITIES = "Athens Berlin Bern Bergen Dublin Geneva Lisbon London Madrid Oslo Paris Porto Prague Rome Vienna Zurich"

app = FastAPI()
app.state.is_closing = False
"""Whoever ends the server says so here, since an answer that goes on and on would keep it."""


async def think(seconds: float, mood: int) -> None:
    await asyncio.sleep(seconds)
    if random.random() < MOOD:
        raise HTTPException(mood)


@app.get("/profiles/{name}")
async def profile(name: str) -> dict[str, str]:
    await asyncio.sleep(random.uniform(0.3, 2))
    return {"name": name, "job": JOBS[name]}


@app.get("/cities")
async def cities(q: str) -> list[str]:
    await think(0.3, mood=503)
    return [city for city in CITIES.split(" ") if q.lower() in city.lower()]


@app.put("/tasks")
async def save_task() -> None:
    await think(1, mood=500)


@app.put("/files")
async def save_part() -> None:
    await asyncio.sleep(0.2)


@app.get("/prices")
async def prices() -> StreamingResponse:
    async def lines() -> AsyncGenerator[str, None]:
        now = {"Apples": 2.5, "Bananas": 1.8, "Cherries": 7.0}
        for _ in range(40):  # then the line breaks
            if app.state.is_closing:
                break
            change = {name: random.uniform(-0.1, 0.1) for name in now}
            now = {name: now[name] + change[name] for name in now}
            yield json.dumps({name: (now[name], change[name]) for name in now}) + "\n"
            await asyncio.sleep(0.5)

    return StreamingResponse(lines())


if __name__ == "__main__":
    uvicorn.run(app)
