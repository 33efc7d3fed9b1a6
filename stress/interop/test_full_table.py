"""A table of real size: bird2 -> BGP -> ternd -> kernel and -> BGP -> FRR.

The sets in ternd, in the kernel and in FRR are compared with what was generated, prefix by prefix,
with next hops and AS paths: after load, after half was withdrawn, after a changed filter, after the
session dropped, and after ternd went down. TERN_ROUTES sets the size.
"""
import os
import time
import unittest

from interop import generator, lab, routers

ROUTES = int(os.environ.get("TERN_ROUTES", "200000"))
FEEDER, TERN_IN, TERN_OUT, SINK = "10.1.0.1", "10.1.0.2", "10.2.0.1", "10.2.0.2"
FEEDER_AS, TERN_AS, SINK_AS = 64601, 64600, 64602
PATIENCE = 180


class Chain:
    """The three routers and what they must hold."""

    def __init__(self, here, routes, say=lambda text: None):
        self.routes, self.say = routes, say
        feeder, tern, sink = here.node("feeder"), here.node("tern"), here.node("sink")
        here.link(feeder, tern, 1)
        here.link(tern, sink, 2)
        self.feeder = routers.Bird2(feeder, FEEDER_AS, FEEDER,
                                    [routers.Peer(TERN_IN, TERN_AS)], routes)
        self.tern = routers.Tern(tern, TERN_AS, TERN_IN,
                                 [routers.Peer(FEEDER, FEEDER_AS), routers.Peer(SINK, SINK_AS)],
                                 kernel=True)
        self.sink = routers.Frr(sink, SINK_AS, SINK, [routers.Peer(TERN_OUT, TERN_AS)])
        self.sink.zebra = False

    def start(self):
        self.sink.start()
        self.tern.start()
        self.feeder.start()

    def sets(self, wanted):
        """(name, expected, present) of the three places."""
        routes = [r for r in self.routes if r.prefix in wanted]
        inside = {r.prefix: (FEEDER, (FEEDER_AS, *r.path)) for r in routes}
        kernel = {r.prefix: FEEDER for r in routes}
        outside = {r.prefix: (TERN_OUT, (TERN_AS, FEEDER_AS, *r.path)) for r in routes}
        yield "ternd", inside, self.tern.table()
        yield "kernel", kernel, self.tern.node.kernel_routes()
        yield "frr", outside, self.sink.table()

    def differences(self, wanted):
        """Texts, one for each place that differs; empty when all are equal."""
        result = []
        for name, expected, present in self.sets(wanted):
            missing = expected.keys() - present.keys()
            more = present.keys() - expected.keys()
            wrong = [p for p in expected.keys() & present.keys() if expected[p] != present[p]]
            if missing or more or wrong:
                sample = sorted(missing)[:2] + sorted(more)[:2] + [
                    "%s: %s instead of %s" % (p, present[p], expected[p]) for p in wrong[:2]]
                result.append("%s: %d missing, %d too many, %d wrong: %s" % (
                    name, len(missing), len(more), len(wrong), sample))
        return result

    def settle(self, step, wanted):
        """Waits until all places agree; returns the seconds it took, comparing included."""
        start = time.monotonic()
        count = len(wanted)
        lab.wait_for("%s: %d routes in ternd" % (step, count),
                     lambda: self.tern.count(4) == count, PATIENCE, 0.1)
        self.say("%-28s %7d routes in ternd after %.1f s" % (step, count,
                                                            time.monotonic() - start))
        last = ["not compared"]

        def agree():
            last[:] = self.differences(wanted)
            return not last
        try:
            lab.wait_for(step, agree, PATIENCE, 0.5)
        except lab.Timeout:
            raise AssertionError("%s: %s" % (step, "; ".join(last)))
        self.say("%-28s ternd, kernel and FRR equal after %.1f s" % (
            step, time.monotonic() - start))
        return time.monotonic() - start

    def withdraw_half(self):
        """Every second route; returns the prefixes that stay."""
        kept = self.routes[::2]
        self.feeder.routes = kept
        self.feeder.node.write("router.conf", self.feeder.configuration())
        self.feeder.ask("configure")
        return {r.prefix for r in kept}

    def change_filter(self, kept):
        """Only prefixes of at most 22 bits; returns those that stay."""
        self.tern.import_filter = "where net.len <= 22"
        self.tern.node.write("router.conf", self.tern.configuration())
        code, lines = self.tern.ask("configure")
        if code not in (3, 4):
            raise AssertionError("configure: %s" % lines)
        return {p for p in kept if int(p.split("/")[1]) <= 22}

    def run_all(self):
        wanted = {r.prefix for r in self.routes}
        self.start()
        self.settle("load", wanted)
        wanted = self.withdraw_half()
        self.settle("half withdrawn", wanted)
        wanted = self.change_filter(wanted)
        self.settle("filter changed", wanted)
        self.feeder.node.stop()
        self.settle("session dropped", set())


@lab.needs("tern", "bird2", "frr")
class FullTable(unittest.TestCase):
    def test_three_sets_are_equal_after_each_change(self):
        with lab.Lab() as here:
            chain = Chain(here, generator.table(ROUTES), print)
            chain.run_all()
            chain.tern.ask("down")
            chain.tern.process.wait(30)
            self.assertEqual(chain.tern.node.kernel_routes(), {})

    def test_nothing_is_left_in_the_kernel_after_down_with_routes(self):
        with lab.Lab() as here:
            routes = generator.table(5000, seed=2)
            chain = Chain(here, routes)
            chain.start()
            chain.settle("load", {r.prefix for r in routes})
            chain.tern.ask("down")
            chain.tern.process.wait(30)
            self.assertEqual(chain.tern.process.returncode, 0)
            self.assertEqual(chain.tern.node.kernel_routes(), {})
            lab.wait_for("withdrawal at FRR", lambda: not chain.sink.table())


if __name__ == "__main__":
    unittest.main()
