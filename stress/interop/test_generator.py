"""The generator's tables are distinct, valid and the same for one seed."""
import ipaddress
import unittest

from interop import generator


class Generator(unittest.TestCase):
    def test_prefixes_are_distinct_and_public(self):
        for family in (4, 6):
            routes = generator.table(5000, family)
            networks = [ipaddress.ip_network(r.prefix) for r in routes]
            self.assertEqual(len(set(networks)), 5000)
            for network in networks:
                self.assertEqual(network.version, family)
            if family == 4:
                self.assertFalse(any(n.is_private or n.is_multicast for n in networks))

    def test_most_prefixes_are_of_length_24(self):
        routes = generator.table(5000)
        share = sum(r.prefix.endswith("/24") for r in routes) / len(routes)
        self.assertTrue(0.5 < share < 0.7, share)

    def test_one_seed_makes_one_table(self):
        first = list(generator.bird2_routes(generator.table(500, seed=7)))
        self.assertEqual(first, list(generator.bird2_routes(generator.table(500, seed=7))))
        self.assertNotEqual(first, list(generator.bird2_routes(generator.table(500, seed=8))))


if __name__ == "__main__":
    unittest.main()
