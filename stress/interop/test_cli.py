"""Clients of the control socket that leave in the middle: AT-CLI-1 to AT-CLI-3 with the commands the daemon
has.

The commands come from the daemon itself (`show commands`): each has its forms below, or a reason why
not. TERN_CLI_CLIENTS is the number of clients for each form, 10000 for the whole test; TERN_CLI_SEED
repeats a run. No network and no root are needed: two BGP protocols of the one daemon are each
other's neighbour on the loopback interface.
"""
import contextlib
import heapq
import json
import os
import random
import re
import resource
import select
import signal
import socket
import time
import unittest

from interop import lab, routers

CLIENTS = int(os.environ.get("TERN_CLI_CLIENTS", "100"))
SEED = int(os.environ.get("TERN_CLI_SEED", str(random.randrange(1 << 32))))
ROUTES = 100000
# Small enough for a configuration that is read at each `configure`.
FEW_ROUTES = 1000
# How many clients there are at the same time, and how long each stays at most.
AT_ONCE = 32
STAY_S = 0.005

LOOKING = {
    "show route": [
        "show route", "show route all", "json show route all", "show route table all all",
        "show route count", "show route table all count", "show route stats", "show route primary",
        "show route filtered all", "show route filtered table learnt4 count",
        "show route where net.len = 30 count", "show route filter ours all",
        "show route filter { accept; } count", "show route in 11.1.0.0/16 all",
        "show route for 11.1.0.1", "show route 11.1.0.0/30 all", "show route protocol s4 count",
        "show route protocol learner table learnt4 all", "show route import table learner.ipv4 all",
        "show route export teller", "show route preexport teller all",
        "show route noexport teller count", "show route exported teller count",
        "show route export p1 all", "show route export teller.ipv4 count"],
    "show static": ["show static", "show static s4", "json show static"],
    "show protocols": ["show protocols", 'show protocols "s*"'],
    "show protocols all": ["show protocols all", "json show protocols all teller"],
    "show interfaces": ["show interfaces"],
    "show interfaces summary": ["show interfaces summary"],
    "show memory": ["show memory"],
    "show status": ["show status"],
    "show symbols": ["show symbols", "show symbols table"],
    "show threads": ["show threads"],
    "show threads all": ["show threads all", "json show threads all"],
    "show commands": ["show commands"],
    "eval": ["eval f(40)"],
    "restrict": ["restrict"],
    "timeformat": ["timeformat iso long"],
    "format json": ["format json"],
    "format text": ["format text"],
    "configure status": ["configure status"],
}
DUMPING = {"dump " + what: ['dump %s "FILE"' % what]
           for what in ("resources", "interfaces", "routes", "tables", "protocols", "filter all")}
ORDERS = {
    "disable": ["disable s4", "disable learner", 'disable "p*"', "disable all"],
    "enable": ["enable all", "enable s4"],
    "restart": ["restart s4", "restart teller", "restart p1", "restart all"],
    "reload": ["reload s4", "reload filters all", "reload in learner", "reload out teller",
               "reload p1", "reload filters out all"],
    "debug": ["debug all { states }", "debug all off"],
}
CONFIGURING = {
    "configure": ["configure", "configure timeout 1", 'configure "other.conf"'],
    "configure check": ["configure check", 'configure check "other.conf"'],
    "configure soft": ["configure soft", 'configure soft "other.conf"'],
    "configure undo": ["configure undo"],
    "configure confirm": ["configure confirm"],
}
ENDING = "ends the daemon, see AT-CLI-3"
EXCLUDED = {"down": ENDING, "graceful restart": ENDING}
NOT_AVAILABLE = "Not available in this build"

CONFIGURATION = """
log "router.log" all;
debug commands 1;
router id 10.1.0.1;
thread group worker { threads 3; default; };
ipv4 table aux4;
ipv4 table learnt4;
function f(int a) -> int { return a + 1; }
filter ours { if net ~ [ 11.0.0.0/15+ ] then accept; reject; }
filter decorate { bgp_path.prepend(65010); %(communities)s accept; }
filter some { if net ~ [ 11.0.0.0/14+ ] then accept; reject; }
filter told { bgp_next_hop = 10.9.9.9; accept; }
protocol device { }
protocol direct { ipv4; disabled; }
protocol static s4 { ipv4 { import filter decorate; };
include "routes.conf";
}
protocol pipe %(pipe)s { table master4; peer table aux4; import none; export all; }
protocol bgp teller { local 127.0.0.1 port %(teller)d as 65001; neighbor 127.0.0.2 as 65002;
  multihop; strict bind; passive; error wait time 1, 1;
  ipv4 { import none; export filter told; }; }
protocol bgp learner { local 127.0.0.2 port %(learner)d as 65002;
  neighbor 127.0.0.1 port %(teller)d as 65001; multihop; strict bind; hold time %(hold)d;
  connect delay time 1; connect retry time 1; error wait time 1, 1;
  ipv4 { table learnt4; import table; import keep filtered; import filter some; export none; }; }
%(more)s
"""
# With them `show route all` says some 600 bytes of each route.
COMMUNITIES = "".join("bgp_community.add((65010,%d)); " % n for n in range(10000, 10030))
# How many routes the filter `some` lets through.
SOME = 1 << 16
# Bytes that `show route all table all` is longer than.
LONG = 100 << 20
# Memory that may come and go by itself: pages are given back late.
SLACK = 1 << 20


def forms(*families):
    return [line for family in families for lines in family.values() for line in lines]


def read(client, size):
    """That many bytes at least, which must come."""
    while size > 0:
        some = client.recv(1 << 16)
        if not some:
            raise AssertionError("the reply ended %d bytes too early" % size)
        size -= len(some)


def read_all(client):
    return b"".join(iter(lambda: client.recv(1 << 16), b""))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon(routers.Tern):
    """ternd, and what can be counted of it from outside."""

    def __init__(self, place, routes, more=""):
        super().__init__(place, 65001, "10.1.0.1", [])
        self.size = routes
        self.values = {"teller": free_port(), "learner": free_port(), "communities": COMMUNITIES,
                       "pipe": "p1", "hold": 240, "more": more}
        place.write("routes.conf", "".join(
            "route 11.%d.%d.%d/30 blackhole;\n" % (n >> 14, n >> 6 & 255, n << 2 & 255)
            for n in range(routes)))
        # What differs ends protocols and starts them again.
        place.write("other.conf", CONFIGURATION % {**self.values, "pipe": "p2", "hold": 90})
        self.start()
        self.pid = self.process.pid
        lab.wait_for("all routes", self.loaded, 120)
        self.log = open(place.path("router.log"))
        place.lab.closing.callback(self.log.close)
        self.sessions, self.errors = 0, []

    def configuration(self):
        return CONFIGURATION % self.values

    def loaded(self):
        """Everything is up, and the tables have what they have in the end."""
        _, lines = self.ask("show protocols")
        up = {line.split()[0] for line in lines if " up " in line}
        if not up.issuperset(("device1", "s4", "p1", "teller", "learner")):
            return False
        _, lines = self.ask("show route table all count")
        return [int(line.split()[0]) for line in lines[:3]] == [
            self.size, self.size, min(self.size, SOME)]

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        # With a timeout it would not wait while others are in the queue.
        client.connect(self.node.path("ctl"))
        client.settimeout(60)
        return client

    def ask_json(self, command):
        _, lines = self.ask("json " + command)
        return json.loads("".join(lines[:-1]))

    def rows(self):
        """The rows of the command table that are commands."""
        return [row for row in self.ask_json("show commands") if not row["heading"]]

    def read_log(self):
        """Counts the sessions there are, orphans too, and collects what must not be said."""
        for line in self.log:
            self.sessions += line.endswith("CLI connect\n") - line.endswith("CLI disconnect\n")
            if re.search("<(ERR|BUG|FATAL|WARN|AUTH)>", line):
                self.errors.append(line)
        return self.sessions

    def remove_dumps(self):
        for name in os.listdir(self.node.directory):
            if name.startswith("dump"):
                os.unlink(self.node.path(name))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def memory(self):
        """Bytes in pages and in the heap, which says nothing where a sanitizer has one of its own."""
        memory = self.ask_json("show memory")[0]
        return memory["active_pages"], memory["heap_in_use"]


class Crowd:
    """Clients that are gone 0 to 5 ms after they have sent their lines, whatever the daemon does for them."""

    def __init__(self, daemon, rng):
        self.daemon, self.rng = daemon, rng
        self.number = 0
        self.here = []  # a heap of (end, number, socket)

    def run(self, lines, count, each=1):
        """`count` clients with up to `each` of the lines."""
        for _ in range(count):
            while len(self.here) == AT_ONCE or self.here and self.here[0][0] < time.monotonic():
                self.leave()
            self.come(self.rng.choices(lines, k=self.rng.randint(1, each)))
        while self.here:
            self.leave()
        self.daemon.remove_dumps()

    def come(self, lines):
        self.number += 1
        text = "".join(line + "\n" for line in lines).replace("FILE", "dump%d" % self.number)
        client = self.daemon.connect()
        client.sendall(text.encode())
        end = time.monotonic() + self.rng.uniform(0, STAY_S)
        heapq.heappush(self.here, (end, self.number, client))

    def leave(self):
        end, number, client = heapq.heappop(self.here)
        time.sleep(max(0, end - time.monotonic()))
        # Closed with something unread or without: the daemon sees that differently.
        if number % 2:
            with contextlib.suppress(BlockingIOError):
                client.recv(1 << 20, socket.MSG_DONTWAIT)
        client.close()
        if number % 100 == 0:
            self.daemon.remove_dumps()


class Orderer:
    """A client that has always sent more orders than it has got replies to."""

    def __init__(self, daemon, rng, lines):
        self.client = daemon.connect()
        self.client.setblocking(False)
        self.rng, self.lines, self.text = rng, lines, b""

    def fileno(self):
        return self.client.fileno()

    def go_on(self):
        """False once the daemon has hung up."""
        if not self.text:
            self.text = "".join(line + "\n" for line in self.rng.choices(self.lines, k=64)).encode()
        try:
            with contextlib.suppress(BlockingIOError):
                self.text = self.text[self.client.send(self.text):]
            with contextlib.suppress(BlockingIOError):
                return self.client.recv(1 << 20) != b""
        except ConnectionError:
            return False
        return True


class Base(unittest.TestCase):
    def setUp(self):
        print("TERN_CLI_SEED=%d" % SEED, flush=True)
        self.rng = random.Random(SEED)
        self.here = lab.Lab()
        self.here.__enter__()
        self.addCleanup(self.here.__exit__, None, None, None)

    def daemon(self, routes, more=""):
        return Daemon(self.here.place("tern"), routes, more)

    def at_rest(self, daemon):
        """What it holds when nobody is there and all is as configured."""
        for command in ("enable all", "debug all off", "configure"):
            daemon.ask(command)
        lab.wait_for("all routes", daemon.loaded, 60)
        memory = daemon.memory()
        lab.wait_for("the end of all sessions", lambda: daemon.read_log() == 0)
        return daemon.descriptors(), memory

    def assert_back(self, daemon, before):
        descriptors, memory = self.at_rest(daemon)
        self.assertEqual(descriptors, before[0])
        for was, now in zip(before[1], memory):
            self.assertLess(now, was + was // 10 + SLACK)

    def assert_ended(self, daemon, seconds):
        """It went down by itself, in order and in time."""
        self.assertEqual(daemon.process.wait(seconds), 0, daemon.node.output("ternd"))
        self.assertEqual(daemon.read_log(), 0)
        self.assertRegex("".join(daemon.errors), r"^[^\n]*<FATAL> Shutdown completed\n$")
        self.assertFalse(os.path.exists(daemon.node.path("ctl")))


class Leaving(Base):
    """AT-CLI-1."""

    def test_each_command_has_its_forms(self):
        rows = self.daemon(FEW_ROUTES).rows()
        self.assertEqual({row["words"] for row in rows if row["help"] != NOT_AVAILABLE},
                         set(LOOKING) | set(DUMPING) | set(ORDERS) | set(CONFIGURING) | set(EXCLUDED))

    def test_looking(self):
        self.leave_during(ROUTES, [[line] for line in forms(LOOKING, DUMPING)])

    def test_orders(self):
        self.leave_during(ROUTES, [[line] for line in forms(ORDERS)])

    def test_configuring(self):
        self.leave_during(FEW_ROUTES, [[line] for line in forms(CONFIGURING)])

    def test_several_commands_at_once(self):
        self.leave_during(FEW_ROUTES, [forms(CONFIGURING), forms(ORDERS, CONFIGURING),
                                       forms(LOOKING, DUMPING, ORDERS, CONFIGURING)] * 2, each=12)

    def leave_during(self, routes, choices, each=1):
        daemon = self.daemon(routes)
        crowd = Crowd(daemon, self.rng)
        for lines in choices:  # what is kept for the next time is there from then on
            crowd.run(lines, AT_ONCE)
        before = self.at_rest(daemon)
        for lines in choices:
            crowd.run(lines, CLIENTS, each)
            self.assert_nobody_is_left(daemon, lines)
        self.assert_back(daemon, before)
        self.assertEqual(daemon.ask("down")[0], 7)
        self.assert_ended(daemon, 60)

    def assert_nobody_is_left(self, daemon, lines):
        """Nothing is kept of those who went, and the next one is answered at once."""
        lab.wait_for("the end of the last of " + lines[0], lambda: daemon.read_log() == 0, 30, 0.01)
        self.assertEqual(daemon.errors, [])
        began = time.monotonic()
        self.assertEqual(daemon.ask("eval 1")[0], 23)
        self.assertLess(time.monotonic() - began, 1)


class InTheMiddle(Base):
    """AT-CLI-2."""
    TIMES = 5

    def test_a_reader_leaves(self):
        def read_half(client):
            read(client, self.rng.randrange(LONG))
        self.leave_after(read_half)

    def test_one_who_reads_no_more_leaves(self):
        def read_and_wait(client):
            read(client, self.rng.randrange(1 << 20))
            time.sleep(self.rng.uniform(0, 0.5))
        self.leave_after(read_and_wait)

    def leave_after(self, stay):
        daemon = self.daemon(ROUTES)
        with self.ask_all(daemon) as client:
            read(client, LONG)  # so long it is at least
        before = self.at_rest(daemon)
        waits = []
        for _ in range(self.TIMES):
            client = self.ask_all(daemon)
            stay(client)
            self.assertEqual(daemon.descriptors(), before[0] + 1)
            client.close()
            closed = time.monotonic()
            while daemon.descriptors() > before[0]:
                self.assertLess(time.monotonic() - closed, 1)
            waits.append(time.monotonic() - closed)
            memory = daemon.memory()
            self.assertLess(time.monotonic() - closed, 1)
            for was, now in zip(before[1], memory):
                self.assertLess(now, was + SLACK)
            lab.wait_for("the end of all sessions", lambda: daemon.read_log() == 0, 1, 0.001)
        # One of them may have had to wait for a processor that has other things to do.
        self.assertLess(sorted(waits)[self.TIMES // 2], 0.01)
        self.assertEqual(daemon.errors, [])

    @staticmethod
    def ask_all(daemon):
        client = daemon.connect()
        client.sendall(b"show route all table all\n")
        return client


class GoingDown(Base):
    """AT-CLI-3."""
    SESSIONS = 1000
    # So many orders at any time, for so many protocols, that some come at each moment of the shutdown.
    ORDERERS = 50
    PROTOCOLS = 100

    def setUp(self):
        super().setUp()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))

    def test_clients_left_before_and_after(self):
        def leave(clients, down):
            for client in clients[:self.SESSIONS // 2]:
                client.close()
            down()
            for client in clients[self.SESSIONS // 2:]:
                client.close()
        self.go_down(leave)

    def test_clients_stay_and_do_not_read(self):
        self.go_down(lambda clients, down: down())

    def test_clients_go_on_with_their_orders(self):
        daemon = self.daemon(FEW_ROUTES, "".join(
            "protocol static more%d { ipv4; debug { states }; };\n" % n
            for n in range(self.PROTOCOLS)))
        lines = forms(ORDERS, CONFIGURING) + ["enable all", "restart all"] * 10
        lines.remove("debug all off")
        here = [Orderer(daemon, self.rng, lines) for _ in range(self.ORDERERS)]
        for orderer in here:
            self.addCleanup(orderer.client.close)
            orderer.go_on()
        self.assertEqual(daemon.ask("down")[0], 7)
        while here:
            ready, _, _ = select.select(here, [], [], 60)
            self.assertTrue(ready, "no reply and no end")
            here = [orderer for orderer in here if orderer not in ready or orderer.go_on()]
        self.assert_ended(daemon, 60)
        with open(daemon.node.path("router.log")) as log:
            text = log.read()
        self.assertIn("State changed to down", text)
        self.assertNotIn("State changed", text[text.index("Shutdown completed"):])

    def go_down(self, act):
        """It happens while the daemon does not run, so it hears of it all at once."""
        daemon = self.daemon(FEW_ROUTES * 10)
        first = daemon.connect()
        clients = [daemon.connect() for _ in range(self.SESSIONS)]
        for client in [first] + clients:
            self.addCleanup(client.close)
        for client in clients:
            client.sendall(b"show route all table all\n")
        lab.wait_for("all sessions", lambda: daemon.read_log() > self.SESSIONS)
        os.kill(daemon.pid, signal.SIGSTOP)
        act(clients, lambda: first.sendall(b"down\n"))
        os.kill(daemon.pid, signal.SIGCONT)
        self.assert_ended(daemon, 60)
        self.assertTrue(read_all(first).endswith(b"\n0007 Shutdown requested\n"))


if __name__ == "__main__":
    unittest.main()
