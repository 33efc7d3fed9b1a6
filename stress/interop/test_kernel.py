"""Routes to and from the kernel that are not plain: IPv4 through IPv6, and routes the kernel refuses."""
import json
import unittest

from interop import lab, routers

SCAN = "scan time 1;"


@lab.needs("tern")
class Kernel(unittest.TestCase):
    def start(self, here, extra):
        node, other = here.node("tern"), here.node("other")
        here.link(node, other, 1)
        daemon = routers.Tern(node, 65001, "10.1.0.1", [], extra=extra)
        daemon.start()
        return node, daemon

    @staticmethod
    def kernel_route(node, prefix):
        found = json.loads(node.ip("-j", "route", "show", prefix))
        return found[0] if found else None

    @staticmethod
    def learnt(daemon, prefix):
        _, lines = daemon.ask("show route " + prefix)
        return "\n".join(lines)

    def test_ipv4_via_ipv6(self):
        """A gateway of the other family (RFC 8950), out and in."""
        extra = """
            protocol kernel { learn; %s ipv4 { import all; export where source = RTS_STATIC; }; }
            protocol static { ipv4; route 10.9.0.0/16 via fe80::1%%'to-other'; }
        """ % SCAN
        with lab.Lab() as here:
            node, daemon = self.start(here, extra)
            route = lab.wait_for("our route", lambda: self.kernel_route(node, "10.9.0.0/16"))
            self.assertEqual(route["via"], {"family": "inet6", "host": "fe80::1"})
            self.assertEqual(route["dev"], "to-other")

            node.ip("route", "add", "10.8.0.0/16", "via", "inet6", "fe80::2", "dev", "to-other")
            lab.wait_for("their route", lambda: "via fe80::2 on to-other"
                         in self.learnt(daemon, "10.8.0.0/16"))
            node.ip("route", "del", "10.8.0.0/16")
            lab.wait_for("its end", lambda: "via" not in self.learnt(daemon, "10.8.0.0/16"))

    def test_refused_route(self):
        """A source address that is not there yet: the routes are marked, few lines are logged, and the
        next scan tries again."""
        extra = """
            protocol kernel { %s ipv4 { export filter { krt_prefsrc = 192.0.2.77; accept; }; }; }
            protocol static { ipv4; %s }
        """ % (SCAN, " ".join("route 10.%d.0.0/16 via 10.1.0.2;" % n for n in range(100, 150)))
        with lab.Lab() as here:
            node, daemon = self.start(here, extra)
            lab.wait_for("the refusal", lambda: self.refusals(node))
            self.assertIsNone(self.kernel_route(node, "10.100.0.0/16"))
            _, lines = daemon.ask("show route all 10.100.0.0/16")
            self.assertRegex(lines[1], r"^10\.100\.0\.0/16 .*\] ! ")
            # Not a line for each of the fifty routes, nor for each scan: five, then one a second.
            self.assertLessEqual(len(self.refusals(node)), 10)
            node.ip("addr", "add", "192.0.2.77/32", "dev", "lo")
            route = lab.wait_for("our route", lambda: self.kernel_route(node, "10.149.0.0/16"))
            self.assertEqual(route["prefsrc"], "192.0.2.77")
            lab.wait_for("the mark's end", lambda: "] * " in daemon.ask(
                "show route 10.100.0.0/16")[1][1])

    @staticmethod
    def refusals(node):
        with open(node.path("router.log")) as log:
            return [line for line in log if "Netlink:" in line]
