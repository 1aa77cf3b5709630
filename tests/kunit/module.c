// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the module runs the tests. KUnit would run them by itself, but before
 * the module is there for the driver core to point at.
 */
#include <linux/module.h>

#include "bed.h"

static struct kunit_suite *suites[] = {
	&claim_suite,
	&irq_suite,
	&msi_suite,
	&policy_suite,
	&reset_suite,
	&owner_suite,
	&guest_suite,
	&vpd_suite,
	&limit_suite,
	&frontend_suite,
	&aer_suite,
	&race_suite,
	&fault_suite,
};

static int __init run(void)
{
	return __kunit_test_suites_init(suites, ARRAY_SIZE(suites));
}
module_init(run);

static void __exit leave(void)
{
	__kunit_test_suites_exit(suites, ARRAY_SIZE(suites));
}
module_exit(leave);
