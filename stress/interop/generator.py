"""Makes a table as the Internet has them: prefix lengths, shared paths, prepending, communities.

As a program: python3 -m interop.generator --routes 200000 --out table.conf
writes static routes for bird 2, to be included into a `protocol static`.
The same seed makes the same table.
"""
import argparse
import ipaddress
import random

# Share of each prefix length in a table of 2025, per 10,000 routes.
LENGTHS_4 = {8: 1, 10: 1, 11: 1, 12: 3, 13: 6, 14: 13, 15: 23, 16: 149, 17: 91, 18: 152, 19: 275,
             20: 471, 21: 561, 22: 1200, 23: 1067, 24: 5986}
LENGTHS_6 = {29: 280, 30: 41, 32: 1440, 33: 187, 34: 167, 36: 384, 38: 104, 40: 860, 42: 148,
             44: 920, 45: 100, 46: 195, 47: 202, 48: 4972}
# Hops of a path, then how often the origin stands in it once more.
HOPS = {1: 4, 2: 18, 3: 34, 4: 26, 5: 12, 6: 4, 7: 2}
PREPENDS = {0: 885, 1: 56, 2: 26, 3: 15, 4: 9, 5: 9}
# Routes that share one set of attributes, on average.
ROUTES_PER_SET = 6

RESERVED_4 = [ipaddress.ip_network(n) for n in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3")]
RESERVED_RANGES = [(int(n.network_address), int(n.broadcast_address)) for n in RESERVED_4]


class Route:
    __slots__ = ("prefix", "path", "communities", "med")

    def __init__(self, prefix, path, communities, med):
        self.prefix, self.path, self.communities, self.med = prefix, path, communities, med


def choose(rng, weights):
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def reserved(first, last):
    return any(first <= high and last >= low for low, high in RESERVED_RANGES)


def prefixes(rng, count, family):
    """Distinct prefixes as texts."""
    lengths = LENGTHS_4 if family == 4 else LENGTHS_6
    picked = rng.choices(list(lengths), weights=list(lengths.values()), k=count * 2)
    seen = set()
    result = []
    for length in picked:
        for _ in range(20):
            if family == 4:
                base = rng.getrandbits(32) >> (32 - length) << (32 - length)
                if reserved(base, base + (1 << (32 - length)) - 1):
                    continue
            else:
                base = (1 << 125) | rng.getrandbits(125) >> (128 - length) << (128 - length)
                # 2001:db8::/32 is for documentation.
                if base >> 96 == 0x20010db8:
                    continue
            if (base, length) in seen:
                continue
            seen.add((base, length))
            address = ipaddress.IPv4Address(base) if family == 4 else ipaddress.IPv6Address(base)
            result.append("%s/%d" % (address, length))
            break
        if len(result) == count:
            return result
    raise ValueError("cannot make %d prefixes" % count)


def table(count, family=4, seed=1):
    """Routes; the paths do not hold the exporting router's own number."""
    rng = random.Random(seed * 2 + family)
    transit = [rng.randrange(1, 23456) for _ in range(300)]
    result = []
    attributes = None
    left = 0
    for prefix in prefixes(rng, count, family):
        if left == 0:
            hops = choose(rng, HOPS)
            origin = rng.choice((rng.randrange(23457, 64496), rng.randrange(131072, 400000)))
            path = rng.sample(transit, hops - 1) + [origin] * (1 + choose(rng, PREPENDS))
            communities = sorted({(rng.choice(path) & 0xffff, rng.randrange(65536))
                                  for _ in range(rng.choice((0, 0, 1, 2, 4, 8)))})
            attributes = (path, communities, rng.choice((None, None, rng.randrange(500))))
            left = rng.randint(1, 2 * ROUTES_PER_SET - 1)
        left -= 1
        result.append(Route(prefix, *attributes))
    return result


def bird2_routes(routes):
    """Static routes with attributes, one a line."""
    for route in routes:
        # bgp_path is built from its end.
        sets = ["bgp_path.prepend(%d);" % asn for asn in reversed(route.path)]
        sets += ["bgp_community.add((%d,%d));" % pair for pair in route.communities]
        if route.med is not None:
            sets.append("bgp_med = %d;" % route.med)
        yield "route %s blackhole { %s };" % (route.prefix, " ".join(sets))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routes", type=int, default=200000)
    parser.add_argument("--family", type=int, choices=(4, 6), default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    with open(arguments.out, "w") as out:
        for line in bird2_routes(table(arguments.routes, arguments.family, arguments.seed)):
            out.write(line + "\n")


if __name__ == "__main__":
    main()
