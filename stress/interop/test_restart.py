"""Graceful restart of the daemon: what it wrote to the kernel outlives it, and is tidied up after."""
import os
import unittest

from interop import lab, routers
from interop.generator import Route

FROM_PEER = [Route("198.51.100.0/24", [], [], None), Route("203.0.113.0/24", [], [], None)]
KERNEL = """
protocol kernel { ipv4 { export all; }; %s }
protocol static { ipv4; %s }
"""


def extra(*prefixes, options="graceful restart;"):
    return KERNEL % (options, " ".join("route %s blackhole;" % p for p in prefixes))


@lab.needs("tern", "bird2")
class Restart(unittest.TestCase):
    def build(self, here):
        left, right = here.node("tern"), here.node("peer")
        here.link(left, right, 1)
        self.theirs = routers.PEERS["bird2"](right, 65002, "10.1.0.2",
                                             [routers.Peer("10.1.0.1", 65001)], FROM_PEER)
        self.ours = routers.Tern(left, 65001, "10.1.0.1", [routers.Peer("10.1.0.2", 65002)],
                                 extra=extra("192.0.2.0/24", "192.0.3.0/24"))
        self.theirs.start()
        self.ours.start()
        lab.wait_for("our routes in the kernel",
                     lambda: set(left.kernel_routes()) == self.all(), 60)
        return left, right

    @staticmethod
    def all():
        return {r.prefix for r in FROM_PEER} | {"192.0.2.0/24", "192.0.3.0/24"}

    def go_down(self, node, command):
        code, _ = self.ours.ask(command)
        self.assertEqual(code, 25 if command == "graceful restart" else 7)
        lab.wait_for("the end", lambda: self.ours.process.poll() is not None)
        self.assertEqual(self.ours.process.returncode, 0)
        self.assertFalse(os.path.exists(node.path("ctl")))

    def start_again(self, node, text):
        self.ours.extra = text
        node.write("router.conf", self.ours.configuration())
        self.ours.process = node.start(lab.TERND, "-R", "-f", "-c", node.path("router.conf"), "-s",
                                       node.path("ctl"))
        lab.wait_for("control socket", lambda: os.path.exists(node.path("ctl")), 20)

    def recovering(self):
        _, lines = self.ours.ask("show status")
        return "Graceful restart recovery in progress" in lines

    def test_routes_stay_and_stale_ones_go_after_recovery(self):
        with lab.Lab() as here:
            left, right = self.build(here)
            self.go_down(left, "graceful restart")
            self.assertEqual(set(left.kernel_routes()), self.all())
            # The neighbour does not answer: nothing may be touched meanwhile.
            right.ip("link", "set", "to-tern", "down")
            right.ip("link", "set", "to-tern", "up")
            self.theirs.ask("disable peer0")
            self.start_again(left, extra("192.0.2.0/24"))
            lab.wait_for("the learning scan", lambda: self.recovering(), 10)
            lab.wait_for("the count of channels", lambda: "  Waiting for 1 channels to recover"
                         in self.ours.ask("show status")[1], 10)
            self.assertEqual(set(left.kernel_routes()), self.all())
            self.theirs.ask("enable peer0")
            lab.wait_for("the end of the recovery", lambda: not self.recovering(), 60)
            lab.wait_for("the stale route's removal",
                         lambda: set(left.kernel_routes()) == self.all() - {"192.0.3.0/24"}, 30)

    def test_the_usual_end_takes_routes_along(self):
        with lab.Lab() as here:
            left, _ = self.build(here)
            self.go_down(left, "down")
            self.assertEqual(left.kernel_routes(), {})

    def test_without_the_option_the_kernel_is_written_at_once(self):
        with lab.Lab() as here:
            left, _ = self.build(here)
            self.go_down(left, "graceful restart")
            self.theirs.ask("disable peer0")
            self.start_again(left, extra("192.0.2.0/24", options=""))
            lab.wait_for("our routes alone",
                         lambda: set(left.kernel_routes()) == {"192.0.2.0/24"}, 30)
            self.assertTrue(self.recovering())


if __name__ == "__main__":
    unittest.main()
