"""Both carriers against servers that say any bytes: one typed error, nothing sent twice, nothing left open."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gen_toolkit.alias import Alias
from gen_toolkit.errors import BadReply, ModelError, ModelOverloaded, ModelRefused, ModelUnreachable, SettingError
from gen_toolkit.loop import run_sync
from gen_toolkit.messages.piece import Piece
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.openai import OpenAIProvider

Serve = Callable[..., Any]
KEY = "sk-test-0123456789abcdef"
ASKED = Request(messages=({"role": "user", "content": "hi"},), alias="fast", model="m")
BODY = json.dumps({"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}).encode()
BEGIN = b'data: {"choices": [{"delta": {"content": "hel"}}]}\n\n'
END = b'data: {"choices": [{"delta": {"content": "lo"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    given = {"content-type": "application/json", "content-length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def chunked(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def then_close(data: bytes = b"") -> Callable[[socket.socket], None]:
    def say(stream: socket.socket) -> None:
        stream.sendall(data)
        stream.shutdown(socket.SHUT_RDWR)

    return say


def then_reset(data: bytes = b"") -> Callable[[socket.socket], None]:
    def say(stream: socket.socket) -> None:
        stream.sendall(data)
        time.sleep(0.05)  # so that what was sent has arrived
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    return say


@pytest.fixture(autouse=True)
def _nothing_is_left_to_the_event_loop(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No task whose error nobody heard, no connection that was forgotten."""
    yield
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@pytest.fixture(params=["fast", "sdk"])
def provider(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., OpenAIProvider]]:
    monkeypatch.setenv("THE_KEY", KEY)
    made = []

    def make(port: int, **settings: Any) -> OpenAIProvider:
        given = {"model": "m", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": "env:THE_KEY", **settings}
        made.append(OpenAIProvider("fast", Alias(transport=request.param, **given), None))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for provider in made:
        run_sync(provider.close())


Make = Callable[..., OpenAIProvider]


def ask(provider: OpenAIProvider) -> Reply:
    return run_sync(asyncio.wait_for(provider.send(ASKED), 20))


async def read(provider: OpenAIProvider, most: int = 10**9) -> list[Piece]:
    found = []
    async with contextlib.aclosing(provider.stream(ASKED)) as pieces:
        async for piece in pieces:
            found.append(piece)
            if len(found) >= most:
                break
    return found


def stream(provider: OpenAIProvider, most: int = 10**9) -> list[Piece]:
    return run_sync(asyncio.wait_for(read(provider, most), 20))


def failed(kind: type[ModelError], provider: OpenAIProvider, ask: Callable[[OpenAIProvider], Any] = ask) -> Any:
    with pytest.raises(ModelError) as caught:
        ask(provider)
    assert type(caught.value) is kind, repr(caught.value)
    assert KEY not in f"{caught.value!r} {caught.value.data}"
    assert "\n" not in str(caught.value)
    return caught.value


NO_ANSWER: dict[str, tuple[Any, type[ModelError]]] = {
    "closed before the answer": (then_close(), ModelUnreachable),
    "reset before the answer": (then_reset(), ModelUnreachable),
    "closed inside the headers": (then_close(b"HTTP/1.1 200 OK\r\ncontent-ty"), ModelUnreachable),
    "closed inside the body": (then_close(http(BODY, content_length="9999")), ModelUnreachable),
    "reset inside the body": (then_reset(http(BODY, content_length="9999")), ModelUnreachable),
    "closed inside a chunk": (then_close(chunked(BODY, end=b"ff\r\nx")), ModelUnreachable),
    "closed without the last chunk": (then_close(chunked(BODY, end=b"")), ModelUnreachable),
    "not HTTP": (then_close(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), BadReply),
    "a status that is none": (then_close(b"HTTP/1.1 abc OK\r\n\r\n"), BadReply),
    "a chunk size that is none": (then_close(chunked(end=b"xyz\r\n")), BadReply),
    "a line of headers of 2 MB": (then_close(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 2_000_000 + b"\r\n\r\n"), BadReply),
    "100,000 headers": (then_close(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000 + b"\r\n"), BadReply),
    "two lengths": (then_close(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc"), BadReply),
    "an unknown encoding": (http(BODY, content_encoding="br"), BadReply),
    "bytes that are no gzip": (http(BODY, content_encoding="gzip"), BadReply),
    "half a gzip": (http(gzip.compress(BODY)[:-12], content_encoding="gzip"), ModelUnreachable),
    "an empty body": (http(), BadReply),
    "no content": (http(status="204 No Content", content_length="", content_type=""), BadReply),
    "events where none were asked for": (chunked(BEGIN, END), BadReply),
}


@pytest.mark.parametrize(("answer", "kind"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_bytes_that_are_no_answer_are_one_typed_error_and_the_request_is_sent_once(
    serve: Serve, provider: Make, answer: Any, kind: type[ModelError]
) -> None:
    server = serve(answer)
    error = failed(kind, provider(server.port))
    assert error.billed is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("packed", [True, False], ids=["a gzip bomb", "an endless body"])
@pytest.mark.parametrize("status", ["200 OK", "500 No"])
def test_memory_is_bounded_whatever_the_status(
    serve: Serve, provider: Make, monkeypatch: pytest.MonkeyPatch, packed: bool, status: str
) -> None:
    monkeypatch.setattr("gen_toolkit.models.openai.MOST_TEXT", 2**20)
    sent = 0

    def endless(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(http(status=status, content_length="", transfer_encoding="chunked"))
        while True:
            connection.sendall(b"10000\r\n" + bytes(2**16) + b"\r\n")
            sent += 2**16

    bomb = http(gzip.compress(bytes(2**26)), status, content_encoding="gzip")
    server = serve(bomb if packed else endless)
    failed(BadReply if status == "200 OK" else ModelOverloaded, provider(server.port))
    assert packed or server.hung_up.wait(5)
    assert sent < 2**25  # what the sockets' own buffers take


@pytest.mark.parametrize("asked", [ask, stream], ids=["whole", "streamed"])
@pytest.mark.parametrize("body", [b"<html>", b'{"choices": 3, "x": "'], ids=["a page", "JSON"])
def test_an_error_does_not_hold_on_to_the_answer(serve: Serve, provider: Make, asked: Any, body: bytes) -> None:
    """A thousand errors are kept by an evaluation whose server is a web page."""
    server = serve(http(body + b"x" * 2**20 + b'"}'))
    error = failed(BadReply, provider(server.port), asked)
    held = []
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        held += [
            value for frame in frames for value in frame.f_locals.values() if isinstance(value, bytes | str | dict)
        ]
        error = error.__context__
    assert max(map(len, map(str, held)), default=0) < 2**19


def test_a_packed_answer_is_an_answer(serve: Serve, provider: Make) -> None:
    server = serve(http(gzip.compress(BODY), content_encoding="gzip"))
    assert ask(provider(server.port)).text == "hello"
    assert b"accept-encoding: gzip, deflate\r\n" in server.requests[0].lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed_and_the_key_goes_nowhere(serve: Serve, provider: Make, status: str) -> None:
    other = serve(http(BODY))
    target = f"http://127.0.0.1:{other.port}/v1/chat/completions"
    for asked in (ask, stream):
        server = serve(http(status=status, location=target))
        error = failed(ModelRefused, provider(server.port), asked)
        assert (error.reason, error.billed) == ("redirect", False)
        assert f"127.0.0.1:{other.port}" in error.message
    assert other.connections == 0


def test_a_large_request_arrives_whole(serve: Serve, provider: Make) -> None:
    server = serve(http(BODY))
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:," + "x" * 3_000_000}}]}
    run_sync(provider(server.port).send(Request(messages=(picture,), alias="fast", model="m")))
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2])["messages"] == [picture]


def test_a_refusal_that_comes_before_the_request_is_read_is_that_refusal(serve: Serve, provider: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            connection.sendall(http(b'{"error": "too much"}', "413 Too Large"))
            time.sleep(0.3)
            connection.close()

        threading.Thread(target=refuse, daemon=True).start()
        picture = {"role": "user", "content": "x" * 30_000_000}
        asked = Request(messages=(picture,), alias="fast", model="m")
        asker = provider(listening.getsockname()[1])
        with pytest.raises(ModelError) as caught:
            run_sync(asyncio.wait_for(asker.send(asked), 10))
    if asker._alias.transport == "fast":  # the other writes to the end before it reads, and meets a closed connection
        assert (type(caught.value), caught.value.data["status"], caught.value.billed) == (ModelRefused, 413, False)


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("http://[::1]:{}/v1", b"host: [::1]:"),
        ("http://localhost:{}/v1/schön", b"post /v1/sch%c3%b6n/chat/completions "),
    ],
)
def test_addresses_of_every_kind_are_reached(
    serve: Serve, provider: Make, monkeypatch: pytest.MonkeyPatch, address: str, asked: bytes
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "::1,localhost")
    server = serve(http(BODY), address="::1" if "::1" in address else "127.0.0.1")
    assert ask(provider(0, base_url=address.format(server.port))).text == "hello"
    assert asked in server.requests[0].lower()


def test_headers_are_the_aliases_and_references_are_read_when_they_are_used(
    serve: Serve, provider: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(http(BODY))
    monkeypatch.setenv("TENANT", "tenant-secret-1")
    monkeypatch.setenv("OPENAI_ORG_ID", "ambient")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "ambient")
    asker = provider(server.port, headers={"X-Tenant": "env:TENANT", "X-Plain": "as it is", "User-Agent": "mine"})
    ask(asker)
    monkeypatch.setenv("TENANT", "tenant-secret-2")
    ask(asker)
    first, second = (request.lower() for request in server.requests)
    assert b"x-tenant: tenant-secret-1\r\n" in first
    assert b"x-tenant: tenant-secret-2\r\n" in second
    assert b"x-plain: as it is\r\n" in first
    assert b"user-agent: mine\r\n" in first
    assert first.count(b"\r\nauthorization: ") == 1
    assert f"\r\nauthorization: bearer {KEY}\r\n".encode() in first
    assert b"ambient" not in first
    assert first.count(b"\r\ncontent-type: application/json\r\n") == 1


def test_what_a_header_refers_to_is_masked_from_then_on(
    serve: Serve, provider: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT", "tenant-secret-9")
    server = serve(http(b'{"error": "not for tenant-secret-9"}', "400 No"))
    error = failed(ModelRefused, provider(server.port, headers={"X-Tenant": "env:TENANT"}))
    assert "tenant-secret-9" not in f"{error} {error.to_json()}"
    assert "not for [secret]" in error.message


def test_a_key_that_is_sent_back_stands_in_no_log(
    serve: Serve, provider: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server = serve(http(KEY.encode(), f"401 {KEY}", x_key=KEY, www_authenticate=f"Bearer {KEY}"))
    failed(ModelRefused, provider(server.port))
    assert KEY not in caplog.text
    assert all(KEY not in str(record.args) for record in caplog.records)
    caplog.clear()


@pytest.mark.parametrize("headers", [{"X-A": "one\r\nX-B: two"}, {"X A": "x"}, {"X-A": "ä"}, {"X-A:": "x"}])
def test_a_header_that_cannot_be_sent_is_refused_before_anything_is(serve: Serve, provider: Make, headers: Any) -> None:
    server = serve(http(BODY))
    with pytest.raises(SettingError, match="fast"):
        ask(provider(server.port, headers=headers))
    assert server.connections == 0


def test_an_authorization_of_ones_own_needs_no_key(serve: Serve, provider: Make) -> None:
    server = serve(http(BODY))
    ask(provider(server.port, headers={"Authorization": "Basic eA=="}, api_key=None))
    assert b"\r\nauthorization: basic ea==\r\n" in server.requests[0].lower()
    assert server.requests[0].lower().count(b"\r\nauthorization:") == 1


def test_an_address_keeps_its_query_and_holds_no_password(serve: Serve, provider: Make) -> None:
    server = serve(http(BODY))
    ask(provider(server.port, base_url=f"http://127.0.0.1:{server.port}/v1/?tier=a%20b"))
    assert server.requests[0].startswith(b"POST /v1/chat/completions?tier=a%20b HTTP/1.1\r\n")
    with pytest.raises(SettingError, match="user name or a password"):
        provider(server.port, base_url=f"http://user:pass@127.0.0.1:{server.port}/v1")


# connections


def test_connections_are_kept_and_used_again_also_after_a_refusal_and_a_stream(serve: Serve, provider: Make) -> None:
    server = serve(http(BODY), http(b"{}", "429 No"), chunked(BEGIN, END), http(BODY))
    asker = provider(server.port)
    assert ask(asker).text == "hello"
    failed(ModelOverloaded, asker)
    assert stream(asker)[-1].reply is not None
    assert ask(asker).text == "hello"
    assert (len(server.requests), server.connections) == (4, 1)


def test_a_hundred_and_fifty_are_in_flight_at_once(serve: Serve, provider: Make) -> None:
    all_there = threading.Barrier(150, timeout=20)

    def together(connection: socket.socket) -> None:
        all_there.wait()
        connection.sendall(http(BODY))

    server = serve(together)
    asker = provider(server.port)

    async def all_at_once() -> list[Reply]:
        return await asyncio.gather(*(asker.send(ASKED) for _ in range(150)))

    assert [reply.text for reply in run_sync(asyncio.wait_for(all_at_once(), 30))] == ["hello"] * 150


def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request(serve: Serve, provider: Make) -> None:
    """A server that answers twice must not answer somebody else's question."""
    told = threading.Event()

    def twice(connection: socket.socket) -> None:
        connection.sendall(http(BODY))
        time.sleep(0.1)
        with contextlib.suppress(OSError):
            connection.sendall(http(BODY.replace(b"hello", b"WRONG")))
        told.set()

    server = serve(twice, http(BODY.replace(b"hello", b"right")))
    asker = provider(server.port)
    assert ask(asker).text == "hello"
    assert told.wait(5)
    time.sleep(0.1)
    assert ask(asker).text == "right"


def test_a_connection_that_is_closed_while_idle_is_not_used(serve: Serve, provider: Make) -> None:
    server = serve(then_close(http(BODY)), http(BODY))
    asker = provider(server.port)
    assert ask(asker).text == "hello"
    time.sleep(0.1)
    assert ask(asker).text == "hello"
    assert (len(server.requests), server.connections) == (2, 2)


def test_a_connection_that_is_closed_as_it_is_used_again_may_have_brought_the_request(
    serve: Serve, provider: Make
) -> None:
    server = serve(http(BODY), then_close(), http(BODY))
    asker = provider(server.port)
    ask(asker)
    error = failed(ModelUnreachable, asker)
    assert (error.billed, error.retryable, len(server.requests)) == (None, True, 2)


def hanging(*parts: bytes) -> Callable[[socket.socket], None]:
    """Says a beginning, and goes on for as long as somebody listens."""

    def say(connection: socket.socket) -> None:
        connection.sendall(chunked(*parts, end=b""))
        while True:
            connection.sendall(b"8\r\n: ping\n\n\r\n")
            time.sleep(0.02)

    return say


def test_a_stream_that_breaks_the_rules_and_stays_open_is_not_waited_for(serve: Serve, provider: Make) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(chunked(BEGIN, end=b""))
        time.sleep(0.1)
        connection.sendall(b"zz\r\n")

    server = serve(say)
    asker = provider(server.port)
    with pytest.raises(ModelError) as caught:
        stream(asker)
    assert isinstance(caught.value, BadReply | ModelUnreachable)
    assert caught.value.billed is None
    assert server.hung_up.wait(5)


def test_a_stream_that_is_left_closes_its_connection(serve: Serve, provider: Make) -> None:
    server = serve(hanging(BEGIN))
    assert [piece.text for piece in stream(provider(server.port), most=1)] == ["hel"]
    assert server.hung_up.wait(5)


@pytest.mark.parametrize("ask", [ask, stream], ids=["whole", "streamed"])
def test_what_is_cancelled_closes_its_connection(serve: Serve, provider: Make, ask: Any) -> None:
    server = serve(hanging(BEGIN))
    asker = provider(server.port)

    async def cancelled() -> None:
        task = asyncio.ensure_future(asker.send(ASKED) if ask is not stream else read(asker))
        while not server.requests:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # until the answer has begun
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run_sync(cancelled())
    assert server.hung_up.wait(5)


def test_what_is_cancelled_before_an_answer_closes_its_connection(serve: Serve, provider: Make) -> None:
    asked = threading.Event()

    def silent(_: socket.socket) -> None:
        asked.set()

    server = serve(silent)
    asker = provider(server.port)

    async def cancelled() -> None:
        task = asyncio.ensure_future(asker.send(ASKED))
        await asyncio.to_thread(asked.wait, 5)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run_sync(cancelled())
    assert server.hung_up.wait(5)


def test_what_fails_closes_its_connection(serve: Serve, provider: Make) -> None:
    server = serve(http(b"x" * 2**20, "400 No", content_length=str(2**30)))
    failed(ModelRefused, provider(server.port))
    assert server.hung_up.wait(5)


def test_a_stream_that_was_whole_is_an_answer_though_its_line_is_held_open(
    serve: Serve, provider: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen_toolkit.models.openai._REST_SECONDS", 0.1)
    server = serve(hanging(BEGIN, END.partition(b"data: [DONE]")[0]))
    last = stream(provider(server.port))[-1]
    assert last.reply is not None
    assert (last.reply.text, last.reply.finish_reason) == ("hello", "stop")
    assert server.hung_up.wait(5)


STREAMS: dict[str, tuple[Any, type[ModelError]]] = {
    "cut between events": (then_close(chunked(BEGIN, end=b"")), ModelUnreachable),
    "reset between events": (then_reset(chunked(BEGIN, end=b"")), ModelUnreachable),
    "cut inside an event": (then_close(chunked(BEGIN, b'data: {"choi', end=b"")), ModelUnreachable),
    "ended without an end": (chunked(BEGIN), ModelUnreachable),
    "ended inside an event": (chunked(BEGIN, b'data: {"choi'), ModelUnreachable),
    "without a length": (
        then_close(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + BEGIN),
        ModelUnreachable,
    ),
    "empty": (chunked(), ModelUnreachable),
    "only its end": (chunked(b"data: [DONE]\n\n"), BadReply),
    "malformed": (chunked(BEGIN, b"data: {broken\n\n"), BadReply),
    "not UTF-8": (chunked(BEGIN, b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'), BadReply),
    "an error": (chunked(BEGIN, b'data: {"error": {"message": "overloaded", "code": 503}}\n\n'), ModelOverloaded),
    "an event of 9 MB": (chunked(BEGIN, b"data: " + b"x" * 9_000_000), BadReply),
    "a web page": (http(b"<html>", content_type="text/html"), BadReply),
}


@pytest.mark.parametrize(("answer", "kind"), STREAMS.values(), ids=STREAMS)
def test_a_stream_that_is_no_answer_is_one_typed_error(
    serve: Serve, provider: Make, answer: Any, kind: type[ModelError]
) -> None:
    server = serve(answer)
    error = failed(kind, provider(server.port), stream)
    assert (error.billed, len(server.requests)) == (None, 1)


# no connection, TLS, proxies


def test_nothing_there_is_surely_not_billed(provider: Make) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = failed(ModelUnreachable, provider(free.getsockname()[1]))
    assert (error.billed, error.retryable) == (False, True)


def test_a_name_that_nobody_knows_is_surely_not_billed(provider: Make) -> None:
    error = failed(ModelUnreachable, provider(0, base_url="http://no-such-host.invalid/v1"))
    assert (error.billed, error.retryable) == (False, True)


def test_a_server_that_takes_no_connection_is_waited_for_within_bounds(
    provider: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("fast", "sdk"):
        monkeypatch.setattr(f"gen_toolkit.models.transport.{kind}.CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        error = failed(ModelUnreachable, provider(port))
        for one in waiting:
            one.close()
    assert (error.billed, error.retryable) == (False, True)


def test_a_certificate_that_proves_nothing_is_not_tried_again(serve: Serve, provider: Make, certificate: Any) -> None:
    server = serve(http(BODY), tls=certificate.server)
    error = failed(ModelUnreachable, provider(server.port, base_url=f"https://127.0.0.1:{server.port}/v1"))
    assert (error.billed, error.retryable) == (False, False)
    assert "SSL_CERT_FILE" in error.fix
    assert server.requests == []


def test_a_server_that_speaks_no_tls_is_surely_not_billed(serve: Serve, provider: Make) -> None:
    server = serve(http(BODY))
    error = failed(ModelUnreachable, provider(server.port, base_url=f"https://127.0.0.1:{server.port}/v1"))
    assert error.billed is False


def test_a_companys_own_certificate_is_trusted_where_it_is_named(
    serve: Serve, provider: Make, certificate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    server = serve(http(BODY), tls=certificate.server)
    assert ask(provider(server.port, base_url=f"https://localhost:{server.port}/v1")).text == "hello"


def test_a_certificate_file_that_is_not_there_is_named(provider: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(SettingError, match=r"/nowhere/ca\.pem"):
        ask(provider(1, base_url="https://127.0.0.1:1/v1"))


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def set_proxy(address: str) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", address)
        monkeypatch.setenv("HTTPS_PROXY", address)

    return set_proxy


def test_a_proxy_is_used_with_its_password_which_is_masked(serve: Serve, provider: Make, through: Any) -> None:
    proxy = serve(http(BODY), http(b"who is user:pass%20word-1?", "400 No"))
    through(f"http://user:pass%20word-1@127.0.0.1:{proxy.port}")
    asker = provider(0, base_url="http://model.invalid/v1")
    assert ask(asker).text == "hello"
    assert proxy.requests[0].startswith(b"POST http://model.invalid/v1/chat/completions HTTP/1.1\r\n")
    assert b"\r\nproxy-authorization: basic dxnlcjpwyxnzihdvcmqtmq==\r\n" in proxy.requests[0].lower()
    assert "word-1" not in failed(ModelRefused, asker).message


def test_no_proxy_names_who_is_reached_without(serve: Serve, provider: Make, through: Any, monkeypatch: Any) -> None:
    proxy, server = serve(http(BODY)), serve(http(BODY))
    through(f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert ask(provider(server.port)).text == "hello"
    assert (proxy.connections, server.connections) == (0, 1)


def tunnel(port: int) -> Callable[[socket.socket], None]:
    """What a proxy does after CONNECT."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def say(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy, args=(server, connection), daemon=True)
            back.start()
            copy(connection, server)
            back.join(5)

    return say


def test_tls_goes_through_a_tunnel(
    serve: Serve, provider: Make, through: Any, certificate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    server = serve(http(BODY), tls=certificate.server)
    proxy = serve(tunnel(server.port))
    through(f"http://127.0.0.1:{proxy.port}")
    assert ask(provider(0, base_url="https://localhost:4443/v1")).text == "hello"
    assert proxy.requests[0].startswith(b"CONNECT localhost:4443 HTTP/1.1\r\n")
    assert KEY.encode() not in proxy.requests[0]


@pytest.mark.parametrize(
    ("status", "kind", "again"),
    [("407 Who", ModelRefused, False), ("403 No", ModelRefused, False), ("502 Bad", ModelUnreachable, True)],
)
def test_a_proxy_that_lets_nothing_through_is_named_and_nothing_was_billed(
    serve: Serve, provider: Make, through: Any, status: str, kind: type[ModelError], again: bool
) -> None:
    proxy = serve(http(b"no", status))
    through(f"http://127.0.0.1:{proxy.port}")
    error = failed(kind, provider(0, base_url="https://model.invalid/v1"))
    assert (error.billed, error.retryable) == (False, again)
    assert "proxy" in error.message


def test_a_proxy_that_is_not_there_is_surely_not_billed(provider: Make, through: Any) -> None:
    through("http://127.0.0.1:9")
    assert failed(ModelUnreachable, provider(0, base_url="http://model.invalid/v1")).billed is False


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://", "http://x:0"])
def test_a_proxy_that_cannot_be_used_is_a_setting(provider: Make, through: Any, proxy: str) -> None:
    through(proxy)
    with pytest.raises(SettingError, match="proxy"):
        ask(provider(0, base_url="http://model.invalid/v1"))
