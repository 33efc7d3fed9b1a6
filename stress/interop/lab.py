"""Network namespaces, routers in them, and waiting for what they do.

Everything happens in namespaces of the lab; their names carry the process id, so labs of several
runs do not meet. Lab is a context manager: whatever it started ends with it.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.environ.get("TERN_BIN", os.path.join(HERE, "..", "..", "build", "release", "bin"))
TERND = os.path.join(BIN, "ternd")
TERNC = os.path.join(BIN, "ternc")
PROGRAMS = {
    "tern": TERND,
    "bird2": "/usr/sbin/bird",
    "frr": "/usr/lib/frr/bgpd",
    "zebra": "/usr/lib/frr/zebra",
    "openbgpd": "/usr/sbin/bgpd",
    "gobgp": "/usr/bin/gobgpd",
}


SANITIZERS = ("Sanitizer: ", "SUMMARY: ", "runtime error: ")


class Timeout(AssertionError):
    pass


def run(*command, check=True, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)
    if check and done.returncode != 0:
        raise AssertionError("%s: %s" % (" ".join(command), done.stdout))
    return done.stdout


def why_not(*programs):
    """Why a lab cannot run here, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if shutil.which("ip") is None:
        return "needs ip of package iproute2"
    name = "tern-probe-%d" % os.getpid()
    for command in (["netns", "add", name], ["netns", "exec", name, "true"], ["netns", "del", name]):
        done = subprocess.run(["ip", *command], stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
            return "network namespaces do not work here: " + done.stderr.strip()
    for program in programs:
        if not os.access(PROGRAMS[program], os.X_OK):
            return "%s is not there" % PROGRAMS[program]
    return None


def needs(*programs):
    """Decorator of tests and test classes: skips with the reason."""
    reason = why_not(*programs)
    return unittest.skipIf(reason is not None, reason or "")


def wait_for(what, probe, seconds=30, every=0.1):
    """Waits until probe() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout("%s did not happen within %g s" % (what, seconds))
        time.sleep(every)


class Place:
    """A directory with some processes that run in the namespaces of the tests themselves: for what
    needs no network of its own, and no root."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.directory = os.path.join(lab.directory, name)
        self.processes = []
        os.mkdir(self.directory)
        os.chmod(self.directory, 0o777)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w") as out:
            out.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def command(self, *command):
        return list(command)

    def start(self, *command):
        output = open(self.path(os.path.basename(command[0]) + ".out"), "a")
        process = subprocess.Popen(self.command(*command), cwd=self.directory, stdout=output,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        output.close()
        self.processes.append(process)
        return process

    def output(self, program):
        with contextlib.suppress(OSError):
            with open(self.path(program + ".out")) as text:
                return text.read()
        return ""

    def stop(self, how=signal.SIGTERM):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(how)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def close(self):
        self.stop()


class Node(Place):
    """A place with a network namespace of its own."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.namespace = "tern-%d-%s" % (os.getpid(), name)
        run("ip", "netns", "del", self.namespace, check=False)
        run("ip", "netns", "add", self.namespace)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments, check=True):
        return run("ip", "-n", self.namespace, *arguments, check=check)

    def command(self, *command):
        return ["ip", "netns", "exec", self.namespace, *command]

    def close(self):
        super().close()
        run("ip", "netns", "del", self.namespace, check=False)

    def kernel_routes(self, family=4, protocol="bird"):
        """prefix -> next hop (or the kind of the route) of one routing protocol."""
        text = self.ip("-%d" % family, "route", "show", "proto", protocol)
        routes = {}
        for line in text.splitlines():
            words = line.split()
            if not words or words[0] == "nexthop":
                continue
            kind = "unicast"
            if words[0] in ("blackhole", "unreachable", "prohibit"):
                kind = words.pop(0)
            prefix = words[0]
            if prefix == "default":
                prefix = "0.0.0.0/0" if family == 4 else "::/0"
            elif "/" not in prefix:
                prefix += "/32" if family == 4 else "/128"
            routes[prefix] = words[words.index("via") + 1] if "via" in words else kind
        return routes


class Lab:
    def __init__(self):
        self.nodes = []
        self.closing = contextlib.ExitStack()

    def __enter__(self):
        # Being told to end must end the routers too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        self.directory = tempfile.mkdtemp(prefix="tern-lab-")
        os.chmod(self.directory, 0o777)
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.show_logs()
        for node in self.nodes:
            node.stop()
        reports = self.sanitizer_reports()
        for node in self.nodes:
            node.close()
        self.closing.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        if reports:
            raise AssertionError("\n".join(reports))

    def sanitizer_reports(self):
        """What daemons built with sanitizers have to say, leaks included."""
        found = []
        for node in self.nodes:
            text = node.output("ternd")
            if any(mark in text for mark in SANITIZERS):
                found.append("--- %s\n%s" % (node.name, text))
        return found

    def show_logs(self):
        for node in self.nodes:
            for name in sorted(os.listdir(node.directory)):
                if name.endswith((".out", ".log")):
                    with open(node.path(name), errors="replace") as text:
                        tail = text.read()[-2000:]
                    if tail:
                        print("--- %s/%s\n%s" % (node.name, name, tail))

    def node(self, name):
        return self.add(Node(self, name))

    def place(self, name):
        return self.add(Place(self, name))

    def add(self, node):
        self.nodes.append(node)
        return node

    def link(self, left, right, number):
        """A veth pair: 10.N.0.1/24 and fd00:N::1/64 on the left, .2 and ::2 on the right."""
        names = ("to-%s" % right.name, "to-%s" % left.name)
        run("ip", "link", "add", names[0], "netns", left.namespace, "type", "veth",
            "peer", "name", names[1], "netns", right.namespace)
        for node, name, host in ((left, names[0], 1), (right, names[1], 2)):
            node.ip("addr", "add", "10.%d.0.%d/24" % (number, host), "dev", name)
            node.ip("addr", "add", "fd00:%d::%d/64" % (number, host), "dev", name, "nodad")
            node.ip("link", "set", name, "up")
