"""Routers as the tests see them: start with neighbours, ask for sessions and tables.

Each has the same few methods, so a test runs over all of them:
start(), established(), table(family) -> {prefix: (next hop, path)}.
"""
import json
import os
import pwd
import re
import socket

from interop import lab


class Peer:
    """A neighbour: address, its AS, and what is announced to it."""

    def __init__(self, address, asn, password=None):
        self.address, self.asn, self.password = address, asn, password

    @property
    def family(self):
        return 6 if ":" in self.address else 4


class Router:
    def __init__(self, node, asn, router_id, peers, routes=()):
        """routes: generator.Route objects it originates."""
        self.node, self.asn, self.router_id = node, asn, router_id
        self.peers, self.routes = list(peers), list(routes)

    def wait_established(self, seconds=40):
        lab.wait_for("all sessions of %s" % self.node.name, self.established, seconds)

    def wait_table(self, count, family=4, seconds=60):
        return lab.wait_for("%d routes at %s" % (count, self.node.name),
                            lambda: self.count(family) == count, seconds, 0.3)

    def count(self, family):
        return len(self.table(family))


class BirdLike(Router):
    """The configuration language and control socket that bird and ternd share."""
    program = ""

    def __init__(self, node, asn, router_id, peers, routes=(), extra="", kernel=False,
                 import_filter="all"):
        super().__init__(node, asn, router_id, peers, routes)
        self.extra, self.kernel, self.import_filter = extra, kernel, import_filter

    def configuration(self):
        text = ["router id %s;" % self.router_id, 'log "router.log" all;', "protocol device { }"]
        if self.routes:
            from interop import generator
            for family in (4, 6):
                own = [r for r in self.routes if (":" in r.prefix) == (family == 6)]
                if own:
                    self.node.write("routes%d.conf" % family,
                                    "\n".join(generator.bird2_routes(own)) + "\n")
                    text.append('protocol static originated%d { ipv%d { };\ninclude "routes%d.conf"'
                                ";\n}" % (family, family, family))
        if self.kernel:
            for family in (4, 6):
                text.append("protocol kernel kernel%d { ipv%d { import none; export where source "
                            "= RTS_BGP; }; }" % (family, family))
        text.append(self.extra)
        for number, peer in enumerate(self.peers):
            password = 'password "%s";' % peer.password if peer.password else ""
            text.append("protocol bgp peer%d { local as %d; neighbor %s as %d; %s "
                        "connect retry time 2; connect delay time 1; error wait time 1, 4;\n"
                        "ipv%d { import %s; export all; next hop self; }; }" % (
                            number, self.asn, peer.address, peer.asn, password, peer.family,
                            self.import_filter))
        return "\n".join(text) + "\n"

    def start(self):
        self.node.write("router.conf", self.configuration())
        self.process = self.node.start(lab.PROGRAMS[self.program], "-f", "-c",
                                       self.node.path("router.conf"), "-s",
                                       self.node.path("ctl"), "-P", self.node.path("pid"))
        lab.wait_for("control socket of " + self.node.name,
                     lambda: os.path.exists(self.node.path("ctl")) or self.dead(), 20)

    def dead(self):
        if self.process.poll() is not None:
            raise AssertionError("%s ended: %s" % (self.program,
                                                   self.node.output(os.path.basename(
                                                       lab.PROGRAMS[self.program]))))
        return False

    def ask(self, command):
        """(last code, text lines) over the control socket."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(120)
            control.connect(self.node.path("ctl"))
            stream = control.makefile("r", errors="replace")
            stream.readline()
            control.sendall(command.encode() + b"\n")
            lines = []
            for line in stream:
                line = line.rstrip("\n")
                if line.startswith(" "):
                    lines.append(line[1:])
                elif line[4:5] in ("-", " ") and line[:4].isdigit():
                    lines.append(line[5:])
                    if line[4] == " ":
                        return int(line[:4]), lines
        raise AssertionError("%s hung up on `%s`" % (self.program, command))

    def established(self):
        _, lines = self.ask("show protocols")
        up = [x for x in lines if re.match(r"peer\d+ ", x) and "Established" in x]
        return len(up) == len(self.peers)

    def count(self, family):
        _, lines = self.ask("show route count table master%d" % family)
        return int(lines[0].split(" of ")[0])

    def table(self, family=4):
        _, lines = self.ask("show route primary all table master%d" % family)
        routes, prefix = {}, None
        for line in lines:
            head = re.match(r"([0-9a-f.:]+/\d+)\s+(\w+)", line)
            if head:
                prefix = head.group(1)
                routes[prefix] = [head.group(2), ()]
            elif prefix and line.startswith("\tvia "):
                routes[prefix][0] = line.split()[1]
            elif prefix and re.match(r"\t(bgp_path|BGP\.as_path):", line):
                routes[prefix][1] = tuple(int(x) for x in line.split(":", 1)[1].split())
            elif prefix and line.startswith("\t\t") and re.match(r"\t\t[\d ]+$", line):
                routes[prefix][1] += tuple(int(x) for x in line.split())
        return {k: tuple(v) for k, v in routes.items()}


class Tern(BirdLike):
    program = "tern"


class Bird2(BirdLike):
    program = "bird2"


class Frr(Router):
    """bgpd, with zebra unless said otherwise: without it bgpd knows no interfaces and refuses next
    hops with a link-local address (RFC 2545 section 3), but it is much faster with large tables."""
    zebra = True

    def configuration(self):
        text = ["router bgp %d" % self.asn, " bgp router-id " + self.router_id,
                " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
                " no bgp network import-check",
                # A stopped bgpd must not look like one that restarts.
                " bgp graceful-restart-disable", " timers bgp 60 180"]
        for peer in self.peers:
            text += [" neighbor %s remote-as %d" % (peer.address, peer.asn),
                     " neighbor %s timers connect 2" % peer.address,
                     " neighbor %s advertisement-interval 0" % peer.address]
            if peer.password:
                text.append(" neighbor %s password %s" % (peer.address, peer.password))
        for family in (4, 6):
            own = [p for p in self.peers if p.family == family]
            if not own:
                continue
            text.append(" address-family ipv%d unicast" % family)
            text += ["  neighbor %s activate" % p.address for p in own]
            text += ["  network " + r.prefix for r in self.routes
                     if (":" in r.prefix) == (family == 6)]
            text.append(" exit-address-family")
        return "\n".join(text) + "\n"

    def start(self):
        self.node.write("frr.conf", self.configuration())
        if self.zebra:
            self.start_zebra()
        self.process = self.node.start(
            lab.PROGRAMS["frr"], "-n", "-S", *([] if self.zebra else ["-Z"]),
            "-f", self.node.path("frr.conf"),
            "--vty_socket", self.node.directory, "-i", self.node.path("pid"),
            "-z", self.node.path("zserv"), "-u", "root", "-g", "root")
        lab.wait_for("bgpd of " + self.node.name,
                     lambda: os.path.exists(self.node.path("bgpd.vty")), 20)

    def start_zebra(self):
        self.node.write("zebra.conf", "")
        self.node.start(lab.PROGRAMS["zebra"], "-f", self.node.path("zebra.conf"),
                        "--vty_socket", self.node.directory, "-i", self.node.path("zebra.pid"),
                        "-z", self.node.path("zserv"), "-u", "frr", "-g", "frr")
        lab.wait_for("zebra of " + self.node.name,
                     lambda: os.path.exists(self.node.path("zserv")), 20)

    def ask(self, command):
        text = lab.run("vtysh", "--vty_socket", self.node.directory, "-d", "bgpd", "-c",
                       "show bgp %s json" % command)
        return json.loads(text) if text.strip() else {}

    def established(self):
        up = 0
        for family in ("ipv4", "ipv6"):
            summary = self.ask(family + " unicast summary")
            up += sum(p["state"] == "Established" for p in summary.get("peers", {}).values())
        return up == len(self.peers)

    def table(self, family=4):
        routes = {}
        for prefix, paths in self.ask("ipv%d unicast" % family).get("routes", {}).items():
            best = next((p for p in paths if p.get("bestpath")), None)
            if best is not None:
                hops = [h["ip"] for h in best["nexthops"] if h.get("scope") != "link-local"]
                routes[prefix] = (hops[0], tuple(int(x) for x in best["path"].split()))
        return routes


class OpenBgpd(Router):
    def configuration(self):
        text = ["AS %d" % self.asn, "router-id " + self.router_id, "fib-update no",
                'socket "%s"' % self.node.path("ctl")]
        text += ["network " + r.prefix for r in self.routes]
        for peer in self.peers:
            password = " tcp md5sig password %s\n" % peer.password if peer.password else ""
            text.append("neighbor %s {\n remote-as %d\n enforce neighbor-as no\n announce IPv%d "
                        "unicast\n%s}" % (peer.address, peer.asn, peer.family, password))
        text += ["allow from any", "allow to any"]
        return "\n".join(text) + "\n"

    def start(self):
        self.node.write("bgpd.conf", self.configuration(), 0o600)
        # Its processes lock themselves into the home of their user, which a service would make.
        for user in pwd.getpwall():
            if user.pw_name in ("_openbgpd", "_bgpd"):
                os.makedirs(user.pw_dir, exist_ok=True)
        self.process = self.node.start(lab.PROGRAMS["openbgpd"], "-d", "-f",
                                       self.node.path("bgpd.conf"))
        lab.wait_for("bgpd of " + self.node.name,
                     lambda: os.path.exists(self.node.path("ctl")), 20)

    def ask(self, *command):
        return json.loads(lab.run("bgpctl", "-j", "-s", self.node.path("ctl"), *command))

    def established(self):
        neighbors = self.ask("show", "neighbor").get("neighbors", [])
        return sum(n["state"] == "Established" for n in neighbors) == len(self.peers)

    def table(self, family=4):
        entries = self.ask("show", "rib", "inet" if family == 4 else "inet6").get("rib", [])
        return {e["prefix"]: (e["exit_nexthop"], tuple(int(x) for x in e["aspath"].split()))
                for e in entries if e.get("best")}


class GoBgp(Router):
    def configuration(self):
        text = ["[global.config]", "as = %d" % self.asn, 'router-id = "%s"' % self.router_id]
        for peer in self.peers:
            text += ["[[neighbors]]", "[neighbors.config]",
                     'neighbor-address = "%s"' % peer.address, "peer-as = %d" % peer.asn]
            if peer.password:
                text.append('auth-password = "%s"' % peer.password)
            text += ["[neighbors.timers.config]", "connect-retry = 2", "[[neighbors.afi-safis]]",
                     "[neighbors.afi-safis.config]",
                     'afi-safi-name = "ipv%d-unicast"' % peer.family]
        return "\n".join(text) + "\n"

    def start(self):
        self.node.write("gobgp.toml", self.configuration())
        self.process = self.node.start(lab.PROGRAMS["gobgp"], "-f", self.node.path("gobgp.toml"),
                                       "-l", "warn", "--api-hosts", "127.0.0.1:50051")
        lab.wait_for("gobgpd of " + self.node.name, self.answers, 20)
        for route in self.routes:
            family = "ipv6" if ":" in route.prefix else "ipv4"
            self.control("global", "rib", "add", "-a", family, route.prefix)

    def control(self, *command, check=True):
        return lab.run(*self.node.command("gobgp", *command), check=check)

    def answers(self):
        return "Router-ID" in self.control("global", check=False)

    def established(self):
        neighbors = json.loads(self.control("-j", "neighbor"))
        # Session state 6 is ESTABLISHED.
        return sum(n["state"].get("session_state") == 6 for n in neighbors) == len(self.peers)

    def table(self, family=4):
        text = self.control("-j", "global", "rib", "-a", "ipv%d" % family)
        routes = {}
        for prefix, paths in (json.loads(text) if text.strip().startswith("{") else {}).items():
            best = next((p for p in paths if p.get("best")), paths[0])
            hop, path = "", ()
            for attribute in best["attrs"]:
                if attribute["type"] == 2:
                    path = tuple(a for s in attribute["as_paths"] for a in s["asns"])
                elif attribute["type"] in (3, 14):
                    hop = attribute["nexthop"]
            routes[prefix] = (hop, path)
        return routes


PEERS = {"bird2": Bird2, "frr": Frr, "openbgpd": OpenBgpd, "gobgp": GoBgp}
