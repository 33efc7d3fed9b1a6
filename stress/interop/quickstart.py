"""The quickstart of ./run: bird2 -> BGP -> ternd -> kernel and -> BGP -> FRR, in namespaces."""
import os
import subprocess
import sys
import time

from interop import generator, lab, test_full_table

ROUTES = test_full_table.ROUTES


def say(text):
    print("[%s] %s" % (time.strftime("%H:%M:%S"), text), flush=True)


def show(chain, command, lines=12):
    say("ternc %s" % command)
    done = subprocess.run([lab.TERNC, "-s", chain.tern.node.path("ctl"), *command.split()],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = done.stdout.splitlines()
    for line in output[:lines]:
        print("    " + line)
    if len(output) > lines:
        print("    … %d more lines" % (len(output) - lines))


def usage(chain):
    """CPU seconds and resident MB of the daemon."""
    with open(chain.tern.node.path("pid")) as text:
        pid = int(text.read())
    with open("/proc/%d/stat" % pid) as text:
        fields = text.read().rsplit(")", 1)[1].split()
    with open("/proc/%d/status" % pid) as text:
        resident = next(int(x.split()[1]) for x in text if x.startswith("VmRSS"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), resident / 1024


def main():
    reason = lab.why_not("tern", "bird2", "frr")
    if reason:
        print("the quickstart is skipped: " + reason)
        return 0
    say("making a table of %d routes" % ROUTES)
    routes = generator.table(ROUTES)
    with lab.Lab() as here:
        chain = test_full_table.Chain(here, routes, say)
        say("bird2 (AS 64601) -> ternd (AS 64600) -> kernel and FRR (AS 64602)")
        chain.start()
        wanted = {r.prefix for r in routes}
        chain.settle("load", wanted)
        say("ternd used %.1f CPU seconds and holds %.0f MB" % usage(chain))
        for command in ("show status", "show protocols", "show route count", "show memory",
                        "show route for %s all" % routes[0].prefix):
            show(chain, command)
        wanted = chain.withdraw_half()
        chain.settle("half withdrawn", wanted)
        wanted = chain.change_filter(wanted)
        chain.settle("filter changed", wanted)
        chain.feeder.node.stop()
        chain.settle("session dropped", set())
        show(chain, "down")
        chain.tern.process.wait(30)
        left = chain.tern.node.kernel_routes()
        say("after down the kernel holds %d of our routes" % len(left))
        if left:
            return 1
    say("all sets were equal after each step")
    return 0


if __name__ == "__main__":
    sys.exit(main())
