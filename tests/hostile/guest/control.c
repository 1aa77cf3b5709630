// SPDX-License-Identifier: GPL-2.0
/* /dev/badfront: lines of a verb and name=number each, and what they said. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "badfront.h"

#define MAX_TEXT 16384

struct badfront bf;

/* Steps of the attack that is going on. */
unsigned long progress;
module_param(progress, ulong, 0444);

static DEFINE_MUTEX(busy);
static char said[MAX_TEXT];
static size_t said_len;

/**
 * say - add to what the reader of the device gets
 * @format: as of printf
 */
void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	said_len += vscnprintf(said + said_len, sizeof(said) - said_len, format,
			       args);
	va_end(args);
}

/**
 * arg - a number from a line
 * @args: what stands behind the verb
 * @name: of the number
 * @otherwise: its value where it is not given
 */
u32 arg(const char *args, const char *name, u32 otherwise)
{
	size_t len = strlen(name);
	const char *word = args;
	long long number;

	while (word) {
		word = skip_spaces(word);
		if (!strncmp(word, name, len) && word[len] == '=' &&
		    sscanf(word + len + 1, "%lli", &number) == 1)
			return number;
		word = strchr(word, ' ');
	}
	return otherwise;
}

/**
 * go_on - count a step of an attack; may there be another?
 */
bool go_on(void)
{
	progress++;
	cond_resched();
	return !fatal_signal_pending(current);
}

static const struct verb {
	const char *name;
	int (*run)(const char *args);
} verbs[] = {
	{ "open", do_open }, { "close", do_close },
	{ "close_port", do_close_port }, { "revoke", do_revoke },
	{ "op", do_op }, { "notify", do_notify },
	{ "write", do_write }, { "remove", do_remove },
	{ "publish", do_publish }, { "state", do_state },
	{ "await", do_await }, { "seen", do_seen }, { "connect", do_connect },
	{ "cycles", do_cycles }, { "flips", do_flips }, { "walk", do_walk },
	{ "fuzz", do_fuzz }, { "words", do_words },
	{ "race", do_race }, { "games", do_games }, { "storm", do_storm },
	{ "aer", do_aer },
};

static int run_line(const char *line)
{
	size_t len = strcspn(line, " ");
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strlen(verbs[i].name) != len ||
		    strncmp(verbs[i].name, line, len))
			continue;
		err = verbs[i].run(line + len);
		if (err)
			say("%s: error %d\n", line, err);
		return err;
	}
	say("%s: no such verb\n", line);
	return -EINVAL;
}

static ssize_t control_write(struct file *file, const char __user *from,
			     size_t size, loff_t *pos)
{
	char *text, *rest, *line;
	int err = 0;

	if (size >= MAX_TEXT)
		return -EINVAL;
	text = memdup_user_nul(from, size);
	if (IS_ERR(text))
		return PTR_ERR(text);
	mutex_lock(&busy);
	said_len = 0;
	progress = 0;
	rest = text;
	while (!err && (line = strsep(&rest, "\n")))
		if (*line)
			err = run_line(line);
	mutex_unlock(&busy);
	kfree(text);
	return err ? err : size;
}

static ssize_t control_read(struct file *file, char __user *to, size_t size,
			    loff_t *pos)
{
	return simple_read_from_buffer(to, size, pos, said, said_len);
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.write = control_write,
	.read = control_read,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "badfront",
	.fops = &control_fops,
};

static int __init badfront_init(void)
{
	int err;

	init_waitqueue_head(&bf.wait);
	err = store_init();
	if (err)
		return err;
	err = misc_register(&control);
	if (err)
		store_exit();
	return err;
}

static void __exit badfront_exit(void)
{
	misc_deregister(&control);
	do_close("");
	aer_exit();
	store_exit();
}

module_init(badfront_init);
module_exit(badfront_exit);
MODULE_DESCRIPTION("A frontend for xen-pciback that breaks rules");
MODULE_LICENSE("GPL");
