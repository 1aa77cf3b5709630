# SPDX-License-Identifier: GPL-2.0
"""What a guest may change in its device's config space, by the specifications.

Written down once more, so that the driver's tables are not their own judge.
"""

PM, VPD, MSI, EXPRESS, MSIX = 0x01, 0x03, 0x05, 0x10, 0x11
ERRORS = 0x0001

# (offset, bytes, bits) of the header and of capabilities.
HEADER = [(0x04, 2, 0x0014),    # bus mastering, write and invalidate
          (0x06, 2, 0xf900),    # error bits, cleared by one
          (0x0c, 1, 0xff),      # cache line size
          (0x0f, 1, 0x40)]      # self test
CAPABILITIES = {
    PM: [(4, 2, 0x7f03), (7, 1, 0xff)],  # D-state, and which data is shown
    VPD: [(2, 2, 0xffff), (4, 4, 0xffffffff)],
    # Xen's, for the guest, while and after it has interrupts.
    MSI: [(2, 2, 0x0070), (4, 4, 0xffffffff), (8, 4, 0xffffffff),
          (12, 4, 0xffffffff), (16, 4, 0xffffffff), (20, 4, 0xffffffff)],
    EXPRESS: [(8, 2, 0x7810), (10, 2, 0x000f)],  # hints, errors seen
    MSIX: [],
}
EXTENDED = {ERRORS: [(4, 4, 0xffffffff), (16, 4, 0xffffffff)]}


def capabilities(config):
    """{id: offset} of the chain in the first 256 bytes."""
    found, at = {}, config[0x34] & 0xfc
    while at and at not in found.values():
        found[config[at]] = at
        at = config[at + 1] & 0xfc
    return found


def _extended(config):
    """{id: offset} of the chain behind them."""
    found, at = {}, 0x100
    while at and at not in found.values() and at < len(config):
        head = int.from_bytes(config[at:at + 4], "little")
        found[head & 0xffff] = at
        at = head >> 20
    return found


def _mask(config):
    """The bits that may change, as one number for all of config space."""
    rights = [(0, HEADER)]
    for found, table in ((capabilities(config), CAPABILITIES),
                         (_extended(config), EXTENDED)):
        rights += [(found[name], rows) for name, rows in table.items()
                   if name in found]
    mask = bytearray(len(config))
    for base, rows in rights:
        for offset, size, bits in rows:
            at = base + offset
            mask[at:at + size] = bits.to_bytes(size, "little")
    return mask


def stolen(before, after):
    """What changed and should not have: "offset: before after" of bytes."""
    return [f"{at:#x}: {old:02x} {new:02x}"
            for at, (old, new, mask) in
            enumerate(zip(before, after, _mask(before), strict=True))
            if (old ^ new) & ~mask]
