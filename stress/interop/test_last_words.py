"""What ternd leaves in its log when it ends for a reason of its own. No network and no root are needed."""
import re
import resource
import signal
import unittest

from interop import lab, routers

MIB = 1 << 20


class Daemon(routers.Tern):
    def __init__(self, place):
        super().__init__(place, 65001, "10.1.0.1", [])
        self.extra = 'protocol static s4 { ipv4;\ninclude "routes.conf";\n}'
        self.write_routes(1000)
        self.start()

    def write_routes(self, count):
        self.node.write("routes.conf", "".join(
            "route 11.%d.%d.%d/32 blackhole;\n" % (n >> 16, n >> 8 & 255, n & 255)
            for n in range(count)))

    def mapped(self):
        """Bytes of address space."""
        with open("/proc/%d/status" % self.process.pid) as status:
            return 1024 * int(re.search(r"VmSize:\s+(\d+)", status.read()).group(1))


class LastWords(unittest.TestCase):
    def test_the_end_of_memory_is_in_the_log(self):
        with lab.Lab() as here:
            daemon = Daemon(here.place("tern"))
            daemon.wait_table(1000)
            limit = daemon.mapped() + 16 * MIB
            resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (limit, limit))
            daemon.write_routes(500000)
            with self.assertRaises((AssertionError, ConnectionError)):
                daemon.ask("configure")
            self.assertEqual(daemon.process.wait(30), -signal.SIGABRT)
            with open(daemon.node.path("router.log")) as log:
                said = log.read()
            self.assertRegex(said, r"<BUG> \S+:\d+: out of memory: no .*; the kernel refused\. Of \d+ pages")
            self.assertRegex(said, r"<BUG> bytes in use \+ overhead, the largest first:\n")
            self.assertRegex(said, r"<BUG>   pool router: \d+ \+ \d+\n")
            self.assertRegex(said, r"<BUG> .* holds")


if __name__ == "__main__":
    unittest.main()
