// SPDX-License-Identifier: GPL-2.0
/* Which guest sees which device where. */
#include "../../parse.h"
#include "../../vpci.h"
#include "emul.h"
#include "tap.h"

/* Only compared. */
static struct pcistub *stub(unsigned int nr)
{
	return (struct pcistub *)(0x1000ul + 16 * nr);
}

static struct pcistub *find(const struct pciback_vmap *map, u32 addr)
{
	return pciback_vmap_find(map, addr);
}

/* The entry of the device that the host has there. */
static struct pciback_vdev *at_host(const struct pciback_vmap *map, u32 sbdf)
{
	return pciback_vmap_entry((struct pciback_vmap *)map, sbdf);
}

/* A map with one device more; the old one is freed. */
static struct pciback_vmap *with(struct pciback_vmap *map,
				 const struct pciback_vdev *dev)
{
	struct pciback_vmap *new = pciback_vmap_with(map, dev);

	CHECK(new, "no map");
	kfree(map);
	return new;
}

static struct pciback_vmap *put(const struct pciback_topology *how,
				struct pciback_vmap *map, u32 sbdf, bool virtfn,
				u32 want)
{
	struct pciback_vdev dev = {
		.sbdf = sbdf, .virtfn = virtfn, .stub = stub(sbdf),
	};
	int err = how->place(map, &dev);

	CHECK(!err && dev.vaddr == want, "%#x: %d, %#x, not %#x", sbdf, err,
	      dev.vaddr, want);
	map = with(map, &dev);
	CHECK(find(map, dev.vaddr) == stub(sbdf), "%#x is not there", sbdf);
	return map;
}

static struct pciback_vmap *vput(struct pciback_vmap *map, u32 sbdf, u32 want)
{
	return put(&pciback_vpci, map, sbdf, false, want);
}

/* Take a device out, as map.c does it. */
static void take(struct pciback_vmap *map, u32 vaddr, bool lost)
{
	struct pciback_vdev *dev = map->dev;

	while (dev->vaddr != vaddr || !dev->stub)
		dev++;
	CHECK(at_host(map, dev->sbdf) == dev, "%#x", vaddr);
	dev->stub = NULL;
	dev->lost = lost;
	CHECK(!find(map, vaddr), "%#x is found by the guest", vaddr);
	CHECK(pciback_vmap_taken(map, vaddr) == lost, "%#x", vaddr);
	CHECK(!pciback_vmap_entry(map, dev->sbdf) == !lost, "%#x", vaddr);
}

static void sorted(const struct pciback_vmap *map)
{
	unsigned int i;

	for (i = 1; i < map->nr; i++)
		CHECK(map->dev[i - 1].vaddr < map->dev[i].vaddr, "at %u", i);
}

/* Slots in the order of arrival, and the second bus from the 33rd on. */
static void forty(int unused)
{
	struct pciback_vmap *map = NULL;
	u32 i, addr, found = 0;

	for (i = 0; i < 40; i++)
		map = vput(map, pciback_sbdf(0, 40 - i, 0x18),
			   pciback_sbdf(0, i / 32, (i % 32) << 3));
	CHECK(map->nr == 40, "%u", map->nr);
	sorted(map);
	/* All of the first buses and domains, and samples of the rest. */
	for (addr = 0; addr < 0x40000; addr++)
		found += !!find(map, addr);
	for (; addr >= 0x40000; addr += 0x10007)
		found += !!find(map, addr);
	CHECK(found == 40, "%u found", found);
	CHECK(!find(map, ~0u) && !find(map, 0x10000) && !find(map, 0x108 + 1),
	      "neighbours");
	for (i = 0; i < 40; i++) {
		u32 sbdf = pciback_sbdf(0, 40 - i, 0x18);
		const struct pciback_vdev *dev = at_host(map, sbdf);

		CHECK(dev && dev->sbdf == sbdf && dev->stub == stub(sbdf), "%u", i);
	}
	CHECK(!at_host(map, 0), "no such host device");
	kfree(map);
}

/* Functions of a device share a slot and keep their numbers. */
static void siblings(int unused)
{
	struct pciback_vmap *map = NULL;

	map = vput(map, 0x0300, 0x0000);
	map = vput(map, 0x0500, 0x0008);
	map = vput(map, 0x0303, 0x0003);
	map = vput(map, 0x0301, 0x0001);
	/* Other domain, bus or device: no siblings. */
	map = vput(map, 0x10302, 0x0012);
	map = vput(map, 0x0402, 0x001a);
	map = vput(map, 0x030a, 0x0022);
	map = vput(map, 0x0507, 0x000f);
	map = vput(map, 0x0308, 0x0020);
	sorted(map);
	/* Still together when the first to come went. */
	take(map, 0x0000, false);
	map = vput(map, 0x0307, 0x0007);
	map = vput(map, 0x0300, 0x0000);
	kfree(map);
}

/* Virtual functions are function 0 of a slot, and nobody's siblings. */
static void virtual_functions(int unused)
{
	struct pciback_vmap *map = NULL;
	u32 i;

	map = vput(map, 0x0300, 0x0000);
	for (i = 1; i < 8; i++)
		map = put(&pciback_vpci, map, 0x0310 + i, true, i << 3);
	map = put(&pciback_vpci, map, 0x0302, true, 0x0040);
	/* The other way round: a function does not join a virtual one. */
	map = vput(map, 0x0310, 0x0048);
	kfree(map);
}

static void holes(int unused)
{
	struct pciback_vmap *map = NULL;
	u32 i;

	for (i = 0; i < 34; i++)
		map = vput(map, (i + 1) << 8, pciback_sbdf(0, i / 32, (i % 32) << 3));
	take(map, 0x0028, false);
	take(map, 0x00f8, false);
	take(map, 0x0000, false);
	map = vput(map, 0x5000, 0x0000);
	CHECK(map->nr == 32, "%u: what went is still there", map->nr);
	map = vput(map, 0x5100, 0x0028);
	map = vput(map, 0x5200, 0x00f8);
	map = vput(map, 0x5300, 0x0110);
	sorted(map);
	for (i = 0; i < map->nr; i++)
		take(map, map->dev[i * 8 % map->nr].vaddr, false);
	map = vput(map, 0x5400, 0x0000);
	CHECK(map->nr == 1, "%u: what went is still there", map->nr);
	kfree(map);
}

/* A lost device is not found, but its address is kept for it. */
static void kept_address(int unused)
{
	struct pciback_vmap *map = NULL;
	struct pciback_vdev dev = { .sbdf = 0x0300, .vdevfn = 0x08 };

	map = vput(map, 0x0100, 0x0000);
	map = vput(map, 0x0208, 0x0008);
	map = vput(map, 0x0300, 0x0010);
	take(map, 0x0000, true);
	take(map, 0x0008, true);
	CHECK(find(map, 0x10), "neighbour lost");
	/* Neither a newcomer, nor a sibling, nor the toolstack's wish gets it. */
	map = vput(map, 0x0400, 0x0018);
	map = vput(map, 0x0209, 0x0009);
	CHECK(!pciback_vpci.place(map, &dev) && dev.vaddr == 0x20, "%#x",
	      dev.vaddr);
	CHECK(map->nr == 5, "%u", map->nr);
	/* The device itself comes back to where it was. */
	dev = *pciback_vmap_entry(map, 0x0208);
	dev.lost = false;
	dev.stub = stub(0x0208);
	dev.vaddr = 0x0008;
	map = with(map, &dev);
	CHECK(map->nr == 5 && find(map, 8) == stub(0x0208),
	      "not back");
	sorted(map);
	/* The toolstack gives up the other one. */
	pciback_vmap_entry(map, 0x0100)->lost = false;
	map = vput(map, 0x0500, 0x0000);
	CHECK(map->nr == 5, "%u", map->nr);
	kfree(map);
}

static void full(int unused)
{
	struct pciback_vmap *map;
	struct pciback_vdev dev = { .sbdf = 0xdead0 };
	u32 i, nr = 256 * 32;

	map = kzalloc(sizeof(*map) + nr * sizeof(map->dev[0]), 0);
	map->nr = nr;
	for (i = 0; i < nr; i++)
		map->dev[i] = (struct pciback_vdev){
			.vaddr = i << 3, .sbdf = i << 16, .stub = stub(i),
		};
	CHECK(pciback_vpci.place(map, &dev) == -ENOSPC, "%#x", dev.vaddr);
	map->nr--;
	CHECK(!pciback_vpci.place(map, &dev) && dev.vaddr == 0xfff8, "%#x",
	      dev.vaddr);
	kfree(map);
}

static void no_memory(int unused)
{
	struct pciback_vdev dev = { .sbdf = 0x100, .stub = stub(1) };
	struct pciback_vmap *map = NULL;

	emul_fail_alloc = 1;
	CHECK(!pciback_vmap_with(map, &dev), "from where?");
	map = vput(map, 0x0100, 0x0000);
	emul_fail_alloc = 1;
	dev.vaddr = 8;
	CHECK(!pciback_vmap_with(map, &dev), "from where?");
	CHECK(map->nr == 1 && find(map, 0), "the old map changed");
	kfree(map);
}

static void no_map(int unused)
{
	struct pciback_vmap *empty = kzalloc(sizeof(*empty), 0);

	CHECK(!find(NULL, 0) && !at_host(NULL, 0), "none");
	CHECK(!find(empty, 0) && !at_host(empty, 0), "empty");
	kfree(empty);
}

/* The host's own addresses, each once. */
static void passthrough(int unused)
{
	const struct pciback_topology *how = &pciback_passthrough;
	static const u32 hosts[] = { 0x0301, 0x0000, 0xffff0000, 0x10008, 0xffff,
				     0xffffffff };
	struct pciback_vmap *map = NULL;
	struct pciback_vdev again;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(hosts); i++)
		map = put(how, map, hosts[i], i & 1, hosts[i]);
	sorted(map);
	again = map->dev[2];
	CHECK(how->place(map, &again) == -EEXIST, "twice");
	take(map, 0x0301, false);
	map = put(how, map, 0x0301, false, 0x0301);
	CHECK(!how->has_root && pciback_vpci.has_root, "roots");
	kfree(map);
}

static const struct tap_test tests[] = {
	{ "forty devices on two buses", forty },
	{ "siblings stay together", siblings },
	{ "virtual functions", virtual_functions },
	{ "holes are filled", holes },
	{ "addresses of devices that left are kept", kept_address },
	{ "no room", full },
	{ "no memory", no_memory },
	{ "no map", no_map },
	{ "passthrough", passthrough },
};

int main(void)
{
	return tap_run(tests, ARRAY_SIZE(tests));
}
