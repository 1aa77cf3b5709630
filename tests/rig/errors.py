# SPDX-License-Identifier: GPL-2.0
"""PCIe errors of a device, injected by dom0's aer_inject."""

import struct

# PCIe 3.0 section 7.10.2: of the first the function recovers, the second ends
# in a reset of the link.
COMPLETION_TIMEOUT = 0x4000
DATA_LINK_PROTOCOL = 0x10


def inject(dom0, card, uncorrectable=0, correctable=0):
    """Have dom0 see an error of a card, as struct aer_error_inj has it."""
    domain, bus, devfn = dom0.bdf(card).split(":")
    slot, function = devfn.split(".")
    record = struct.pack("=BBBxIIIIIII", int(bus, 16), int(slot, 16),
                         int(function, 16), uncorrectable, correctable,
                         0, 0, 0, 0, int(domain, 16))
    octal = "".join(f"\\{byte:03o}" for byte in record)
    dom0.sh("modprobe aer_inject")
    dom0.until("[ -c /dev/aer_inject ]")
    dom0.sh(f"printf '{octal}' | dd of=/dev/aer_inject bs=64 2>&1")


def handled(dom0, count):
    """Wait until dom0's AER core is done with so many errors.

    It fails where the bed's root port has no reset for its link; what the
    driver under test makes of that is what is looked at.
    """
    dom0.until("[ $(dmesg | grep -c 'AER: device recovery') -ge "
               f"{count} ]", 40)
