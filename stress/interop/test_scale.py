"""A daemon with very many tables boots, and costs nothing while nothing happens."""
import os
import time
import unittest

from interop import lab, routers

TABLES = int(os.environ.get("TERN_TABLES", "10000"))
SECONDS = 5


def processor_seconds(pid):
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@lab.needs("tern")
class Scale(unittest.TestCase):
    def test_many_tables(self):
        extra = "\n".join("ipv4 table t%d; protocol static s%d { ipv4 { table t%d; }; route "
                          "192.0.2.0/24 blackhole; }" % (n, n, n) for n in range(TABLES))
        with lab.Lab() as here:
            daemon = routers.Tern(here.node("tern"), 65001, "10.1.0.1", [], extra=extra)
            daemon.start()
            last = TABLES - 1
            lab.wait_for("the last protocol", lambda: "192.0.2.0/24" in "".join(
                daemon.ask("show route table t%d" % last)[1]), 120)
            before = processor_seconds(self.pid(daemon))
            time.sleep(SECONDS)
            used = processor_seconds(self.pid(daemon)) - before
            self.assertLess(used, 0.01 * SECONDS)
            code, _ = daemon.ask("down")
            self.assertEqual(code, 7)
            lab.wait_for("the end", lambda: daemon.process.poll() is not None, 60)
            self.assertEqual(daemon.process.returncode, 0)

    @staticmethod
    def pid(daemon):
        with open(daemon.node.path("pid")) as text:
            return int(text.read())
