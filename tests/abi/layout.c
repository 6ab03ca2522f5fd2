/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything is in the public structures of the SDK, and what its constants are, as released.
 * Made by layout.sh at a release and never edited: what does not compile here has broken modules
 * that are in use.  A table that begins with its own size may grow, nothing else may.
 */
#include <tenon/tenon.h>

_Static_assert(sizeof(void *) == 8, "the numbers are those of 64-bit hosts");

_Static_assert(sizeof(struct tenon_clock) >= 32, "");
_Static_assert(offsetof(struct tenon_clock, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_clock, monotonic_ns) == 8, "");
_Static_assert(offsetof(struct tenon_clock, guest_ns) == 16, "");
_Static_assert(offsetof(struct tenon_clock, realtime_ns) == 24, "");

_Static_assert(sizeof(struct tenon_event) >= 64, "");
_Static_assert(offsetof(struct tenon_event, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_event, fd_add) == 8, "");
_Static_assert(offsetof(struct tenon_event, fd_modify) == 16, "");
_Static_assert(offsetof(struct tenon_event, fd_remove) == 24, "");
_Static_assert(offsetof(struct tenon_event, timer_add) == 32, "");
_Static_assert(offsetof(struct tenon_event, timer_set) == 40, "");
_Static_assert(offsetof(struct tenon_event, timer_remove) == 48, "");
_Static_assert(offsetof(struct tenon_event, post) == 56, "");

_Static_assert(sizeof(struct tenon_firmware) >= 80, "");
_Static_assert(offsetof(struct tenon_firmware, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_firmware, node) == 8, "");
_Static_assert(offsetof(struct tenon_firmware, compatible) == 16, "");
_Static_assert(offsetof(struct tenon_firmware, hid) == 24, "");
_Static_assert(offsetof(struct tenon_firmware, region) == 32, "");
_Static_assert(offsetof(struct tenon_firmware, irq) == 40, "");
_Static_assert(offsetof(struct tenon_firmware, prop_u32) == 48, "");
_Static_assert(offsetof(struct tenon_firmware, prop_str) == 56, "");
_Static_assert(offsetof(struct tenon_firmware, power_registers) == 64, "");
_Static_assert(offsetof(struct tenon_firmware, power_button) == 72, "");

_Static_assert(sizeof(struct tenon_irq_svc) >= 56, "");
_Static_assert(offsetof(struct tenon_irq_svc, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_irq_svc, alloc) == 8, "");
_Static_assert(offsetof(struct tenon_irq_svc, number) == 16, "");
_Static_assert(offsetof(struct tenon_irq_svc, set) == 24, "");
_Static_assert(offsetof(struct tenon_irq_svc, pulse) == 32, "");
_Static_assert(offsetof(struct tenon_irq_svc, notifier) == 40, "");
_Static_assert(offsetof(struct tenon_irq_svc, free) == 48, "");

_Static_assert(sizeof(struct tenon_mem_region) >= 40, "");
_Static_assert(offsetof(struct tenon_mem_region, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_mem_region, prot) == 4, "");
_Static_assert(offsetof(struct tenon_mem_region, gpa) == 8, "");
_Static_assert(offsetof(struct tenon_mem_region, size) == 16, "");
_Static_assert(offsetof(struct tenon_mem_region, fd) == 24, "");
_Static_assert(offsetof(struct tenon_mem_region, reserved) == 28, "");
_Static_assert(offsetof(struct tenon_mem_region, fd_offset) == 32, "");

_Static_assert(sizeof(struct tenon_mem) >= 56, "");
_Static_assert(offsetof(struct tenon_mem, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_mem, read) == 8, "");
_Static_assert(offsetof(struct tenon_mem, write) == 16, "");
_Static_assert(offsetof(struct tenon_mem, map) == 24, "");
_Static_assert(offsetof(struct tenon_mem, unmap) == 32, "");
_Static_assert(offsetof(struct tenon_mem, mark_dirty) == 40, "");
_Static_assert(offsetof(struct tenon_mem, regions) == 48, "");

_Static_assert(sizeof(struct tenon_region_ops) >= 24, "");
_Static_assert(offsetof(struct tenon_region_ops, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_region_ops, read) == 8, "");
_Static_assert(offsetof(struct tenon_region_ops, write) == 16, "");

_Static_assert(sizeof(struct tenon_region_desc) >= 40, "");
_Static_assert(offsetof(struct tenon_region_desc, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_region_desc, space) == 4, "");
_Static_assert(offsetof(struct tenon_region_desc, size) == 8, "");
_Static_assert(offsetof(struct tenon_region_desc, name) == 16, "");
_Static_assert(offsetof(struct tenon_region_desc, ops) == 24, "");
_Static_assert(offsetof(struct tenon_region_desc, opaque) == 32, "");

_Static_assert(sizeof(struct tenon_mmio) >= 56, "");
_Static_assert(offsetof(struct tenon_mmio, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_mmio, region_create) == 8, "");
_Static_assert(offsetof(struct tenon_mmio, map) == 16, "");
_Static_assert(offsetof(struct tenon_mmio, address) == 24, "");
_Static_assert(offsetof(struct tenon_mmio, unmap) == 32, "");
_Static_assert(offsetof(struct tenon_mmio, region_destroy) == 40, "");
_Static_assert(offsetof(struct tenon_mmio, doorbell) == 48, "");

_Static_assert(sizeof(struct tenon_notifier_svc) >= 48, "");
_Static_assert(offsetof(struct tenon_notifier_svc, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_notifier_svc, create) == 8, "");
_Static_assert(offsetof(struct tenon_notifier_svc, fd) == 16, "");
_Static_assert(offsetof(struct tenon_notifier_svc, signal) == 24, "");
_Static_assert(offsetof(struct tenon_notifier_svc, drain) == 32, "");
_Static_assert(offsetof(struct tenon_notifier_svc, destroy) == 40, "");

_Static_assert(sizeof(struct tenon_host) >= 80, "");
_Static_assert(offsetof(struct tenon_host, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_host, abi_major) == 4, "");
_Static_assert(offsetof(struct tenon_host, abi_minor) == 6, "");
_Static_assert(offsetof(struct tenon_host, service) == 8, "");
_Static_assert(offsetof(struct tenon_host, log) == 16, "");
_Static_assert(offsetof(struct tenon_host, fail) == 24, "");
_Static_assert(offsetof(struct tenon_host, priv) == 32, "");
_Static_assert(offsetof(struct tenon_host, name) == 40, "");
_Static_assert(offsetof(struct tenon_host, conf_count) == 48, "");
_Static_assert(offsetof(struct tenon_host, conf_str) == 56, "");
_Static_assert(offsetof(struct tenon_host, conf_int) == 64, "");
_Static_assert(offsetof(struct tenon_host, conf_size) == 72, "");

_Static_assert(sizeof(struct tenon_key) == 40, "");
_Static_assert(offsetof(struct tenon_key, name) == 0, "");
_Static_assert(offsetof(struct tenon_key, type) == 8, "");
_Static_assert(offsetof(struct tenon_key, flags) == 12, "");
_Static_assert(offsetof(struct tenon_key, fallback) == 16, "");
_Static_assert(offsetof(struct tenon_key, values) == 24, "");
_Static_assert(offsetof(struct tenon_key, help) == 32, "");

_Static_assert(sizeof(struct tenon_device_class) >= 128, "");
_Static_assert(offsetof(struct tenon_device_class, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_device_class, threads) == 4, "");
_Static_assert(offsetof(struct tenon_device_class, name) == 8, "");
_Static_assert(offsetof(struct tenon_device_class, summary) == 16, "");
_Static_assert(offsetof(struct tenon_device_class, keys) == 24, "");
_Static_assert(offsetof(struct tenon_device_class, priv_size) == 32, "");
_Static_assert(offsetof(struct tenon_device_class, create) == 40, "");
_Static_assert(offsetof(struct tenon_device_class, attach) == 48, "");
_Static_assert(offsetof(struct tenon_device_class, start) == 56, "");
_Static_assert(offsetof(struct tenon_device_class, quiesce) == 64, "");
_Static_assert(offsetof(struct tenon_device_class, resume) == 72, "");
_Static_assert(offsetof(struct tenon_device_class, reset) == 80, "");
_Static_assert(offsetof(struct tenon_device_class, save) == 88, "");
_Static_assert(offsetof(struct tenon_device_class, load) == 96, "");
_Static_assert(offsetof(struct tenon_device_class, describe) == 104, "");
_Static_assert(offsetof(struct tenon_device_class, detach) == 112, "");
_Static_assert(offsetof(struct tenon_device_class, destroy) == 120, "");

_Static_assert(sizeof(struct tenon_plugin) >= 56, "");
_Static_assert(offsetof(struct tenon_plugin, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_plugin, abi_major) == 4, "");
_Static_assert(offsetof(struct tenon_plugin, abi_minor) == 6, "");
_Static_assert(offsetof(struct tenon_plugin, id) == 8, "");
_Static_assert(offsetof(struct tenon_plugin, version) == 16, "");
_Static_assert(offsetof(struct tenon_plugin, license) == 24, "");
_Static_assert(offsetof(struct tenon_plugin, init) == 32, "");
_Static_assert(offsetof(struct tenon_plugin, fini) == 40, "");
_Static_assert(offsetof(struct tenon_plugin, devices) == 48, "");

_Static_assert(sizeof(struct tenon_note) == 276, "");
_Static_assert(offsetof(struct tenon_note, name_size) == 0, "");
_Static_assert(offsetof(struct tenon_note, desc_size) == 4, "");
_Static_assert(offsetof(struct tenon_note, type) == 8, "");
_Static_assert(offsetof(struct tenon_note, name) == 12, "");
_Static_assert(offsetof(struct tenon_note, abi_major) == 20, "");
_Static_assert(offsetof(struct tenon_note, abi_minor) == 22, "");
_Static_assert(offsetof(struct tenon_note, id) == 24, "");
_Static_assert(offsetof(struct tenon_note, version) == 88, "");
_Static_assert(offsetof(struct tenon_note, classes) == 120, "");

_Static_assert(sizeof(struct tenon_power) >= 40, "");
_Static_assert(offsetof(struct tenon_power, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_power, off) == 8, "");
_Static_assert(offsetof(struct tenon_power, reset) == 16, "");
_Static_assert(offsetof(struct tenon_power, button) == 24, "");
_Static_assert(offsetof(struct tenon_power, mark) == 32, "");

_Static_assert(sizeof(struct tenon_terminal_ops) >= 40, "");
_Static_assert(offsetof(struct tenon_terminal_ops, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_terminal_ops, input) == 8, "");
_Static_assert(offsetof(struct tenon_terminal_ops, writable) == 16, "");
_Static_assert(offsetof(struct tenon_terminal_ops, resized) == 24, "");
_Static_assert(offsetof(struct tenon_terminal_ops, closed) == 32, "");

_Static_assert(sizeof(struct tenon_terminal) >= 40, "");
_Static_assert(offsetof(struct tenon_terminal, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_terminal, open) == 8, "");
_Static_assert(offsetof(struct tenon_terminal, want_input) == 16, "");
_Static_assert(offsetof(struct tenon_terminal, write) == 24, "");
_Static_assert(offsetof(struct tenon_terminal, size) == 32, "");

_Static_assert(sizeof(struct tenon_chain) == 48, "");
_Static_assert(offsetof(struct tenon_chain, out) == 0, "");
_Static_assert(offsetof(struct tenon_chain, in) == 8, "");
_Static_assert(offsetof(struct tenon_chain, n_out) == 16, "");
_Static_assert(offsetof(struct tenon_chain, n_in) == 20, "");
_Static_assert(offsetof(struct tenon_chain, out_bytes) == 24, "");
_Static_assert(offsetof(struct tenon_chain, in_bytes) == 32, "");
_Static_assert(offsetof(struct tenon_chain, head) == 40, "");
_Static_assert(offsetof(struct tenon_chain, reserved) == 42, "");
_Static_assert(offsetof(struct tenon_chain, generation) == 44, "");

_Static_assert(sizeof(struct tenon_virtio_ops) >= 40, "");
_Static_assert(offsetof(struct tenon_virtio_ops, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_virtio_ops, activate) == 8, "");
_Static_assert(offsetof(struct tenon_virtio_ops, queue_ready) == 16, "");
_Static_assert(offsetof(struct tenon_virtio_ops, config_written) == 24, "");
_Static_assert(offsetof(struct tenon_virtio_ops, reset) == 32, "");

_Static_assert(sizeof(struct tenon_virtio_desc) >= 48, "");
_Static_assert(offsetof(struct tenon_virtio_desc, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_virtio_desc, device_id) == 4, "");
_Static_assert(offsetof(struct tenon_virtio_desc, features) == 8, "");
_Static_assert(offsetof(struct tenon_virtio_desc, n_queues) == 16, "");
_Static_assert(offsetof(struct tenon_virtio_desc, config_size) == 20, "");
_Static_assert(offsetof(struct tenon_virtio_desc, queue_sizes) == 24, "");
_Static_assert(offsetof(struct tenon_virtio_desc, config) == 32, "");
_Static_assert(offsetof(struct tenon_virtio_desc, ops) == 40, "");

_Static_assert(sizeof(struct tenon_virtio) >= 96, "");
_Static_assert(offsetof(struct tenon_virtio, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_virtio, add) == 8, "");
_Static_assert(offsetof(struct tenon_virtio, queue) == 16, "");
_Static_assert(offsetof(struct tenon_virtio, queue_size) == 24, "");
_Static_assert(offsetof(struct tenon_virtio, pop) == 32, "");
_Static_assert(offsetof(struct tenon_virtio, unpop) == 40, "");
_Static_assert(offsetof(struct tenon_virtio, push) == 48, "");
_Static_assert(offsetof(struct tenon_virtio, notify) == 56, "");
_Static_assert(offsetof(struct tenon_virtio, want_kicks) == 64, "");
_Static_assert(offsetof(struct tenon_virtio, fault) == 72, "");
_Static_assert(offsetof(struct tenon_virtio, config_get) == 80, "");
_Static_assert(offsetof(struct tenon_virtio, config_set) == 88, "");

_Static_assert(sizeof(struct tenon_job) >= 72, "");
_Static_assert(offsetof(struct tenon_job, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_job, result) == 4, "");
_Static_assert(offsetof(struct tenon_job, run) == 8, "");
_Static_assert(offsetof(struct tenon_job, done) == 16, "");
_Static_assert(offsetof(struct tenon_job, core) == 24, "");

_Static_assert(sizeof(struct tenon_work) >= 32, "");
_Static_assert(offsetof(struct tenon_work, struct_size) == 0, "");
_Static_assert(offsetof(struct tenon_work, submit) == 8, "");
_Static_assert(offsetof(struct tenon_work, cancel) == 16, "");
_Static_assert(offsetof(struct tenon_work, flush) == 24, "");

_Static_assert((long long)(TENON_ABI_MAJOR) == 0, "");
_Static_assert((long long)(TENON_ADDR_ANY) == -1, "");
_Static_assert((long long)(TENON_FD_HUP) == 4, "");
_Static_assert((long long)(TENON_FD_READ) == 1, "");
_Static_assert((long long)(TENON_FD_WRITE) == 2, "");
_Static_assert((long long)(TENON_IRQ_ANY) == 4294967295, "");
_Static_assert((long long)(TENON_IRQ_EDGE) == 0, "");
_Static_assert((long long)(TENON_IRQ_LEVEL) == 1, "");
_Static_assert((long long)(TENON_IRQ_SHARED) == 256, "");
_Static_assert((long long)(TENON_KEY_ADDR) == 4, "");
_Static_assert((long long)(TENON_KEY_BOOL) == 1, "");
_Static_assert((long long)(TENON_KEY_ENUM) == 7, "");
_Static_assert((long long)(TENON_KEY_FD) == 9, "");
_Static_assert((long long)(TENON_KEY_INT) == 2, "");
_Static_assert((long long)(TENON_KEY_LIST) == 2, "");
_Static_assert((long long)(TENON_KEY_MAC) == 8, "");
_Static_assert((long long)(TENON_KEY_PATH) == 6, "");
_Static_assert((long long)(TENON_KEY_REQUIRED) == 1, "");
_Static_assert((long long)(TENON_KEY_SECRET) == 4, "");
_Static_assert((long long)(TENON_KEY_SIZE) == 3, "");
_Static_assert((long long)(TENON_KEY_STRING) == 5, "");
_Static_assert((long long)(TENON_LOG_DEBUG) == 3, "");
_Static_assert((long long)(TENON_LOG_ERR) == 0, "");
_Static_assert((long long)(TENON_LOG_INFO) == 2, "");
_Static_assert((long long)(TENON_LOG_WARN) == 1, "");
_Static_assert((long long)(TENON_NOTE_PLUGIN) == 1413828175, "");
_Static_assert((long long)(TENON_PARALLEL) == 2, "");
_Static_assert((long long)(TENON_PER_QUEUE) == 1, "");
_Static_assert((long long)(TENON_PROT_READ) == 1, "");
_Static_assert((long long)(TENON_PROT_WRITE) == 2, "");
_Static_assert((long long)(TENON_SERIAL) == 0, "");
_Static_assert((long long)(TENON_SPACE_MMIO) == 0, "");
_Static_assert((long long)(TENON_SPACE_PIO) == 1, "");
