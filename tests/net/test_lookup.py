"""Host names as addresses: bounded in time, ended by an abort, and clear about addresses that must not be used."""

from __future__ import annotations

import _socket
import _thread
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from dcmsend.cli.names import OPTIONS
from dcmsend.errors import ConnectError, NameResolutionError
from dcmsend.model import AddressFamily
from dcmsend.net.stream import connect
from dcmsend.reasons import because
from dcmsend.stop import Stop

LIMIT = 20.0  # seconds that a test may wait


def refused(host: str, family: AddressFamily, *, timeout: float | None = None, stop: Stop | None = None) -> Any:
    with pytest.raises(NameResolutionError) as caught:
        connect(host, 104, family=family, timeout=timeout, stop=stop or Stop())
    return caught.value


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[int, Callable[[], list[Any]]]:
    """What is said of any name, by the kind of address; of what is not there, that there is none."""
    answers: dict[int, Callable[[], list[Any]]] = {}
    ask = _socket.getaddrinfo

    def getaddrinfo(host: str, port: int, family: int, kind: int, protocol: int = 0, flags: int = 0) -> Any:
        if flags:
            return ask(host, port, family, kind, protocol, flags)
        if family not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers[family]()

    monkeypatch.setattr(_socket, "getaddrinfo", getaddrinfo)
    return answers


@pytest.fixture
def silent(names: dict[int, Callable[[], list[Any]]]) -> Iterator[threading.Event]:
    """A name service that does not answer before the end of the test; set once it was asked."""
    asked, over = threading.Event(), threading.Event()

    def wait() -> list[Any]:
        asked.set()
        assert over.wait(LIMIT)
        return []

    names[socket.AF_INET] = wait
    yield asked
    over.set()


@pytest.mark.parametrize(
    ("host", "family", "code", "option"),
    [
        ("::1", AddressFamily.IPV4, "only_ipv6", "--ipv6"),
        ("fe80::1%lo", AddressFamily.IPV4, "only_ipv6", "--ipv6"),
        ("127.0.0.1", AddressFamily.IPV6, "only_ipv4", "--ipv4"),
    ],
)
def test_an_address_of_the_other_kind(host: str, family: AddressFamily, code: str, option: str) -> None:
    error = refused(host, family)
    assert error.why == because(code, host=host)
    assert option in error.hint_in(OPTIONS)
    assert not error.retryable


def test_a_name_that_has_addresses_of_the_other_kind_alone(names: dict[int, Callable[[], list[Any]]]) -> None:
    names[socket.AF_INET6] = lambda: [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 104, 0, 0))]
    assert refused("pacs", AddressFamily.IPV4).why == because("only_ipv6", host="pacs")


def test_a_name_that_nobody_knows(names: dict[int, Callable[[], list[Any]]]) -> None:
    error = refused("pacs", AddressFamily.IPV4)
    assert str(error) == "no IPv4 address found for host 'pacs': Name or service not known"
    assert not error.retryable


def test_when_nobody_can_be_asked_it_may_pass(names: dict[int, Callable[[], list[Any]]]) -> None:
    def later() -> list[Any]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    names[socket.AF_INET] = later
    error = refused("pacs", AddressFamily.IPV4)
    assert (error.why.code, error.retryable, error.why.passes) == ("host_unknown_now", True, True)


def test_a_silent_name_service_is_given_up_in_time(silent: threading.Event) -> None:
    error = refused("pacs", AddressFamily.IPV4, timeout=0.01)
    assert error.why == because("lookup_timeout", host="pacs", seconds="0.01")
    assert error.retryable
    assert "--timeout" in error.hint_in(OPTIONS)


def test_an_abort_ends_the_waiting(silent: threading.Event) -> None:
    stop = Stop()
    stop.busy.add(stop)  # so that it takes two

    def stop_twice() -> None:
        assert silent.wait(LIMIT)
        stop.request()
        stop.request()

    thread = threading.Thread(target=stop_twice)
    thread.start()
    assert refused("pacs", AddressFamily.IPV4, stop=stop).why == because("stopped")
    thread.join(LIMIT)
    assert not stop.wakers


def test_without_room_for_a_thread_it_is_asked_all_the_same(
    names: dict[int, Callable[[], list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("dcmsend.net.lookup.start_new_thread", none_left)
    assert refused("pacs", AddressFamily.IPV4).why.code == "host_unknown"


def test_an_address_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: pytest.fail("a thread"))
    monkeypatch.setattr("dcmsend.net.lookup.start_new_thread", lambda *_: pytest.fail("a thread"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        connect("127.0.0.1", port, family=AddressFamily.IPV4, timeout=None, stop=Stop()).close()


# --- sockets that there are not


class Sockets:
    """Makes sockets, but for those of some kinds, for which the system has an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, errors: dict[int, int]) -> None:
        made = _socket.socket

        def make(family: int, kind: int) -> socket.socket:
            if family in errors:
                raise OSError(errors[family], "words")
            return made(family, kind)  # type: ignore[return-value]

        monkeypatch.setattr("dcmsend.net.stream.socket.socket", make)


def test_without_sockets_for_the_first_address_the_second_is_tried(
    names: dict[int, Callable[[], list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        four = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        names[socket.AF_UNSPEC] = lambda: [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)), four]
        Sockets(monkeypatch, {socket.AF_INET6: errno.EAFNOSUPPORT})
        with closing(connect("pacs", port, family=AddressFamily.ANY, timeout=None, stop=Stop())) as connection:
            assert connection.getpeername() == ("127.0.0.1", port)


def test_a_refusal_says_more_than_a_kind_of_socket_that_is_not_there(
    names: dict[int, Callable[[], list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        four = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        names[socket.AF_UNSPEC] = lambda: [four, (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))]
        Sockets(monkeypatch, {socket.AF_INET6: errno.EAFNOSUPPORT})
        with pytest.raises(ConnectError) as caught:
            connect("pacs", port, family=AddressFamily.ANY, timeout=None, stop=Stop())
        assert caught.value.why.innermost.code == "connection_refused"
        assert "is the server up?" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EMFILE, "too_many_open_files"),
        (errno.ENFILE, "too_many_open_files"),
        (errno.ENOMEM, "no_memory"),
        (errno.ENOBUFS, "no_memory"),
        (errno.EAFNOSUPPORT, "no_address_family"),
        (errno.EACCES, "connection_forbidden"),
        (errno.EINVAL, "network_error"),
    ],
)
def test_a_socket_that_the_system_does_not_give_is_no_bare_error(
    number: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sockets(monkeypatch, {socket.AF_INET: number})
    with pytest.raises(ConnectError) as caught:
        connect("127.0.0.1", 104, family=AddressFamily.IPV4, timeout=None, stop=Stop())
    assert caught.value.why.innermost.code == code
    assert caught.value.hint
