// SPDX-License-Identifier: GPL-2.0
/* Times in dom0, in ns: the epoch's, and how long the processor has run. */
#include <linux/module.h>
#include <linux/timekeeping.h>
#include <asm/xen/hypercall.h>
#include <xen/interface/vcpu.h>

static int running_get(char *buffer, const struct kernel_param *kp)
{
	struct vcpu_runstate_info info;
	int err = HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info);

	if (err)
		return err;
	return sysfs_emit(buffer, "%llu\n", info.time[RUNSTATE_running]);
}

static const struct kernel_param_ops running_ops = {
	.get = running_get,
};

module_param_cb(running, &running_ops, NULL, 0444);
MODULE_PARM_DESC(running, "Nanoseconds that processor 0 has run, by Xen's account");

static int now_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", ktime_get_real_ns());
}

static const struct kernel_param_ops now_ops = {
	.get = now_get,
};

module_param_cb(now, &now_ops, NULL, 0444);
MODULE_PARM_DESC(now, "Nanoseconds of the epoch");

MODULE_DESCRIPTION("Run time of dom0");
MODULE_LICENSE("GPL");
