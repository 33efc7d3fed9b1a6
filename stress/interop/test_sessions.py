"""Sessions with each peer: both directions, both families, with and without TCP-MD5 (RFC 2385)."""
import os
import signal
import unittest

from interop import lab, routers
from interop.generator import Route

OURS = {4: Route("203.0.113.0/24", [], [], None), 6: Route("2001:db8:1::/48", [], [], None)}
THEIRS = {4: Route("198.51.100.0/24", [], [], None), 6: Route("2001:db8:2::/48", [], [], None)}


def address(family, host):
    return "10.1.0.%d" % host if family == 4 else "fd00:1::%d" % host


class Sessions:
    """Mixed into one test class for each peer."""
    peer = ""

    def session(self, family, password=None):
        with lab.Lab() as here:
            left, right = here.node("tern"), here.node(self.peer)
            here.link(left, right, 1)
            ours = routers.Tern(left, 65001, "10.1.0.1",
                                [routers.Peer(address(family, 2), 65002, password)],
                                [OURS[family]])
            theirs = routers.PEERS[self.peer](right, 65002, "10.1.0.2",
                                              [routers.Peer(address(family, 1), 65001, password)],
                                              [THEIRS[family]])
            theirs.start()
            ours.start()
            ours.wait_established()
            theirs.wait_established()
            lab.wait_for("their route", lambda: THEIRS[family].prefix in ours.table(family))
            lab.wait_for("our route", lambda: OURS[family].prefix in theirs.table(family))
            hop, path = ours.table(family)[THEIRS[family].prefix]
            self.assertEqual((hop, path), (address(family, 2), (65002,)))
            hop, path = theirs.table(family)[OURS[family].prefix]
            self.assertEqual((hop, path), (address(family, 1), (65001,)))

            ours.ask("disable originated%d" % family)
            lab.wait_for("our withdrawal",
                         lambda: OURS[family].prefix not in theirs.table(family))
            theirs.node.stop()
            lab.wait_for("the end of the session", lambda: not ours.established())
            lab.wait_for("the end of its routes",
                         lambda: THEIRS[family].prefix not in ours.table(family))

    def test_ipv4(self):
        self.session(4)

    def test_ipv6(self):
        self.session(6)

    def test_ipv4_md5(self):
        self.session(4, "secret")

    def test_ipv6_md5(self):
        self.session(6, "secret")


@lab.needs("tern", "bird2")
class WithBird2(Sessions, unittest.TestCase):
    peer = "bird2"


@lab.needs("tern", "frr")
class WithFrr(Sessions, unittest.TestCase):
    peer = "frr"


@lab.needs("tern", "openbgpd")
class WithOpenBgpd(Sessions, unittest.TestCase):
    peer = "openbgpd"


@lab.needs("tern", "gobgp")
class WithGoBgp(Sessions, unittest.TestCase):
    peer = "gobgp"


@lab.needs("tern")
class Collision(unittest.TestCase):
    """Two connections between two ternd, one from each (RFC 4271 section 6.8)."""

    def collide(self, early, late):
        """`early` and `late` are 0 (the lower identifier) and 1."""
        with lab.Lab() as here:
            nodes = [here.node("low"), here.node("high")]
            here.link(nodes[0], nodes[1], 1)
            pair = [routers.Tern(nodes[i], 65001 + i, "10.1.0.%d" % (i + 1),
                                 [routers.Peer(address(4, 2 - i), 65002 - i)],
                                 [(OURS, THEIRS)[i][4]]) for i in (0, 1)]
            # One is stopped before it connects; the other's OPEN waits for it in the kernel.
            pair[late].start()
            lab.wait_for("the listening socket", lambda: self.listens(nodes[late]))
            self.halt(pair[late].process)
            pair[early].start()
            lab.wait_for("the first connection", lambda: self.connections(nodes[early]))
            self.halt(pair[early].process)
            # Now that one connects too, while the first waits in both kernels.
            pair[late].process.send_signal(signal.SIGCONT)
            lab.wait_for("the second connection", lambda: len(self.connections(nodes[late])) == 2)
            pair[early].process.send_signal(signal.SIGCONT)
            for router in pair:
                router.wait_established()
            lab.wait_for("the end of one",
                         lambda: [len(self.connections(n)) for n in nodes] == [1, 1])
            # Both keep the same one. Which it is depends on what each saw first: one may have been
            # established already. The simulation has both OPENs meet and checks the identifiers.
            low, high = (self.connections(node)[0] for node in nodes)
            self.assertEqual([low, high].count(179), 1)
            lab.wait_for("routes", lambda: all(r.count(4) == 2 for r in pair))

    @staticmethod
    def halt(process):
        """Stops all its threads, which takes a while on a busy machine."""
        process.send_signal(signal.SIGSTOP)
        tasks = "/proc/%d/task" % process.pid

        def halted():
            for task in os.listdir(tasks):
                with open("%s/%s/stat" % (tasks, task)) as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] != "T":
                        return False
            return True
        lab.wait_for("the stop of a process", halted)

    @staticmethod
    def listens(node):
        return ":179 " in lab.run(*node.command("ss", "-Htln"))

    @staticmethod
    def connections(node):
        """Local ports of established connections."""
        lines = lab.run(*node.command("ss", "-Htn", "state", "established")).splitlines()
        return [int(line.split()[2].rsplit(":", 1)[1]) for line in lines]

    def test_the_lower_identifier_connects_first(self):
        self.collide(0, 1)

    def test_the_higher_identifier_connects_first(self):
        self.collide(1, 0)


if __name__ == "__main__":
    unittest.main()
