# SPDX-License-Identifier: GPL-2.0
"""The documented config space policy, and what of it a device has.

Documentation/xen-pciback-policy.rst is compared with the driver's tables by
tests/host, so what it says is what the driver should do.
"""

import re

from . import paths

DOCUMENT = paths.TREE / "Documentation/xen-pciback-policy.rst"

# Letters of bits whose writes reach hardware.
GRANTED = "rca"

HEADING = re.compile(r"(Header|Capability (0x\w+)|"
                     r"Extended capability (0x\w+)):")
ROW = re.compile(r"(0x\w\w)    (\d)     (\S+(?: [-\w]+)*?)(?:   |$)")
WHOLE = {"fixed": "f", "writable": "r", "read-only": "-", "virtual": "A"}


def _bits(text, size):
    """One letter for each bit, the highest first."""
    if text in WHOLE:
        return WHOLE[text] * (size * 8)
    return text.replace(" ", "").rjust(size * 8, "-")


def tables():
    """{None, (id, extended): [(offset, size, letters)]}"""
    found, rows = {}, None
    for line in DOCUMENT.read_text().splitlines():
        head, row = HEADING.match(line), ROW.match(line)
        if head:
            std, ext = head.group(2), head.group(3)
            key = None if not (std or ext) else \
                (int(std or ext, 16), bool(ext))
            rows = found.setdefault(key, [])
        elif line.startswith("What is hidden"):
            rows = None
        elif row and rows is not None:
            size = int(row.group(2))
            rows.append((int(row.group(1), 16), size,
                         _bits(row.group(3), size)))
    return found


def _capabilities(config):
    """(position, (id, extended)) of what a device has, hidden or not."""
    found, pos, seen = [], config[0x34] & ~3, set()
    while pos and pos not in seen:
        seen.add(pos)
        found.append((pos, (config[pos], False)))
        pos = config[pos + 1] & ~3
    pos = 0x100
    while len(config) > 0x100 and pos and pos not in seen:
        seen.add(pos)
        head = int.from_bytes(config[pos:pos + 4], "little")
        if head in (0, 0xffffffff):
            break
        found.append((pos, (head & 0xffff, True)))
        pos = head >> 20
    return found


def granted(config, letters=GRANTED):
    """For each byte of a device's config space, the bits a guest changes.

    config is the hardware's, as dom0 sees it.
    """
    known = tables()
    masks = bytearray(len(config))
    for base, key in [(0, None)] + _capabilities(config):
        for offset, size, bits in known.get(key, []):
            mask = int("".join(str(int(bit in letters)) for bit in bits), 2)
            for i, byte in enumerate(mask.to_bytes(size, "little")):
                if base + offset + i < len(masks):
                    masks[base + offset + i] |= byte
    return bytes(masks)


def changed(before, *after):
    """For each byte, the bits in which any later state differs."""
    masks = bytearray(len(before))
    for state in after:
        for i, (old, new) in enumerate(zip(before, state, strict=True)):
            masks[i] |= old ^ new
    return bytes(masks)


def listed(masks):
    """Masks for people: 'offset:mask' of each byte that has one."""
    return [f"{i:03x}:{mask:02x}" for i, mask in enumerate(masks) if mask]
