"""What goes wrong outside must not go wrong inside: malformed BGP, configurations, control lines.

Each test ends by asking the daemon something: it must be up and answer, and then go down in order.
Built with sanitizers, a daemon with a report does not (a leak is one), so the test fails.
"""
import ctypes
import os
import random
import socket
import struct
import unittest

from interop import generator, lab, routers
from interop.test_full_table import ROUTES

MARKER = b"\xff" * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE = 1, 2, 3, 4
PEER_AS = 65002


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def open_message(asn=PEER_AS, version=4, hold=90, router_id=0x0a010002):
    capabilities = b"\x41\x04" + struct.pack("!I", asn) + b"\x01\x04\x00\x01\x00\x01"
    options = b"\x02" + bytes([len(capabilities)]) + capabilities
    return message(OPEN, struct.pack("!BHHIB", version, asn, hold, router_id, len(options))
                   + options)


def attribute(flags, code, value):
    return bytes([flags, code, len(value)]) + value


GOOD = (attribute(0x40, 1, b"\0") + attribute(0x40, 2, b"\x02\x01" + struct.pack("!I", PEER_AS))
        + attribute(0x40, 3, bytes([10, 1, 0, 2])))
NLRI = b"\x18\xc6\x33\x64"  # 198.51.100.0/24


def update(attributes, nlri=NLRI, withdrawn=b""):
    return message(UPDATE, struct.pack("!H", len(withdrawn)) + withdrawn
                   + struct.pack("!H", len(attributes)) + attributes + nlri)


class RawPeer:
    """BGP by hand, from the namespace of a node."""

    def __init__(self, node, to):
        self.socket = socket_in(node, to)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, seconds=10):
        """(type, body) of the next message; (None, b"") at the end of the connection."""
        self.socket.settimeout(seconds)
        while len(self.buffer) < 19 or len(self.buffer) < self.length():
            try:
                some = self.socket.recv(65536)
            except ConnectionResetError:
                some = b""
            if not some:
                return None, b""
            self.buffer += some
        length = self.length()
        found = self.buffer[18], self.buffer[19:length]
        self.buffer = self.buffer[length:]
        return found

    def length(self):
        return struct.unpack("!H", self.buffer[16:18])[0]

    def expect(self, kind):
        while True:
            got, body = self.receive()
            if got == kind or got is None:
                return got, body

    def establish(self):
        self.send(open_message())
        if self.expect(OPEN)[0] != OPEN:
            raise AssertionError("no OPEN")
        self.send(message(KEEPALIVE))
        if self.expect(KEEPALIVE)[0] != KEEPALIVE:
            raise AssertionError("no KEEPALIVE")


def socket_in(node, to):
    """A TCP connection made inside of a namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    clone_newnet = 0x40000000
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open("/run/netns/" + node.namespace, os.O_RDONLY)
    try:
        if libc.setns(other, clone_newnet) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        return lab.wait_for("connection to " + to[0], lambda: connect(to), 20, 0.3)
    finally:
        libc.setns(own, clone_newnet)
        os.close(own)
        os.close(other)


def connect(to):
    try:
        return socket.create_connection(to, 5)
    except OSError:
        return None


class Base(unittest.TestCase):
    def setUp(self):
        here = lab.Lab()
        here.__enter__()
        self.addCleanup(here.__exit__, None, None, None)
        self.left, self.right = here.node("tern"), here.node("raw")
        here.link(self.left, self.right, 1)

    def daemon(self, extra="", routes=()):
        daemon = routers.Tern(self.left, 65001, "10.1.0.1", [], routes, extra=extra)
        daemon.start()
        self.addCleanup(self.assert_goes_down, daemon)
        return daemon

    def assert_up(self, daemon):
        self.assertIsNone(daemon.process.poll(), daemon.node.output("ternd"))
        code, lines = daemon.ask("show status")
        self.assertEqual((code, lines[-1]), (13, "Daemon is up and running"))

    def assert_goes_down(self, daemon):
        daemon.ask("down")
        self.assertEqual(daemon.process.wait(60), 0, daemon.node.output("ternd"))


@lab.needs("tern")
class MalformedBgp(Base):
    NEIGHBOR = ("protocol bgp raw { local as 65001; neighbor 10.1.0.2 as 65002; passive;"
                " error wait time 1, 1; ipv4 { import all; export none; }; }")

    def raw_peer(self):
        peer = RawPeer(self.right, ("10.1.0.1", 179))
        self.addCleanup(peer.socket.close)
        return peer

    def refused(self, data, code, subcode, established=False):
        daemon = self.daemon(self.NEIGHBOR)
        peer = self.raw_peer()
        if established:
            peer.establish()
        peer.send(data)
        kind, body = peer.expect(NOTIFICATION)
        self.assertEqual((kind, tuple(body[:2])), (NOTIFICATION, (code, subcode)))
        self.assert_up(daemon)

    def test_bad_marker_is_not_synchronized(self):  # RFC 4271 section 6.1
        self.refused(b"\0" * 16 + struct.pack("!HB", 19, KEEPALIVE), 1, 1)

    def test_bad_length_is_refused(self):  # RFC 4271 section 6.1
        self.refused(MARKER + struct.pack("!HB", 18, KEEPALIVE), 1, 2)

    def test_unknown_type_is_refused(self):  # RFC 4271 section 6.1
        self.refused(message(77), 1, 3)

    def test_bad_version_is_refused(self):  # RFC 4271 section 6.2
        self.refused(open_message(version=3), 2, 1)

    def test_wrong_as_is_refused(self):  # RFC 4271 section 6.2
        self.refused(open_message(asn=65009), 2, 2)

    def test_bad_identifier_is_refused(self):  # RFC 4271 section 6.2, RFC 6286
        self.refused(open_message(router_id=0), 2, 3)

    def test_hold_time_of_one_second_is_refused(self):  # RFC 4271 section 6.2
        self.refused(open_message(hold=1), 2, 6)

    def test_overlong_attributes_end_the_session(self):  # RFC 4271 section 6.3
        self.refused(message(UPDATE, b"\0\0\xff\xff"), 3, 1, established=True)

    def malformed_attribute(self, attributes):
        """RFC 7606: the routes are withdrawn, the session stays."""
        daemon = self.daemon(self.NEIGHBOR)
        peer = self.raw_peer()
        peer.establish()
        peer.send(update(GOOD))
        lab.wait_for("the good route", lambda: daemon.count(4) == 1)
        peer.send(update(attributes))
        lab.wait_for("its withdrawal", lambda: daemon.count(4) == 0)
        peer.send(update(GOOD))
        lab.wait_for("the good route again", lambda: daemon.count(4) == 1)
        self.assert_up(daemon)

    def test_bad_origin_withdraws(self):  # RFC 7606 section 7.1
        self.malformed_attribute(attribute(0x40, 1, b"\x09") + GOOD[4:])

    def test_bad_path_segment_withdraws(self):  # RFC 7606 section 7.2
        self.malformed_attribute(GOOD[:4] + attribute(0x40, 2, b"\x02\x09\0\0") + GOOD[13:])

    def test_missing_next_hop_withdraws(self):  # RFC 7606 section 3
        self.malformed_attribute(GOOD[:13])

    def test_odd_community_length_withdraws(self):  # RFC 7606 section 7.8
        self.malformed_attribute(GOOD + attribute(0xc0, 8, b"\0\1\0"))

    def test_a_silent_connection_gives_way_to_the_next(self):  # RFC 4271 section 6.8
        daemon = self.daemon(self.NEIGHBOR)
        silent = self.raw_peer()
        self.assertEqual(silent.expect(OPEN)[0], OPEN)
        self.raw_peer().establish()
        kind, body = silent.expect(NOTIFICATION)
        self.assertEqual((kind, tuple(body[:2])), (NOTIFICATION, (6, 7)))
        self.assert_up(daemon)

    def test_random_bytes_do_no_harm(self):
        rng = random.Random(1)
        daemon = self.daemon(self.NEIGHBOR)
        for _ in range(20):
            peer = self.raw_peer()
            try:
                peer.send(open_message() + message(KEEPALIVE))
                peer.send(message(UPDATE, rng.randbytes(rng.randrange(200))))
                peer.send(rng.randbytes(500))
            except OSError:
                pass
            peer.socket.close()
        self.assert_up(daemon)


@lab.needs("tern")
class BadConfiguration(Base):
    def test_an_error_in_an_included_file_names_it_and_changes_nothing(self):
        daemon = self.daemon('include "part.conf";\n') if self.part("") else None
        self.part("protocol static broken {\n  ipv4;\n  route 10.0.0.0/99 blackhole;\n}\n")
        code, lines = daemon.ask("configure")
        self.assertEqual(code, 8002)
        self.assertRegex(lines[-1], r"part\.conf:3:\d+ ")
        code, _ = daemon.ask("configure check")
        self.assertEqual(code, 8002)
        self.part("")
        self.assertIn(daemon.ask("configure")[0], (3, 4))
        self.assert_up(daemon)

    def part(self, text):
        return self.left.write("part.conf", text)

    def test_a_missing_file_is_said(self):
        daemon = self.daemon()
        code, lines = daemon.ask('configure "/nonexistent.conf"')
        self.assertEqual(code, 8002)
        self.assertIn("No such file or directory", lines[-1])
        self.assert_up(daemon)


@lab.needs("tern")
class BadControlClients(Base):
    def control(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(60)
        self.addCleanup(client.close)
        client.connect(self.left.path("ctl"))
        self.assertTrue(client.recv(100).startswith(b"0001 BIRD"))
        return client

    def test_garbage_gets_a_parse_error(self):
        daemon = self.daemon()
        client = self.control()
        client.sendall(bytes(b for b in range(256) if b != 10) + b"\n")
        self.assertTrue(client.recv(1000).startswith(b"9001 "))
        self.assert_up(daemon)

    def test_a_megabyte_without_line_feed_is_too_long_and_the_session_stays(self):
        daemon = self.daemon()
        client = self.control()
        client.sendall(b"x" * (1 << 20))
        self.assertEqual(client.recv(1000), b"9000 Command too long\n")
        client.sendall(b"\nshow status\n")
        self.assertTrue(client.recv(1000).startswith(b"1000-BIRD"))
        self.assert_up(daemon)

    def test_clients_that_leave_in_the_middle_of_a_full_table_cost_nothing(self):
        daemon = self.with_full_table()
        before = self.descriptors()
        for number in range(50):
            client = self.control()
            client.sendall(b"show route all\n")
            client.recv(1 + number * 997)
            client.close()
        lab.wait_for("their descriptors", lambda: self.descriptors() <= before)
        self.assert_up(daemon)

    def test_a_client_that_does_not_read_stops_nobody(self):
        daemon = self.with_full_table()
        lazy = self.control()
        lazy.sendall(b"show route all\n" * 20)
        self.assert_up(daemon)
        self.assertEqual(daemon.count(4), ROUTES)
        lazy.close()

    def with_full_table(self):
        daemon = self.daemon(routes=generator.table(ROUTES))
        lab.wait_for("the routes", lambda: daemon.count(4) == ROUTES, 120)
        return daemon

    def descriptors(self):
        with open(self.left.path("pid")) as text:
            return len(os.listdir("/proc/%d/fd" % int(text.read())))


if __name__ == "__main__":
    unittest.main()
