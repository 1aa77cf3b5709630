# SPDX-License-Identifier: GPL-2.0
"""Distributions of times, as confop prints them."""

from collections import Counter

UNIT_US = 0.1


class Samples:
    """How often each time was seen."""

    def __init__(self, bins):
        self.bins = Counter(bins)

    @classmethod
    def parse(cls, words):
        """From TIME:NUMBER, in units of 100 ns."""
        pairs = (word.split(":") for word in words)
        return cls({int(time): int(number) for time, number in pairs})

    def _quantile(self, share):
        left = share * sum(self.bins.values())
        for time in sorted(self.bins):
            left -= self.bins[time]
            if left <= 0:
                return (time + 0.5) * UNIT_US
        raise ValueError("no samples")

    def median(self):
        """In microseconds."""
        return self._quantile(0.5)

    def p99(self):
        return self._quantile(0.99)

    def points(self):
        """(microseconds, share) of each time seen, in order."""
        total = sum(self.bins.values())
        return [(time * UNIT_US, self.bins[time] / total)
                for time in sorted(self.bins)]
