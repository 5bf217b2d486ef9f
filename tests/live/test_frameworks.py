"""
Programs written with frameworks, behind C{twistd netlab-http}: Django, Flask and Starlette.
"""

from __future__ import annotations

import asyncio
import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from tests.live.conftest import StartServer
from tests.live.processes import PATIENCE_SECONDS, Server

STARLETTE = """
import asyncio
import contextlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles


@contextlib.asynccontextmanager
async def lifespan(app):
    print("starlette starts", flush=True)
    yield {"greeting": "hello"}
    print("starlette stops", flush=True)


async def greet(request):
    task = BackgroundTask(print, "a background task has run", flush=True)
    return JSONResponse(
        {"state": request.state.greeting, "url": str(request.url), "host": request.client.host},
        background=task,
    )


async def upload(request):
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return PlainTextResponse(str(size))


async def stream(request):
    async def pieces():
        for number in range(5):
            await asyncio.sleep(0)
            yield f"{number}\\n"
    return StreamingResponse(pieces(), media_type="text/plain")


async def endless(request):
    async def pieces():
        try:
            while True:
                await asyncio.sleep(0.001)
                yield "x" * 1000
        finally:
            print("the stream is closed", flush=True)
    return StreamingResponse(pieces())


async def fail(request):
    async with asyncio.timeout(5):
        raise ZeroDivisionError


async def shout(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())
    print("the websocket has ended", flush=True)


class AddsField(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["X-Middleware"] = "was here"
        return response


app = Starlette(
    routes=[
        Route("/greet", greet),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
        Route("/endless", endless),
        Route("/fail", fail),
        Route("/file", lambda request: FileResponse("starlette_program.py")),
        WebSocketRoute("/shout", shout),
        Mount("/files", StaticFiles(directory=".")),
    ],
    middleware=[Middleware(AddsField)],
    lifespan=lifespan,
)
"""

FLASK = """
from flask import Flask, Response, request, send_file

app = Flask(__name__)


@app.get("/greet/<name>")
def greet(name):
    return {"name": name, "address": request.remote_addr}


@app.post("/upload")
def upload():
    return str(sum(len(file.read()) for file in request.files.values()))


@app.post("/content")
def content():
    return str(len(request.get_data()))


@app.get("/stream")
def stream():
    return Response((f"{number}\\n" for number in range(5)), mimetype="text/plain")


@app.get("/file")
def file():
    return send_file("flask_program.py")


@app.get("/fail")
def fail():
    raise ZeroDivisionError
"""

DJANGO = """
import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not secret",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)


def greet(request, name):
    return JsonResponse({"name": name, "path": request.path, "scheme": request.scheme})


@csrf_exempt
def upload(request):
    return HttpResponse(str(len(request.body)))


async def later(request):
    return HttpResponse("later")


def stream(request):
    return StreamingHttpResponse(f"{number}\\n" for number in range(5))


def file(request):
    return FileResponse(open("django_program.py", "rb"))


urlpatterns = [
    path("greet/<str:name>/", greet),
    path("upload", upload),
    path("later", later),
    path("stream", stream),
    path("file", file),
]

application = get_asgi_application()
wsgi = get_wsgi_application()
"""


def ask(
    server: Server, method: str, path: str, content: Any = None, **fields: str
) -> tuple[int, dict[str, str], bytes]:
    """
    Ask on a connection of its own.
    """
    client = HTTPConnection(server.host, server.port, timeout=PATIENCE_SECONDS)
    try:
        client.request(method, path, content, fields)
        answer = client.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, named, answer.read()
    finally:
        client.close()


async def content_of(
    server: Server, path: str, content: Any = None, method: str | None = None, **fields: str
) -> bytes:
    """
    Ask, and expect content.
    """
    asked = method or ("GET" if content is None else "POST")
    status, _, received = await deferToThread(ask, server, asked, path, content, **fields)
    assert status == 200, received
    return received


async def test_starlette(tmp_path: Path, twistd: StartServer) -> None:
    """
    Starlette, and so FastAPI, which stands on it: lifespan, state, middleware, content, streams,
    files, background tasks, clients that go, WebSockets.
    """
    pytest.importorskip("starlette", reason="starlette is not installed")
    (tmp_path / "starlette_program.py").write_text(STARLETTE)
    server = await twistd("netlab-http", "--asgi", "starlette_program:app")
    status, fields, content = await deferToThread(ask, server, "GET", "/greet?a=b")
    url = f"http://{server.host}:{server.port}/greet?a=b"
    assert json.loads(content) == {"state": "hello", "url": url, "host": "127.0.0.1"}
    assert (status, fields["x-middleware"]) == (200, "was here")
    await server.line("a background task has run")
    assert await content_of(server, "/upload", b"z" * 500_000) == b"500000"
    chunks = (b"z" * 1000 for _ in range(100))
    assert await content_of(server, "/upload", chunks) == b"100000"
    assert await content_of(server, "/stream") == b"0\n1\n2\n3\n4\n"
    for path in ("/file", "/files/starlette_program.py"):
        assert await content_of(server, path) == STARLETTE.encode()
    status, fields, content = await deferToThread(ask, server, "HEAD", "/file")
    assert (int(fields["content-length"]), content) == (len(STARLETTE.encode()), b"")
    assert (await deferToThread(ask, server, "GET", "/fail"))[0] == 500
    assert (await deferToThread(ask, server, "GET", "/nowhere"))[0] == 404

    def read_some() -> None:
        client = HTTPConnection(server.host, server.port, timeout=PATIENCE_SECONDS)
        client.request("GET", "/endless")
        client.getresponse().read(10_000)
        client.close()

    await deferToThread(read_some)
    await server.line("the stream is closed")
    websockets = pytest.importorskip("websockets", reason="websockets is not installed")

    async def talk() -> list[str]:
        url = f"ws://{server.host}:{server.port}/shout"
        async with websockets.connect(url) as websocket:
            await websocket.send("hello")
            await websocket.send("x" * 100_000)
            return [await websocket.recv(), await websocket.recv()]

    heard = await deferToThread(asyncio.run, talk())
    assert heard == ["HELLO", "X" * 100_000]
    await server.line("the websocket has ended")
    await server.stop()
    assert any("starlette stops" in line for line in server.lines)


async def test_flask(tmp_path: Path, twistd: StartServer) -> None:
    """
    Flask: routes, uploads, streams, files, faults.
    """
    pytest.importorskip("flask", reason="flask is not installed")
    (tmp_path / "flask_program.py").write_text(FLASK)
    server = await twistd("netlab-http", "--wsgi", "flask_program:app")
    known = json.loads(await content_of(server, "/greet/J%C3%BCrgen%20B"))
    assert known == {"name": "Jürgen B", "address": "127.0.0.1"}
    boundary = "xyz"
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'.encode()
        + b"z" * 300_000
        + f"\r\n--{boundary}--\r\n".encode()
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert await content_of(server, "/upload", form, **kind) == b"300000"
    assert await content_of(server, "/content", b"z" * 300_000) == b"300000"
    assert await content_of(server, "/stream") == b"0\n1\n2\n3\n4\n"
    assert await content_of(server, "/file") == FLASK.encode()
    assert (await deferToThread(ask, server, "GET", "/fail"))[0] == 500
    assert (await deferToThread(ask, server, "POST", "/stream"))[0] == 405


@pytest.mark.parametrize("option", ["--asgi", "--wsgi"])
async def test_django(option: str, tmp_path: Path, twistd: StartServer) -> None:
    """
    Django by either protocol: routes, content, streams, files.
    """
    pytest.importorskip("django", reason="django is not installed")
    (tmp_path / "django_program.py").write_text(DJANGO)
    name = "application" if option == "--asgi" else "wsgi"
    server = await twistd("netlab-http", option, f"django_program:{name}")
    known = json.loads(await content_of(server, "/greet/a%20b/"))
    assert known == {"name": "a b", "path": "/greet/a b/", "scheme": "http"}
    assert (await deferToThread(ask, server, "GET", "/nowhere/"))[0] == 404
    assert await content_of(server, "/upload", b"z" * 300_000) == b"300000"
    assert await content_of(server, "/later") == b"later"
    assert await content_of(server, "/stream") == b"0\n1\n2\n3\n4\n"
    assert await content_of(server, "/file") == DJANGO.encode()
