"""The same configuration in BIRD 2 and ternd, the same commands: the same replies, line by line.

What BIRD 3 words otherwise is left out here; the unit tests of the daemon hold those words.
"""
import os
import re
import socket
import unittest

from interop import lab

CONFIGURATION = """
router id 10.1.0.2;
timeformat base iso long; timeformat protocol iso long; timeformat route iso long;
define LOCAL = 65000;
ipv4 table aux4;
filter ours { if net ~ [ 10.60.0.0/14+ ] then accept; reject; }
function f(int a) { return a + 1; }
protocol device { }
protocol direct { ipv4; ipv6; }
protocol kernel k4 { ipv4 { export filter ours; }; }
protocol static s4 { ipv4 { import limit 100 action warn; };
  route 10.60.0.0/16 via 10.1.0.1; route 10.61.0.0/16 blackhole; route 10.62.0.0/16 unreachable;
  route 10.63.0.0/16 prohibit; route 10.65.0.0/16 via 10.1.0.1 weight 2 via 10.1.0.9 weight 3;
  route 10.66.0.0/16 via 10.99.0.1; }
protocol static s6 { ipv6; route 2001:db8:60::/48 via fd00:1::1;
  route 2001:db8:61::/48 unreachable; }
protocol static soff { disabled; ipv4; route 10.70.0.0/16 blackhole; }
protocol pipe p1 { table master4; peer table aux4; import none; export where source = RTS_STATIC; }
protocol bgp b1 { local 10.1.0.2 as LOCAL; neighbor 10.1.0.55 as 65001;
  ipv4 { import all; export filter ours; }; }
"""

SAME = [
    "show interfaces", "show interfaces summary", "show protocols device1", "show static s4",
    "show static", "show symbols table", "show symbols s4", "show route", "show route count",
    "show route table aux4", "show route 10.60.0.0/16", "show route for 10.60.1.1",
    "show route 99.0.0.0/8", "show route for 99.0.0.1", "show route protocol s4",
    "show route where net ~ 10.0.0.0/8", "show route where nosuch = 3", "show route table nosuch",
    "show route filter ours", "show route in 10.60.0.0/14", "show route primary count",
    "show route export k4", "show route noexport k4", "show route preexport k4",
    "show route table all count", "show route filtered", "show route 10.60.0.1/16",
    "show route table master4 2001:db8:60::/48", "show route nosuch", "show", "show nothing", "",
    "foo", "show status x", "configure check", "configure confirm", "configure timeout 30",
    "configure confirm", "configure undo", "configure soft", "configure", "eval 1+1", "eval f(2)",
    "eval 1/0", "eval nosuch", "eval LOCAL", "eval ipp_bgp", "disable s4", "disable s4",
    "show protocols s4", "show protocols soff", "enable s4", "enable s4", "restart s4",
    "restart \"s*\"", "reload s4", "reload in s4", "disable \"zz*\"", "show protocols \"zz*\"",
    "debug s4 all", "debug s4 { states }", "debug s4 off", "restrict", "configure", "down",
]


def normal(lines):
    """Times and blanks at the ends go; rows of routes have no order."""
    lines = [re.sub(r"/\S*/router\.conf", "FILE", line) for line in lines]
    text = [re.sub(r"\d{4}-\d\d-\d\d [\d:]{8}(\.\d+)?", "TIME", line).rstrip() for line in lines]
    groups = []
    for line in text:
        head = re.match(r"(\d{4}-)?[0-9a-f.:]+/\d+\s+\w+ \[", line)
        if groups and groups[-1][0] == "route" and line.startswith("\t"):
            groups[-1][1].append(line)
        else:
            groups.append(("route" if head else "line", [line]))
    routes = sorted(group[1] for group in groups if group[0] == "route")
    return [group[1] if group[0] == "line" else routes.pop(0) for group in groups]


class Asked:
    """One control connection, asked in order, as `restrict` is for a session."""

    def __init__(self, node, program):
        self.node = node
        self.process = node.start(lab.PROGRAMS[program], "-f", "-c",
                                  node.write("router.conf", CONFIGURATION), "-s", node.path("ctl"))

    def connect(self):
        lab.wait_for("control socket", lambda: os.path.exists(self.node.path("ctl")), 20)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(self.node.path("ctl"))
        self.stream = self.socket.makefile("r", errors="replace")
        self.stream.readline()

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        reply = []
        for line in self.stream:
            line = line.rstrip("\n")
            coded = line[:4].isdigit()
            reply.append(line if coded else line[1:])
            if coded and line[4:5] == " ":
                return normal(reply)
        raise AssertionError("hung up on `%s`" % command)


@lab.needs("tern", "bird2")
class Commands(unittest.TestCase):
    def test_replies_are_the_same(self):
        with lab.Lab() as here:
            sides = []
            for name, program in (("left", "tern"), ("right", "bird2")):
                node, peer = here.node(name), here.node(name + "peer")
                node.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
                        peer.namespace)
                node.ip("link", "set", "eth0", "address", "02:00:00:00:00:02")
                for address in ("10.1.0.2/24", "fd00:1::2/64"):
                    node.ip("addr", "add", address, "dev", "eth0",
                            *(["nodad"] if ":" in address else []))
                peer.ip("link", "set", "eth0", "up")
                node.ip("link", "set", "eth0", "up")
                sides.append(Asked(node, program))
            for side in sides:
                side.connect()
            lab.wait_for("all routes", lambda: all(
                "via fd00:1::1 on eth0" in str(side.ask("show route")) for side in sides), 20)
            # BIRD asks the rules; ternd says what has been told, so that has to happen first.
            lab.wait_for("all exports", lambda: all(
                "10.63.0.0/16" in str(side.ask("show route export k4")) for side in sides), 20)
            # The kernel makes sure that nobody else has it, on either side as long as it likes.
            lab.wait_for("link-local addresses", lambda: all(
                "fe80::ff:fe00:2/64" in str(side.ask("show interfaces")) for side in sides), 20)
            for command in SAME:
                with self.subTest(command=command):
                    ours, theirs = (side.ask(command) for side in sides)
                    self.assertEqual(ours, theirs)
                if command.startswith(("enable ", "restart ")):
                    # It comes back by itself, a moment later; only then do replies depend on it.
                    lab.wait_for("s4 to be up", lambda: all(
                        " up " in str(side.ask("show protocols s4")) for side in sides), 20)
            for side in sides:
                side.stream.close()
                side.socket.close()


if __name__ == "__main__":
    unittest.main()
