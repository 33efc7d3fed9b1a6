"""Interoperability tests: a router of this tree against real peers, in network namespaces."""
