/* SPDX-License-Identifier: Apache-2.0 */
/* vnc: a viewer that lets others look, type and point, its settings and its life. */
#include "vnc.h"

#include <errno.h>
#include <string.h>

const struct tenon_host *vnc_host;
const struct tenon_display *vnc_display;
const struct tenon_notifier_svc *vnc_notifier;

static int vnc_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct vnc *v = vnc_host->priv(dev);

	v->dev = dev;
	v->fd = -1;
	for (unsigned i = 0; i < VNC_CLIENTS; i++) {
		v->clients[i].vnc = v;
		v->clients[i].fd = -1;
	}
	v->socket = vnc_host->conf_str(config, "socket", 0);
	v->listen = vnc_host->conf_str(config, "listen", 0);
	v->password = vnc_host->conf_str(config, "password", 0);
	v->display = vnc_host->conf_str(config, "display", 0);
	v->screen = (uint32_t)vnc_host->conf_int(config, "screen");
	if (v->password && (v->password[0] == '\0' || strlen(v->password) > VNC_PASSWORD))
		return tenon_failf(vnc_host, dev, -EINVAL,
			"\"password\" has %zu bytes, wanted 1 to %u: VNC has no room for more",
			strlen(v->password), VNC_PASSWORD);
	return listen_check(v);
}

/* libgcrypt opens files when it is used first, which the sandbox would not let it do later. */
static void prepare_cipher(const struct vnc *v)
{
	unsigned char block[16] = { 0 };

	if (v->password)
		rfbEncryptBytes(block, (char *)(uintptr_t)v->password);
}

static int vnc_attach(struct tenon_dev *dev)
{
	struct vnc *v = vnc_host->priv(dev);
	int ret;

	(void)pthread_mutex_init(&v->lock, NULL);
	(void)pthread_mutex_init(&v->looking, NULL);
	v->has_lock = true;
	ret = screen_open(v);
	if (ret == 0)
		ret = vnc_notifier->create(&v->wake);
	if (ret < 0)
		return tenon_failf(
			vnc_host, dev, ret, "cannot make the screen: %s", strerror(-ret));
	ret = vnc_display->view(dev, v->display, &screen_ops);
	if (ret < 0)
		return ret;
	prepare_cipher(v);
	return listen_open(v);
}

static int vnc_start(struct tenon_dev *dev)
{
	struct vnc *v = vnc_host->priv(dev);
	int ret;

	screen_pause(v, false);
	ret = server_start(v);
	if (ret < 0)
		return tenon_failf(
			vnc_host, dev, ret, "cannot start the server: %s", strerror(-ret));
	return 0;
}

/* Clients stay, and see what was there last. */
static int vnc_quiesce(struct tenon_dev *dev)
{
	screen_pause(vnc_host->priv(dev), true);
	return 0;
}

static void vnc_detach(struct tenon_dev *dev)
{
	struct vnc *v = vnc_host->priv(dev);

	server_stop(v);
	listen_close(v);
	screen_close(v);
	if (v->wake)
		vnc_notifier->destroy(v->wake);
	v->wake = NULL;
	if (v->has_lock) {
		(void)pthread_mutex_destroy(&v->lock);
		(void)pthread_mutex_destroy(&v->looking);
	}
	v->has_lock = false;
}

static const struct tenon_key vnc_keys[] = {
	{ "socket", TENON_KEY_PATH, TENON_KEY_CREATES, NULL, NULL, "unix socket to listen on" },
	{ "listen", TENON_KEY_STRING, 0, NULL, NULL, "[ADDRESS:]PORT to listen on" },
	{ "password", TENON_KEY_STRING, TENON_KEY_SECRET, NULL, NULL,
		"what clients must know, up to 8 bytes" },
	{ "display", TENON_KEY_STRING, 0, NULL, NULL, "name of the device that draws" },
	{ "screen", TENON_KEY_INT, 0, "0", "0..15", "which of its screens" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class vnc_class = {
	.struct_size = sizeof(vnc_class),
	.name = "vnc",
	.summary = "the guest's screen, keyboard and pointer over VNC",
	.keys = vnc_keys,
	.priv_size = sizeof(struct vnc),
	.create = vnc_create,
	.attach = vnc_attach,
	.start = vnc_start,
	.quiesce = vnc_quiesce,
	.resume = vnc_start,
	.detach = vnc_detach,
	.needs = TENON_NEEDS_SOCKETS | TENON_NEEDS_THREADS,
};

static void silent(const char *format, ...)
{
	(void)format;
}

static int vnc_init(const struct tenon_host *h)
{
	vnc_host = h;
	rfbLog = rfbErr = silent; /* it would write among what is on the terminal */
	return TENON_FIND(h, vnc_display, TENON_SVC_DISPLAY, input) |
	       TENON_FIND(h, vnc_notifier, TENON_SVC_NOTIFIER, destroy);
}

TENON_PLUGIN_CLASS("org.tenon.vnc", "0.1.0", "Apache-2.0", vnc_init, vnc_class, "vnc");
