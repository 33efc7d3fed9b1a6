"""Sessions with each peer: both directions, both families, with and without TCP-MD5 (RFC 2385)."""
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


if __name__ == "__main__":
    unittest.main()
