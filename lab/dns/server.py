"""The resolver on the wire: UDP and TCP, on sockets that the daemon opened where guests look for it."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterable

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from lab.dns.answer import Names, Question, answer, normal
from lab.dns.model import Record, Zone
from lab.dns.names import gather
from lab.network.model import State
from lab.settings import DEFAULT_REGION, Internet

log = logging.getLogger("lab.dns")

_PLAIN_UDP = 512  # bytes, for who does not speak EDNS
_EDNS_UDP = 1232
_TCP_TIMEOUT = 5.0  # seconds


class Resolver:
    """Answers every VPC and the simulated internet from one set of data; one thread serves all UDP sockets."""

    def __init__(self, internet: Internet, mirrors: Iterable[str], region: str = DEFAULT_REGION) -> None:
        self._internet = internet
        self._mirrors = tuple(mirrors)
        self._region = region
        self._known: tuple[tuple[Zone, ...], Names] = ((), gather(internet, self._mirrors, State(), region))
        self._selector = selectors.DefaultSelector()
        self._changes: list[Callable[[], None]] = []  # to the selector, made by its own thread
        self._lock = threading.Lock()
        self._wake, woken = socket.socketpair()
        self._selector.register(woken, selectors.EVENT_READ, lambda: self._change(woken))
        threading.Thread(target=self._loop, name="dns", daemon=True).start()

    def update(self, zones: Iterable[Zone], state: State) -> None:
        """Answer from these private zones and this network from now on, all at once."""
        self._known = (tuple(zones), gather(self._internet, self._mirrors, state, self._region))

    def serve(self, udp: socket.socket, tcp: socket.socket, vpc_id: str | None) -> Callable[[], None]:
        """Answer on these sockets as seen from ``vpc_id`` (None: from outside); returns what ends that.

        Both calls return at once, and may come from any thread. The sockets are closed by what is returned.
        """
        self._ask(lambda: self._register(udp, lambda: self._datagram(udp, vpc_id)))
        self._ask(lambda: self._register(tcp, lambda: self._accept(tcp, vpc_id)))

        def stop() -> None:
            gone = threading.Event()
            self._ask(lambda: self._forget(udp, tcp, gone))
            gone.wait(_TCP_TIMEOUT)

        return stop

    def reply(self, wire: bytes, vpc_id: str | None, size: int) -> bytes | None:
        """The answer to one message, cut to ``size`` bytes (0: as large as it needs); None for what is no question."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR:
            return None  # an answer: two resolvers would talk for ever
        response = dns.message.make_response(query, recursion_available=True, our_payload=_EDNS_UDP)
        if query.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
        elif len(query.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
        elif query.question[0].rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.REFUSED)
        else:
            self._fill(response, query.question[0], vpc_id)
        limit = min(size, max(_PLAIN_UDP, query.payload)) if size else 65535
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            cut = dns.message.make_response(query, recursion_available=True, our_payload=_EDNS_UDP)
            cut.flags |= dns.flags.TC
            return cut.to_wire()

    def _fill(self, response: dns.message.Message, asked: dns.rrset.RRset, vpc_id: str | None) -> None:
        zones, names = self._known
        question = Question(normal(asked.name.to_text()), dns.rdatatype.to_text(asked.rdtype))
        try:
            found = answer(question, zones, names, vpc_id)
            response.answer = [_rrset(record) for record in found.records]
            response.authority = [_rrset(record) for record in found.authority]
            response.set_rcode(dns.rcode.from_text(found.rcode))
        except (dns.exception.DNSException, ValueError):
            log.exception("No answer for %s", question)  # a record whose value is not of its type
            response.answer, response.authority = [], []
            response.set_rcode(dns.rcode.SERVFAIL)

    def _ask(self, change: Callable[[], None]) -> None:
        with self._lock:
            self._changes.append(change)
        self._wake.send(b".")

    def _change(self, woken: socket.socket) -> None:
        woken.recv(4096)
        with self._lock:
            changes, self._changes = self._changes, []
        for change in changes:
            change()

    def _register(self, sock: socket.socket, act: Callable[[], None]) -> None:
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, act)

    def _forget(self, udp: socket.socket, tcp: socket.socket, gone: threading.Event) -> None:
        for sock in (udp, tcp):
            with contextlib.suppress(KeyError):
                self._selector.unregister(sock)
            sock.close()
        gone.set()

    def _loop(self) -> None:
        while True:
            for key, _ in self._selector.select():
                try:
                    key.data()
                except Exception:  # one guest's odd message must not silence the others' resolver
                    log.exception("A question was not answered")

    def _datagram(self, udp: socket.socket, vpc_id: str | None) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            wire, sender = udp.recvfrom(65535)
            reply = self.reply(wire, vpc_id, _EDNS_UDP)
            if reply:
                udp.sendto(reply, sender)

    def _accept(self, tcp: socket.socket, vpc_id: str | None) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = tcp.accept()
            threading.Thread(target=self._stream, args=(connection, vpc_id), name="dns-tcp", daemon=True).start()

    def _stream(self, connection: socket.socket, vpc_id: str | None) -> None:
        connection.settimeout(_TCP_TIMEOUT)
        with connection, contextlib.suppress(OSError), connection.makefile("rwb") as stream:
            while len(head := stream.read(2)) == 2:
                reply = self.reply(stream.read(struct.unpack("!H", head)[0]), vpc_id, 0)
                if reply is None:
                    return
                stream.write(struct.pack("!H", len(reply)) + reply)
                stream.flush()


def _rrset(record: Record) -> dns.rrset.RRset:
    """The record for dnspython; as in Route 53, names in values are absolute with or without their dot."""
    return dns.rrset.from_text_list(
        f"{record.name.rstrip('.')}.",
        record.ttl,
        "IN",
        record.type,
        list(record.values),
        origin=dns.name.root,
        relativize=False,
    )
